"""Image records in what Google Images pages carry: script texts, answers to XHRs, links. Pure.

The parser relies on no container, class name or path into a data structure; those changed every
year. The shape of a record has been stable since 2020, wherever it is:

    [0,"<id>",["<thumbnail>",HEIGHT,WIDTH],["<original>",HEIGHT,WIDTH], ... "2003":[null,"..",
    "<page>","<title>", ...

Height comes before width, strings are escaped as in JavaScript, and the whole may be inside another
string (escaped once more). The links `/imgres?imgurl=<original>&imgrefurl=<page>&...` and, in
pages from before 2020, objects with the keys ou, ow, oh, ru, pt, tu are read too.

Every expression is anchored on a quote and its repetitions are unambiguous, so that time is linear
in the size of any text. Possessive quantifiers would enforce that, but Python 3.11.0 to 3.11.3
match them wrongly.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from pixtrawl.sources.js_strings import js_unescape
from pixtrawl.sources.results import ImageResult, pixels, plain_text, web_url

MAX_TEXT_CHARS: Final = 8_000_000  # real pages have 0.5 to 2 million
MAX_LEVELS: Final = 3  # JSON in a string in a JSON answer is level 2
MAX_ESCAPES: Final = 250_000  # decoded per level; 100 records have some 20,000
MAX_TAIL_CHARS: Final = 30_000  # of one record, after its two images

# Inside of a string. The bound on escapes bounds the memory of a match: the engine keeps a record
# of each repetition.
_INSIDE: Final = r'[^"\\]*(?:\\.[^"\\]*){0,20000}'
_STRING: Final = rf'"({_INSIDE})"'
_GAP: Final = r"\s{0,9}"
_ADDRESS: Final = rf'"([a-zA-Z][a-zA-Z0-9+.-]{{0,20}}(?::|\\u003[aA]|\\x3[aA]){_INSIDE})"'
_IMAGE: Final = re.compile(
    rf"\[{_GAP}{_ADDRESS}{_GAP},{_GAP}(\d{{1,6}}){_GAP},{_GAP}(\d{{1,6}}){_GAP}"
    rf'(?:,[^\[\]{{}}"]{{0,80}})?\]',
    re.DOTALL,
)
_BETWEEN: Final = re.compile(rf"{_GAP},{_GAP}")
_ID_BEFORE: Final = re.compile(rf'"([\w\-=:.]{{3,120}})"{_GAP},{_GAP}\Z')
_DETAILS: Final = re.compile(r'"2003"\s{0,9}:\s{0,9}\[')
_SCALAR: Final = re.compile(
    rf"{_GAP}(?:{_STRING}|null|true|false|-?\d[\d.]{{0,20}}){_GAP}(?:,|(?=\]))", re.DOTALL
)
_PAGE_AND_TITLE: Final = re.compile(rf'"(https?:{_INSIDE})"{_GAP},{_GAP}{_STRING}', re.DOTALL)
_FLAT_OBJECT: Final = re.compile(
    r'\{[^"{}\\]*(?:"[^"\\]*(?:\\.[^"\\]*){0,500}"[^"{}\\]*){1,400}\}', re.DOTALL
)
_AS_MARKUP: Final = re.compile(r"\[&(?:quot|#34);[a-z]{4,5}:|&(?:quot|#34);ou&(?:quot|#34);")
_MEMBER: Final = re.compile(rf'"(\w{{1,4}})"{_GAP}:{_GAP}(?:{_STRING}|(\d{{1,6}}))', re.DOTALL)
_LINK: Final = re.compile(r"/imgres\?([^\"'\s<>\\]{10,9000})")
_LINK_KEYS: Final = "imgurl|imgrefurl|docid|tbnid|tbnw|tbnh|vet|ved|hl|sa|source|itg|w|h|q|s|client"
_LINK_SPLIT: Final = re.compile(rf"&(?:amp;)?|;(?=(?:{_LINK_KEYS})=)")
_SEMICOLON_SPLIT: Final = re.compile(r";(?=\w{1,12}=)")  # if nothing else separates
_DEFERRED: Final = re.compile(rf'"([\w:-]{{1,80}})"{_GAP}:{_GAP}"(https?:{_INSIDE})"')
_ONCE_MORE: Final = re.compile(r"\\(?:\"|x22|u0022|x5b|u005b)|imgurl\\(?:u003d|x3d)")
_THUMB_HOST: Final = re.compile(r"(?:encrypted-tbn\d*\.)|(?:(?:^|\.)gstatic\.com\Z)")
_THUMB_QUERY: Final = re.compile(r"[?&]q=tbn(?::|%3A)", re.IGNORECASE)
_LONE_BYTE: Final = re.compile(r"[\udc80-\udcff]")


class GoogleRecord(ImageResult, frozen=True, kw_only=True):
    """One result as the page states it; `url` is None if only a thumbnail is known."""

    id: str = ""


def is_thumbnail(url: str) -> bool:
    """Return whether a URL cannot be an original: data: URIs, Google's thumbnail servers."""
    if url[:5].lower() == "data:":
        return True
    if _THUMB_QUERY.search(url):
        return True
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return _THUMB_HOST.search(host) is not None


