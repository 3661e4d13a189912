"""Classify the answer of a crawled URL, and detect walls. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pixtrawl.images.formats.sniff import IMAGE_FORMATS, sniff
from pixtrawl.net.interface import Response
from pixtrawl.sources.html import Document

__all__ = ["Content", "content_of", "is_whole", "text_of", "wall_of"]


class Content(StrEnum):
    """The kind of content of an answer."""

    HTML = "html"
    IMAGE = "image"
    SITEMAP = "sitemap"
    DATA = "data"  # JSON, feeds and other XML: read for addresses
    OTHER = "other"
    NOTHING = "nothing"


# Signatures that text cannot begin with by accident (unlike `BM` or `P6`).
_CERTAIN: Final = frozenset({"jpeg", "png", "gif", "webp", "avif", "heic", "heif", "jxl"})
_HTML_START: Final = re.compile(
    r"\s*(?:<!--.*?-->\s*|<\?xml[^>]{0,200}>\s*)*<(?:!doctype html|html|head|body|title|meta|link|"
    r"div|p|h[1-6]|a|ul|table|img|main|section|script|center|style)\b",
    re.IGNORECASE | re.DOTALL,
)
_SITEMAP: Final = re.compile(r"<(?:[a-z0-9]+:)?(?:urlset|sitemapindex)[\s>]", re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{1,500}?charset\s*=\s*[\"']?([a-zA-Z0-9_-]{2,30})")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

_CAPTCHA: Final = re.compile(
    r"/cdn-cgi/challenge-platform/|challenges\.cloudflare\.com|cf-chl-|hcaptcha\.com/1/api|"
    r"recaptcha/api|class=.{0,3}g-recaptcha|px-captcha|captcha-delivery\.com|geo\.captcha|"
    r"awsWafCookieDomainList|<form[^>]{0,300}captcha",
    re.IGNORECASE,
)
_LOGIN_PATH: Final = re.compile(
    r"/(?:log-?in|sign-?in|auth|sso|account/login|wp-login)\b", re.IGNORECASE
)
_WALL_TEXT: Final = 1500  # characters; a page with more text is no wall
_WALL_PICTURES: Final = 3  # a logo and a mascot


def text_of(response: Response) -> str:
    """Decode the body by byte order mark, content type, meta charset or UTF-8, in this order.

    https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
    """
    body = response.body
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    if "charset" in response.headers.get("content-type", "").lower():
        return response.text
    declared = _META_CHARSET.search(body[:2048])
    if declared is None:
        return response.text
    name = declared[1].decode("ascii").lower()
    if name in {"iso-8859-1", "latin1", "ascii", "us-ascii"}:
        name = "windows-1252"
    try:
        return body.decode(name, "replace")
    except (LookupError, ValueError):
        return response.text


def content_of(response: Response, text: str) -> Content:
    """Return the content type by its bytes first: servers call anything text/html."""
    body = response.body
    if not body.strip():
        return Content.NOTHING
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = sniff(body[:4096])
    if found in _CERTAIN or (found in IMAGE_FORMATS and kind.startswith("image/")):
        return Content.IMAGE
    if b"\0" in body[:512] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Content.OTHER
    start = text[:4096]
    if _SITEMAP.search(start):
        return Content.SITEMAP
    if _HTML_START.match(start) or (kind in {"text/html", "application/xhtml+xml"} and "<" in text):
        return Content.HTML
    if start.lstrip()[:1] in {"{", "["} or "json" in kind or "xml" in kind:
        return Content.DATA
    return Content.OTHER


def is_whole(text: str) -> bool:
    """Return whether the page is complete; a cut one proves nothing about its content."""
    return re.search(r"</(?:html|body)\s*>\s*(?:</html\s*>)?\s*(?:<!--.{0,2000}-->\s*)*\Z",
                     text[-4000:], re.IGNORECASE | re.DOTALL) is not None  # fmt: skip


def wall_of(response: Response, text: str, document: Document | None, pictures: int) -> str:
    """Return `captcha`, `login`, `js_wall`, or "" if the page is no wall.

    An ordinary page may contain a login form or a captcha; it is a wall if it holds little else.
    """
    if document is None or pictures > _WALL_PICTURES:
        return ""
    words = len(document.text())
    if words > _WALL_TEXT:
        return ""
    if _CAPTCHA.search(text[:400_000]):
        return "captcha"
    moved = bool(response.redirects) and bool(_LOGIN_PATH.search(urlsplit(response.url).path))
    if document.has("input[type=password]") and (moved or pictures == 0):
        return "login"
    if pictures == 0 and words < 200 and document.has("script") and _is_shell(document):
        return "js_wall"
    return ""


def _is_shell(document: Document) -> bool:
    """Return whether it is an empty element for a script, or a noscript message."""
    roots = document.all("#root, #app, #__next, #__nuxt, #___gatsby, app-root, [data-reactroot]")
    if any(not one.text and len(one.all("*")) <= 1 for one in roots[:5]):
        return True
    return "javascript" in " ".join(one.text for one in document.all("noscript")[:5]).lower()
