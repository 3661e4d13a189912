"""Consent pages of sources over HTTP: recognised by path or form, answered with "reject all".

`ConsentGate` is the one routine of every source that asks over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import Struct, field

from pixtrawl.net.interface import Http, Response
from pixtrawl.sources import stops
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.html import Document, Element

_PATH: Final = re.compile(r"consent|/cookie", re.IGNORECASE)
# The words on the button, in the languages of the servers asked; often also its value or id.
_REJECT: Final = re.compile(
    r"reject|decline|refuse|deny|ablehnen|refuser|rechazar|rifiuta|odrzu|weiger|necessary only",
    re.IGNORECASE,
)
_FIELDS_MAX: Final = 200


class RejectAll(Struct, frozen=True):
    """The request that pressing "reject all" sends."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...]


class ConsentGate(Struct, kw_only=True):
    """The consent page of one server in one query: answered once, with "reject all".

    `cookies` are those that the answer set, by name; send them with each request.
    """

    source: str
    context: SourceContext
    cookies: dict[str, str] = field(default_factory=dict)
    reject_cookies: Mapping[str, str] = field(default_factory=dict)  # set by the page's scripts
    banner: str = ""  # CSS of a consent page of the server's own form
    answered: bool = False

    def asks(self, response: Response, document: Document) -> bool:
        """Return whether an answer without results is a consent page."""
        return is_consent(response, document) or bool(self.banner and document.has(self.banner))

    async def past(
        self,
        first: Response,
        page_in: Callable[[Response], Document | None],
        again: Callable[[], Awaitable[Response]],
    ) -> Response:
        """Return the answer behind the consent page; `first` itself where it is none.

        Args:
            first: the answer to the request.
            page_in: returns the consent page in place of an answer; None for a real answer.
            again: sends the request once more, with `cookies`.

        Raises:
            SourceStop: the page offers no "reject all", or stays after it.
            FetchError: the network failed.
        """
        page = page_in(first)
        if page is None:
            return first
        answer = reject_all(first, page)
        if self.answered or (answer is None and not self.reject_cookies):
            raise stops.consent(self.context, first, self.source)
        self.answered = True
        self.cookies.update(self.reject_cookies)
        self.keep_cookies(first)
        if answer is not None:
            self.keep_cookies(await send(self.context.http, answer))
        response = await again()
        if page_in(response) is not None:
            raise stops.consent(self.context, response, self.source)
        return response

    def keep_cookies(self, response: Response) -> None:
        """Take over the cookies that an answer sets."""
        self.cookies.update(cookies_of(response))

    def headers(self) -> dict[str, str]:
        """Return the `Cookie` header of the next request; empty without cookies."""
        shown = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": shown} if shown else {}


def is_consent(response: Response, document: Document) -> bool:
    """Return whether a page without results is a consent page."""
    if _PATH.search(urlsplit(response.url).path):
        return True
    return any(_PATH.search(form.get("action")) for form in document.all("form")[:20])


def reject_all(response: Response, document: Document) -> RejectAll | None:
    """Return the answer that rejects all, where a form offers one."""
    for form in document.all("form")[:20]:
        buttons = form.all("button, input[type=submit]")[:50]
        pressed = next((one for one in buttons if _rejects(one)), None)
        if pressed is None and not _REJECT.search(form.get("action")):
            continue
        hidden = [one for one in form.all("input[type=hidden]") if one.get("name")]
        fields = [(one.get("name"), one.get("value")) for one in hidden[:_FIELDS_MAX]]
        action = form.get("action")
        if pressed is not None:
            action = pressed.get("formaction") or action
            if pressed.get("name"):
                fields.append((pressed.get("name"), pressed.get("value")))
        url = urljoin(response.url, action)
        if _same_site(url, response.url):
            return RejectAll(form.get("method").upper() or "GET", url, tuple(fields))
    return None


async def send(http: Http, answer: RejectAll) -> Response:
    """Send it once. Raises FetchError."""
    body = urlencode(answer.fields)
    if answer.method == "POST":
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await http.post(answer.url, body=body.encode(), headers=kind)
    return await http.get(f"{answer.url.partition('?')[0]}?{body}")


def cookies_of(response: Response) -> dict[str, str]:
    """Return the cookies that an answer sets, by name."""
    pairs = (line.split(";")[0] for line in response.headers.get("set-cookie", "").split("\n"))
    split = (pair.strip().partition("=") for pair in pairs if "=" in pair)
    return {name: value for name, _, value in split}


def _rejects(button: Element) -> bool:
    words = (button.text, button.get("value"), button.get("id"), button.get("aria-label"))
    return any(_REJECT.search(text) for text in words)


def _same_site(url: str, other: str) -> bool:
    """Return whether an http(s) URL is on the other's domain: a form must not lead elsewhere."""
    one, two = urlsplit(url), urlsplit(other)
    ends = [".".join((part.hostname or "").rsplit(".", 2)[-2:]) for part in (one, two)]
    return one.scheme in {"http", "https"} and ends[0] == ends[1]
