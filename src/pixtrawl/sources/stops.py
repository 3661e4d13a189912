"""Outcomes of sources over HTTP other than `ok`, with evidence and the next step."""

from __future__ import annotations

import re
from typing import Final

from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.model import Reason, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.walls import told_pause_s, wall_in

_OTHER: Final = "take another source meanwhile (pixtrawl sources lists them)"
_NEXT_STEPS: Final = {
    "captcha": f"open the source in a browser, solve it by hand, wait an hour; or {_OTHER}",
    "rate_limit": f"wait, then run the same command again; or {_OTHER}",
    "forbidden": f"the source refuses this address or this tool; {_OTHER}",
    "login": f"the source wants an account or a key; or {_OTHER}",
    "js_wall": f"the source answers browsers only; {_OTHER}",
    "soft_block": f"wait an hour, then run the same command again; or {_OTHER}",
}
_CHALLENGES: Final = frozenset({403, 429, 503})  # statuses that may carry a captcha
_STATUS_KINDS: Final = {429: "rate_limit", 403: "forbidden", 401: "login", 451: "forbidden"}


def check_status(context: SourceContext, response: Response, source: str) -> None:
    """Return for a 2xx answer.

    Raises:
        SourceStop: blocked (401, 403, 429, 451, a 503 that names a time), changed (any other).
        FetchError: the server failed (5xx).
    """
    status = response.status
    if 200 <= status < 300:
        return
    check_challenge(context, response, source)
    kind = _STATUS_KINDS.get(status)
    if kind is None and status == 503 and "retry-after" in response.headers:
        kind = "rate_limit"
    if kind is not None:
        raise blocked(context, response, source, kind, f"{source} answers with status {status}")
    if status >= 500:
        raise FetchError(Reason.SERVER_ERROR, f"{source}: status {status}", http_status=status)
    raise changed(context, response, source, f"{source} answers with status {status}")


def check_challenge(context: SourceContext, response: Response, source: str) -> None:
    """Raise SourceStop where a refusal comes with a captcha."""
    wall = wall_in(response) if response.status in _CHALLENGES else None
    if wall is not None and wall[0] == "captcha":
        raise blocked(context, response, source, "captcha", f"{source} {wall[1]}")


def blocked(
    context: SourceContext, response: Response, source: str, kind: str, message: str
) -> SourceStop:
    """Make the stop of a refusal: captcha, rate_limit, js_wall, soft_block, login, forbidden."""
    detail: dict[str, object] = {"kind": kind, "message": message, "next_step": _NEXT_STEPS[kind]}
    wait = response.headers.get("retry-after", "")
    if wait:
        detail["retry_after"] = wait[:40]
    return _stop(SourceOutcome.BLOCKED, context, response, source, detail)


def changed(context: SourceContext, response: Response, source: str, message: str) -> SourceStop:
    """Make the stop of an answer that does not have the form the source knows."""
    step = f"look at the saved answer and report it; {_OTHER}"
    detail: dict[str, object] = {"message": message, "next_step": step}
    return _stop(SourceOutcome.CHANGED, context, response, source, detail)


def consent(context: SourceContext, response: Response, source: str) -> SourceStop:
    """Make the stop of a consent page that stays after it was answered."""
    detail: dict[str, object] = {
        "message": f"the consent page of {source} stays after 'reject all'",
        "next_step": f"give cookies of a browser that answered it with --cookies FILE; or {_OTHER}",
    }
    return _stop(SourceOutcome.CONSENT, context, response, source, detail)


def no_results(source: str, http_status: int = 200) -> SourceStop:
    """Make the stop of an answer that states that there are no results."""
    message = f"{source} states that it has no results for this query"
    return SourceStop(SourceOutcome.NO_RESULTS, message=message, http_status=http_status)


def quota(context: SourceContext, response: Response, source: str, message: str) -> SourceStop:
    """Make the stop of a used-up allowance of the key or the day."""
    step = f"run the same command again when the allowance is renewed; or {_OTHER}"
    detail: dict[str, object] = {"message": message, "next_step": step}
    return _stop(SourceOutcome.QUOTA, context, response, source, detail)


def _stop(
    outcome: SourceOutcome,
    context: SourceContext,
    response: Response,
    source: str,
    detail: dict[str, object],
) -> SourceStop:
    asked_s = told_pause_s(response)
    if asked_s is not None:
        detail["wait_s"] = round(asked_s, 1)
        detail["message"] = f"{detail['message']}; it asks to wait {asked_s:,.0f} s"
    name = f"{source}-{outcome}{_extension(response)}"
    saved = [context.evidence.save(name, response.body)]
    detail |= {"http_status": response.status, "url": response.url[:2000], "evidence": saved}
    return SourceStop(outcome, **detail)


def _extension(response: Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if re.search(r"\bjson\b", kind):
        return ".json"
    return ".html" if "html" in kind or not kind else ".txt"
