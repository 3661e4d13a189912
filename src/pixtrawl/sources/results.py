"""Clean the values of one result and make its candidate.

Every source makes its candidates here, so that titles, sizes and URLs have the same limits whoever
found them. Pure; nothing raises, whatever a server wrote.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from pixtrawl import urls
from pixtrawl.licenses import CC0_URL
from pixtrawl.model import Alternate, Candidate, Kind, Query

__all__ = [
    "ImageResult", "candidate_of", "number", "one_line", "pixels", "plain_text", "related_queries",
    "web_url",
]  # fmt: skip

MAX_TEXT_CHARS: Final = 2000  # of a title, a creator, a claim
MAX_URL_CHARS: Final = 16_000
MAX_SIDE_PX: Final = 1_000_000  # more is an error of the source
_MAX_RELATED: Final = 100

_NO_URL: Final = re.compile("[\x00-\x20\x7f\ud800-\udfff]")
# Halves of surrogate pairs cannot be written as UTF-8.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Bing marks the search words with private-use characters (U+E000, U+E001), and engines over its
# index pass them on.
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
# Tags inside a word (highlighting) are removed; all others separate words.
_INLINE_TAG: Final = re.compile(
    r"</?(?:a|b|em|font|i|mark|small|span|strong|sub|sup|u)(?:\s[^<>]{0,2000})?>", re.IGNORECASE
)
_TAG: Final = re.compile(r"</?[a-z!][^<>]{0,2000}>", re.IGNORECASE)


class ImageResult(Struct, frozen=True, kw_only=True):
    """A picture as a source describes it, before it is a candidate of a query.

    `url` is None where only copies (`alternates`) or a thumbnail are known. `width` and `height`
    are those of `url`, in pixels.
    """

    url: str | None = None
    kind: Kind = Kind.ORIGINAL
    page_url: str | None = None
    title: str | None = None
    alt: str | None = None  # of its img, or the source's own description of what it shows
    page_text: str | None = None  # beside it on its page
    width: int | None = None
    height: int | None = None
    thumb_url: str | None = None
    license: str | None = None
    license_url: str | None = None
    creator: str | None = None
    alternates: tuple[Alternate, ...] = ()  # best first
    page_said: str | None = None  # JSON of the owner's statements on its page

    @property
    def best(self) -> Alternate | None:
        """The URL to fetch first: its own, else the first copy, else the thumbnail."""
        if self.url:
            return Alternate(self.url, self.kind)
        if self.alternates:
            return self.alternates[0]
        return Alternate(self.thumb_url, Kind.THUMBNAIL) if self.thumb_url else None


def candidate_of(result: ImageResult, query: Query, source: str, rank: int = 0) -> Candidate | None:
    """Make the candidate of a result; None where no URL of it can be fetched.

    Args:
        result: as the source gave it; text, URLs and sizes may be invalid.
        query: the query that it answers.
        source: name of the source.
        rank: place in the source's order, from 1; 0 without an order.
    """
    best = result.best
    url = _fetchable(best.url) if best else None
    if best is None or url is None:
        return None
    others = dict.fromkeys(
        one for one in result.alternates if _fetchable(one.url) and one.url != url
    )
    sized = result.url is not None
    return Candidate(
        url=url,
        query=query.text,
        label=query.label,
        source=source,
        rank=rank,
        kind=best.kind,
        page_url=web_url(result.page_url),
        title=one_line(result.title),
        alt=one_line(result.alt),
        page_text=one_line(result.page_text),
        width=pixels(result.width) if sized else None,
        height=pixels(result.height) if sized else None,
        thumb_url=_fetchable(result.thumb_url),
        license=one_line(result.license),
        license_url=one_line(result.license_url) or _deed(result.license),
        creator=one_line(result.creator),
        alternates=tuple(others),
        page_said=result.page_said,
    )


def web_url(value: Any) -> str | None:
    """Return an absolute http(s) URL byte for byte; `//host/...` gets https. None for all else."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URL_CHARS or _NO_URL.search(value):
        return None
    found = f"https:{value}" if value.startswith("//") else value
    if urls.scheme_of(found) not in {"http", "https"} or urls.check(found) is not None:
        return None
    return found


def one_line(value: Any) -> str | None:
    """Return text in one line of at most 2,000 characters; an integer counts as text.

    Control characters separate words; characters of private use are dropped. None for no text.
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        value = str(value)
    if not isinstance(value, str):
        return None
    text = _PRIVATE.sub("", _CONTROL.sub(" ", value[: 4 * MAX_TEXT_CHARS]))
    return " ".join(text.split())[:MAX_TEXT_CHARS].rstrip() or None


def plain_text(value: Any) -> str | None:
    """Like `one_line`, for HTML: tags removed, entities decoded once."""
    found = one_line(value)
    if found is None or not {"<", "&"} & set(found):
        return found
    return one_line(html.unescape(_TAG.sub(" ", _INLINE_TAG.sub("", found))))


def number(value: Any) -> int | None:
    """Return a whole number from 0, given as a number or its digits."""
    if isinstance(value, str):
        digits = value.strip() if len(value) < 40 else ""
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**15:
        return None
    return value


def pixels(value: Any) -> int | None:
    """Return a side's length in pixels, from a number or its digits; None for what is no size."""
    found = number(value)
    return found if found and found <= MAX_SIDE_PX else None


def related_queries(texts: Iterable[str], text: str) -> tuple[str, ...]:
    """Return related queries, each once, without the query `text` itself; 100 at most."""
    found: dict[str, str] = {}
    for other in texts:
        cleaned = plain_text(other) or ""
        if cleaned and cleaned.casefold() != text.casefold():
            found.setdefault(cleaned.casefold(), cleaned)
    return tuple(found.values())[:_MAX_RELATED]


def _deed(claim: str | None) -> str | None:
    """Return the address of the CC0 deed for the claim "CC0", which many APIs give without one."""
    return CC0_URL if claim == "CC0" else None


def _fetchable(url: str | None) -> str | None:
    """Return a web URL or a data: URI; None for anything else."""
    return url if url and url[:5].lower() == "data:" else web_url(url)
