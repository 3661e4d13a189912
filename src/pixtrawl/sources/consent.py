"""Consent pages of sources over HTTP: recognised by path or form, answered with "reject all"."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import Struct

from pixtrawl.net.interface import Http, Response
from pixtrawl.sources.html import Document, Element

_PATH: Final = re.compile(r"consent|/cookie", re.IGNORECASE)
# The words on the button, in the languages of those who are asked; a value or id often has them.
_REJECT: Final = re.compile(
    r"reject|decline|refuse|deny|ablehnen|refuser|rechazar|rifiuta|odrzu|weiger|necessary only",
    re.IGNORECASE,
)
_FIELDS_MAX: Final = 200


class Answer(Struct, frozen=True):
    """What pressing "reject all" would send."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...]


def is_consent(response: Response, document: Document) -> bool:
    """Whether a page without results is a consent page."""
    if _PATH.search(urlsplit(response.url).path):
        return True
    return any(_PATH.search(form.get("action")) for form in document.all("form")[:20])


def reject_all(response: Response, document: Document) -> Answer | None:
    """The answer that rejects all, where a form offers one."""
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
            return Answer(form.get("method").upper() or "GET", url, tuple(fields))
    return None


async def send(http: Http, answer: Answer) -> Response:
    """Sends it once. Raises FetchError."""
    body = urlencode(answer.fields)
    if answer.method == "POST":
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await http.post(answer.url, body=body.encode(), headers=kind)
    return await http.get(f"{answer.url.partition('?')[0]}?{body}")


def cookies_of(response: Response) -> list[str]:
    """`name=value` of each cookie that an answer sets."""
    lines = response.headers.get("set-cookie", "").split("\n")
    return [line.split(";")[0].strip() for line in lines if "=" in line.split(";")[0]]


def _rejects(button: Element) -> bool:
    words = (button.text, button.get("value"), button.get("id"), button.get("aria-label"))
    return any(_REJECT.search(text) for text in words)


def _same_site(url: str, other: str) -> bool:
    """Same scheme family and registrable-looking end: a form must not send us elsewhere."""
    one, two = urlsplit(url), urlsplit(other)
    ends = [".".join((part.hostname or "").rsplit(".", 2)[-2:]) for part in (one, two)]
    return one.scheme in {"http", "https"} and ends[0] == ends[1]
