"""Outcomes of crawls of given pages other than `ok`: cause, evidence, next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from pixtrawl.browser.executable import install_command
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.model import Reason, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.preferences import Statement, now_utc
from pixtrawl.preferences.vocabulary import TDM, in_headers, of_line
from pixtrawl.sources import stops
from pixtrawl.sources.base import SourceContext

__all__ = [
    "no_page_query",
    "nothing_on",
    "of_browser",
    "of_failure",
    "of_status",
    "opted_out",
    "shows_another",
    "statements_on",
    "too_few_pages",
    "unreadable",
    "walled",
]

SOURCE: Final = "page"
_BROWSER: Final = {
    BrowserTrouble.MISSING: SourceOutcome.BROWSER_MISSING,
    BrowserTrouble.NETWORK: SourceOutcome.NETWORK_ERROR,
    BrowserTrouble.GONE: SourceOutcome.NETWORK_ERROR,
}
_IGNORE: Final = "ask the site's owner, or decide it yourself with --ignore-robots"
_OVERRIDE: Final = "ask the site's owner, or decide it yourself with --ignore-ai-preferences"
_KINDS: Final = {401: "login", 403: "forbidden", 429: "rate_limit", 451: "forbidden"}
_WALLS: Final = {
    "captcha": "the site shows a captcha",
    "login": "the site shows this page only after a login",
    "js_wall": "the page is empty until its scripts have run",
}
_WALL_STEPS: Final = {
    "login": "give cookies of a browser that is logged in with --cookies FILE",
    "js_wall": "let the browser run its scripts with --set page.render=true",
}


def no_page_query(text: str) -> SourceStop:
    """Make the stop of a query that is no URL of a page."""
    shown = text[:200]
    return SourceStop(
        SourceOutcome.UNSUPPORTED,
        message=f"{shown!r} is no http(s) address, and page.urls is not set",
        next_step="give the page as the query (https://example.org/gallery), or pages for every "
        "query with --set page.urls='https://example.org/search?q={query}'",
    )


def too_few_pages(ahead: int, detail: Mapping[str, object]) -> SourceStop:
    """Make the stop of a crawl whose pages only lead to others, beyond the page limit."""
    return SourceStop(
        SourceOutcome.UNSUPPORTED,
        message=f"the pages visited hold no picture of their own, but show {ahead} more",
        next_step="raise the number of pages with --set page.max_pages=N",
        **detail,
    )


def shows_another(response: Response, shown: Sequence[str]) -> SourceStop:
    """Make the stop of an empty page that shows a document which is not visited."""
    others = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    return SourceStop(
        SourceOutcome.UNSUPPORTED,
        message=f"the page has no picture of its own, but shows {shown[0][:300]}{others}",
        next_step="give the address that it shows as the query",
        http_status=response.status,
        url=response.url[:2000],
        shows=[url[:2000] for url in shown],
    )


def unreadable(context: SourceContext, response: Response, error: Exception) -> SourceStop:
    """Make the stop of a page on which the reader failed; costs this page only."""
    problem = f"{type(error).__name__}: {error}"[:200]
    stop = stops.changed(context, response, SOURCE, f"the page could not be read ({problem})")
    step = "report it with the saved page; other pages of the crawl are read"
    return SourceStop(stop.outcome, **{**stop.detail, "kind": "unreadable", "next_step": step})


async def of_failure(
    context: SourceContext, error: FetchError, url: str, max_bytes: int
) -> SourceStop:
    """Make the stop of a page that was not fetched: robots.txt, size, or the network."""
    if error.reason is Reason.ROBOTS_TXT:
        evidence = await _robots_txt(context, error, url)
        return SourceStop(
            SourceOutcome.BLOCKED,
            kind="forbidden",
            message=f"robots.txt of the site disallows this page ({error.detail})",
            next_step=_IGNORE,
            url=url[:2000],
            evidence=[evidence],
        )
    detail: dict[str, object] = {"url": url[:2000], "reason": error.reason.value}
    if error.http_status:
        detail["http_status"] = error.http_status
    if error.reason is Reason.TOO_MANY_BYTES:
        return SourceStop(
            SourceOutcome.UNSUPPORTED,
            message=f"the answer is larger than page.max_bytes ({max_bytes // 2**20} MiB)",
            next_step=f"take it with --set page.max_bytes={_next_mib(max_bytes)}M; if it is no "
            "page, put its address into a file and give that to `pixtrawl download`",
            **detail,
        )
    step = "check the address and the connection, then run the same command again"
    return SourceStop(SourceOutcome.NETWORK_ERROR, message=str(error), next_step=step, **detail)


def _next_mib(max_bytes: int) -> int:
    """Return four times the limit, in MiB."""
    return max(1, 4 * max_bytes // 2**20)


async def _robots_txt(context: SourceContext, error: FetchError, url: str) -> str:
    """Save the robots.txt as evidence; it may always be fetched (RFC 9309 2.2.2)."""
    parts = urlsplit(url)
    try:
        answer = await context.http.get(f"{parts.scheme}://{parts.netloc}/robots.txt")
    except (FetchError, ValueError):
        return context.evidence.save("page-robots.txt", str(error))
    return context.evidence.save("page-robots.txt", answer.body)


def of_status(context: SourceContext, response: Response, wall: str) -> SourceStop | None:
    """Return the stop for an answer that is not 2xx; None for one that is.

    A missing page (404, 410) or a server error is a `network_error` with `http_status`: it is
    neither a refusal nor a change of form.
    """
    status = response.status
    if 200 <= status < 300:
        return None
    kind = "captcha" if wall == "captcha" and status in {403, 429, 503} else _KINDS.get(status)
    if kind is None and status == 503 and "retry-after" in response.headers:
        kind = "rate_limit"
    if kind is not None:
        message = _WALLS[kind] if kind == "captcha" else f"the site answers with status {status}"
        return stops.blocked(context, response, SOURCE, kind, message)
    gone = status in {404, 410}
    message = f"the page is not there (status {status})" if gone else f"status {status}"
    return SourceStop(
        SourceOutcome.NETWORK_ERROR,
        message=message,
        http_status=status,
        url=response.url[:2000],
        next_step="check the address" if gone else "run the same command again later",
        evidence=[context.evidence.save("page-error.html", response.body)],
    )


def of_browser(failure: BrowserFailure) -> SourceStop:
    """Make the stop of a missing browser, or one that did not load the page."""
    outcome = _BROWSER.get(failure.trouble, SourceOutcome.CHANGED)
    step = failure.next_step or "run the same command again, or without page.render"
    if outcome is SourceOutcome.BROWSER_MISSING:
        step = failure.next_step or install_command()
    return SourceStop(outcome, message=str(failure), next_step=step, evidence=[])


def opted_out(context: SourceContext, response: Response, directive: str, where: str) -> SourceStop:
    """Make the stop of a page that opts out by a robots directive (head or header)."""
    name = f"page-opt-out.{'html' if where == 'meta robots' else 'txt'}"
    kept: bytes | str = response.body
    if where != "meta robots":
        kept = f"{response.url}\nx-robots-tag: {response.headers.get('x-robots-tag', '')}\n"
    return SourceStop(
        SourceOutcome.BLOCKED,
        kind="forbidden",
        message=f"the page opts out by {where}: {directive}",
        next_step=_IGNORE,
        http_status=response.status,
        url=response.url[:2000],
        evidence=[context.evidence.save(name, kept)],
    )


def statements_on(response: Response, metas: Sequence[str] = ()) -> list[Statement]:
    """Return what a page says of the use of its pictures.

    `metas` are the contents of its meta elements `tdm-reservation`.
    """
    at = now_utc()
    statements = [replace(one, source="page header") for one in in_headers(response.headers, at)]
    return statements + [of_line("meta", TDM, text, at) for text in metas]


def reserved(
    context: SourceContext, response: Response, metas: Sequence[str] = ()
) -> SourceStop | None:
    """Make the stop of a page whose owner says no to the purpose of the run; None of any other."""
    statement = context.preferences.objection(statements_on(response, metas))
    if statement is None:
        return None
    return SourceStop(
        SourceOutcome.BLOCKED,
        kind="forbidden",
        message=f"the page opts out of {context.preferences.purpose} by {statement}",
        next_step=_OVERRIDE,
        http_status=response.status,
        url=response.url[:2000],
        evidence=[context.evidence.save("page-opt-out.txt", f"{response.url}\n{statement}\n")],
    )


def walled(context: SourceContext, response: Response, wall: str) -> SourceStop:
    """Make the stop of a captcha, a login or an empty script page."""
    stop = stops.blocked(context, response, SOURCE, wall, _WALLS[wall])
    step = _WALL_STEPS.get(wall)
    return SourceStop(stop.outcome, **{**stop.detail, **({"next_step": step} if step else {})})


def nothing_on(context: SourceContext, response: Response, *, why: str) -> SourceStop:
    """Make the stop of a page without pictures: `empty`, `cut`, `blank`, `complex`, `other`."""
    if why == "empty":
        return SourceStop(
            SourceOutcome.NO_RESULTS,
            message="the page holds no image",
            http_status=response.status,
            url=response.url[:2000],
        )
    if why == "other":
        kind = response.headers.get("content-type", "") or "an unknown type"
        return SourceStop(
            SourceOutcome.UNSUPPORTED,
            message=f"the answer is neither a page nor an image ({kind[:80]})",
            next_step="give the address of an HTML page, an image or a sitemap",
            http_status=response.status,
            url=response.url[:2000],
        )
    sentences = {
        "cut": "the page is cut short, and what was received holds no image",
        "unlisted": "the sitemap lists no page",
        "blank": "the answer is empty",
        "complex": "the page is nested too deeply to be read, and names no image in its text",
        "hidden": "the page holds images, but none that counts (see page.svg and page.icons)",
    }
    return stops.changed(context, response, SOURCE, sentences[why])