def is_web_url(url: str) -> bool:
    """Return whether it is an absolute http(s) URL."""
    return not url.startswith("//") and web_url(url) is not None


def records_in(text: str) -> list[GoogleRecord]:
    """Return all records in a script, page or response body, in order, each once.

    Reads through up to `MAX_LEVELS` layers of string escaping. Never raises.
    """
    found: dict[tuple[str | None, str], GoogleRecord] = {}
    for level in _levels(text):
        for record in (*_pairs(level), *_flat_objects(level), *_links(level)):
            key = (record.url, record.id if record.url is None else "")
            known = found.get(key)
            found[key] = record if known is None else merged(known, record)
    return list(found.values())


def merged(first: GoogleRecord, second: GoogleRecord) -> GoogleRecord:
    """Return `first` with its gaps filled from `second`."""
    sizes = first if first.width and first.height else second
    return GoogleRecord(
        url=first.url or second.url,
        id=first.id or second.id,
        thumb_url=first.thumb_url or second.thumb_url,
        page_url=first.page_url or second.page_url,
        title=first.title or second.title,
        width=sizes.width,
        height=sizes.height,
    )


def deferred_thumbnails(text: str) -> dict[str, str]:
    """Map element ids to thumbnail URLs, as in `google.ldi={"dimg_17":"https://.."}`."""
    pairs: dict[str, str] = {}
    for match in _DEFERRED.finditer(text[:MAX_TEXT_CHARS]):
        url = js_unescape(match[2])
        if is_thumbnail(url):
            pairs[match[1]] = url
    return pairs


def link_record(href: str) -> GoogleRecord | None:
    """Return the record in a link `/imgres?imgurl=..`; None without a usable imgurl.

    Values are percent-decoded once; `&`, `&amp;` and `;` separate them (all three were seen).
    """
    _, mark, query = href.partition("/imgres?")
    if not mark:
        return None
    values: dict[str, str] = {}
    query = query.partition("#")[0]
    split = _LINK_SPLIT if "&" in query else _SEMICOLON_SPLIT
    for part in split.split(query):
        key, _, value = part.partition("=")
        values.setdefault(key, _unquote(value))
    url = values.get("imgurl", "")
    if not is_web_url(url) or is_thumbnail(url):
        return None
    page = values.get("imgrefurl", "")
    return GoogleRecord(
        url=url,
        id=values.get("tbnid") or values.get("docid") or "",
        page_url=page if is_web_url(page) else None,
        width=pixels(values.get("w", "")),
        height=pixels(values.get("h", "")),
    )


def _unquote(value: str) -> str:
    # Keep bytes that are not UTF-8 percent-encoded, so that the URL leads to the same file.
    decoded = unquote(value, errors="surrogateescape")
    return _LONE_BYTE.sub(lambda match: f"%{ord(match[0]) - 0xDC00:02X}", decoded)


