"""Detect a captcha, login or script wall in place of a source's answer. Pure.

Applies only to answers without results: a page with results may contain any of these signs.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from pixtrawl.net.interface import Response
from pixtrawl.net.stated_pause import stated_pause_s
from pixtrawl.sources.html import Document, TooComplexError

__all__ = ["page_of", "told_pause_s", "wall_in", "wall_of"]

_CAPTCHA_PATH: Final = re.compile(r"/(?:show|check)?captcha(?:[/?_.-]|$)|/sorry/", re.IGNORECASE)
_CAPTCHA_FORM: Final = (
    "form[action*=captcha], iframe[src*=captcha], iframe[src*=turnstile], #captcha, .captcha, "
    "#captcha-form, "
    "[name=cf-turnstile-response], script[src*=turnstile], script[src*=hcaptcha], [data-sitekey], "
    "script[src*=challenge-platform], form[action*='__cf_chl'], #challenge-form, "
    "form[action*=anomaly]"
)
_CAPTCHA_TEXT: Final = re.compile(
    r"not a robot|unusual traffic|(?:verify|confirm) (?:that )?you(?: a|.)re (?:a )?human"
    r"|enter the characters you see|solve the challenge"
    r"|百度安全验证|自动程序|자동입력 방지",
    re.IGNORECASE,
)
_NEEDS_SCRIPT: Final = re.compile(r"(?:enable|turn on|requires?) javascript", re.IGNORECASE)
_SCRIPT_LINK: Final = "a[href*=enablejs], meta[content*=enablejs]"
_RELOADS: Final = "meta[http-equiv=refresh], noscript iframe"
_WALL_TEXT: Final = 2000  # characters; a page with more text is no wall

_SAID: Final = {
    "captcha": "shows a captcha",
    "login": "answers with a login page",
    "js_wall": "answers only browsers that run JavaScript",
    "soft_block": "answers with an empty page that only reloads itself",
}


def page_of(response: Response) -> Document | None:
    """Parse an answer that is an HTML page; None for data and for pages too complex to parse."""
    kind = response.headers.get("content-type", "").lower()
    if "html" not in kind and response.body[:200].lstrip()[:1] != b"<":
        return None
    try:
        return Document(response.text)
    except TooComplexError:
        return None


def wall_in(response: Response) -> tuple[str, str] | None:
    """Like `wall_of`, for an answer that need not be an HTML page."""
    page = page_of(response)
    return None if page is None else wall_of(response, page)


def wall_of(response: Response, document: Document) -> tuple[str, str] | None:
    """Return the kind of block and its message; None for every other page."""
    kind = _kind(response, document)
    return (kind, _SAID[kind]) if kind else None


def told_pause_s(response: Response) -> float | None:
    """Return the pause in seconds that a 429 or 503 asks for; None if it comes with a captcha."""
    asked_s = stated_pause_s(response.status, response.headers, response.body)
    if asked_s is None:
        return None
    wall = wall_in(response)
    return None if wall is not None and wall[0] == "captcha" else asked_s


def _kind(response: Response, document: Document) -> str:
    if _CAPTCHA_PATH.search(urlsplit(response.url).path):
        return "captcha"
    title = document.first("title")
    shown = document.text()
    text = f"{title.text if title else ''} {shown}"
    if document.has(_CAPTCHA_FORM) or _CAPTCHA_TEXT.search(text):
        return "captcha"
    if len(text) >= _WALL_TEXT:
        return ""
    if document.has("form input[type=password]"):
        return "login"
    if _NEEDS_SCRIPT.search(text) or document.has(_SCRIPT_LINK):
        return "js_wall"
    return "soft_block" if not shown and document.has(_RELOADS) else ""