def _levels(text: str) -> Iterator[str]:
    text = text[:MAX_TEXT_CHARS]
    yield from _unescaped(text)
    if _AS_MARKUP.search(text):  # in an attribute, or the text of an element
        yield from _unescaped(html.unescape(text))


def _unescaped(text: str) -> Iterator[str]:
    for _ in range(MAX_LEVELS):
        yield text
        if _ONCE_MORE.search(text) is None:
            return
        if text.count("\\") > MAX_ESCAPES:
            text = text[: len(text) * MAX_ESCAPES // text.count("\\")]
        text = js_unescape(text)


def _pairs(text: str) -> Iterator[GoogleRecord]:
    images = list(_IMAGE.finditer(text))
    index = 0
    while index + 1 < len(images):
        thumb, original = images[index], images[index + 1]
        if not _BETWEEN.fullmatch(text, thumb.end(), original.start()):
            index += 1
            continue
        after = images[index + 2].start() if index + 2 < len(images) else len(text)
        record = _pair(text, thumb, original, after)
        if record is None:
            index += 1
        else:
            yield record
            index += 2


def _pair(
    text: str, thumb: re.Match[str], original: re.Match[str], after: int
) -> GoogleRecord | None:
    thumb_url, url = js_unescape(thumb[1]), js_unescape(original[1])
    sizes = original
    if is_thumbnail(url) and not is_thumbnail(thumb_url):
        thumb_url, url, sizes = url, thumb_url, thumb
    if not is_web_url(url):
        return None
    before = _ID_BEFORE.search(text, max(0, thumb.start() - 160), thumb.start())
    end = min(after, original.end() + MAX_TAIL_CHARS)
    page_url, title = _page_and_title(text, original.end(), end)
    record = GoogleRecord(
        url=url,
        id=before[1] if before else "",
        thumb_url=thumb_url if is_web_url(thumb_url) else None,
        page_url=page_url,
        title=title,
        width=pixels(sizes[3]),
        height=pixels(sizes[2]),
    )
    if not is_thumbnail(url):
        return record
    return replace(record, url=None, thumb_url=url, width=None, height=None)


def _page_and_title(text: str, start: int, end: int) -> tuple[str | None, str | None]:
    details = _DETAILS.search(text, start, end)
    if details is not None:
        scalars = _scalars(text, details.end(), end, 4)
        page = scalars[2] if len(scalars) > 2 else ""
        if is_web_url(page):
            return page, plain_text(scalars[3] if len(scalars) > 3 else "")
    for match in _PAGE_AND_TITLE.finditer(text, start, end):
        page = js_unescape(match[1])
        if is_web_url(page) and not is_thumbnail(page):
            title = js_unescape(match[2])
            return page, None if is_web_url(title) else plain_text(title)
    return None, None


def _scalars(text: str, start: int, end: int, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        match = _SCALAR.match(text, start, end)
        if match is None:
            break
        found.append(js_unescape(match[1] or ""))
        start = match.end()
    return found


def _flat_objects(text: str) -> Iterator[GoogleRecord]:
    if '"ou"' not in text:
        return
    for match in _FLAT_OBJECT.finditer(text):
        if '"ou"' not in match[0]:
            continue
        members = {key: js_unescape(value or number) for key, value, number in
                   _MEMBER.findall(match[0])}  # fmt: skip
        url, page = members.get("ou", ""), members.get("ru", "")
        if is_web_url(url) and not is_thumbnail(url):
            yield GoogleRecord(
                url=url,
                id=members.get("id", ""),
                thumb_url=members.get("tu") or None,
                page_url=page if is_web_url(page) else None,
                title=plain_text(members.get("pt", "")),
                width=pixels(members.get("ow", "")),
                height=pixels(members.get("oh", "")),
            )


def _links(text: str) -> Iterator[GoogleRecord]:
    for match in _LINK.finditer(text):
        record = link_record("/imgres?" + match[1])
        if record is not None:
            yield record
