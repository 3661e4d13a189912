"""Reads lists of URLs from JSON: an array, an object with an array, a map of labels to URLs.

`json.load` would hold a million objects in memory, so this streaming parser decodes one element at
a time from a sliding window over the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, Final, TextIO

from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.lines import decoded
from pixtrawl.manifests.columns import is_url, plain_name
from pixtrawl.manifests.rows import BadLine, ListContext, Rows, clean
from pixtrawl.model import Candidate

__all__ = ["RowsLocation", "find_rows", "read_document"]

_CHUNK_CHARS: Final = 1 << 18
_MAX_CHARS: Final = 96 * 2**20  # of one element
_SAMPLE: Final = 50
_MAX_DEPTH: Final = 4
_SPACE: Final = re.compile(r"[ \t\r\n]*")
# Usual names of image arrays, to separate them from arrays of licences, categories and the like.
_LIKELY: Final = frozenset(
    {"images", "photos", "pictures", "results", "items", "data", "rows", "records", "products",
     "bindings", "hits", "entries", "media"}
)  # fmt: skip


class RowsLocation(Struct, frozen=True):
    """The location and form of the rows in a document."""

    path: tuple[str, ...]  # keys down to the array, or to the map
    kind: str  # array | map | columns
    names: tuple[str, ...] = ()
    sample: tuple[Mapping[str, Any], ...] = ()
    url: str = ""  # kind `columns`: key of the array of URLs


class _Text:
    """A sliding window over a document that advances as values are decoded."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._buffer = ""
        self._at = 0
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """Return the next character after white space without consuming it; "" at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def take(self, char: str) -> None:
        """Consume this character. Raise ValueError if the next one differs."""
        if self.peek() != char:
            raise ValueError(f"{char!r} is missing")
        self._at += 1

    def value(self) -> Any:
        """Decode and consume the next value. Raise ValueError if it is no valid JSON."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            except RecursionError:
                raise ValueError("is nested too deeply") from None
            # A number may continue in the next chunk.
            if end < len(self._buffer) or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        held = len(self._buffer) - self._at
        if held > _MAX_CHARS:
            raise ValueError("an element is too long")
        # Reading as much again as is held keeps repeated decoding linear in total.
        chunk = self._stream.read(max(held, _CHUNK_CHARS))
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return bool(chunk)


def _elements(text: _Text) -> Iterator[Any]:
    text.take("[")
    while text.peek() != "]":
        yield text.value()
        if text.peek() != ",":
            break
        text.take(",")
        if text.peek() == "]":  # a trailing comma, which people write
            break
    text.take("]")


def _keys(text: _Text) -> Iterator[str]:
    """Yield the keys of an object; the caller must consume each value before the next key."""
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        if not isinstance(key, str):
            raise TypeError("a key is no text")
        text.take(":")
        yield key
        if text.peek() != ",":
            break
        text.take(",")
    text.take("}")


# -- where the rows are ------------------------------------------------------------------------


def find_rows(stream: TextIO, reading: ListContext) -> RowsLocation:
    """Find the rows in one pass over a document. Raise UsageError if it has no list of URLs."""
    found: list[RowsLocation] = []
    try:
        _look(_Text(stream), (), found)
    except (ValueError, TypeError) as error:
        if not found:
            raise UsageError(f"{reading.file}: is no JSON: {error}") from None
    place = _best(found)
    if place is None:
        raise UsageError(
            f"{reading.file}: no array in this JSON holds URLs (arrays of texts, or of objects)"
        )
    if place.kind == "array" and place.names:  # UsageError if a named column is missing
        Rows(place.names, place.sample, _quiet(reading))
    return place


def _quiet(reading: ListContext) -> ListContext:
    return ListContext(reading.file, reading.stem, reading.labels, reading.label, reading.given)


def _look(text: _Text, path: tuple[str, ...], found: list[RowsLocation]) -> None:
    char = text.peek()
    if char == "[":
        _array(text, path, found)
    elif char == "{" and len(path) < _MAX_DEPTH:
        before = len(found)
        values: dict[str, Any] = {}
        for key in _keys(text):
            if text.peek() in {"[", "{"}:
                _look(text, (*path, key), found)
            else:
                values[key] = text.value()
                if is_url(values[key]) and len(values) <= _SAMPLE:
                    found.append(RowsLocation((*path, key), "one", sample=({"url": values[key]},)))
        _as_whole(path, found, before)
    else:
        text.value()


def _array(text: _Text, path: tuple[str, ...], found: list[RowsLocation]) -> None:
    sample: list[Any] = []
    whole = False
    try:
        for element in _elements(text):
            if len(sample) < _SAMPLE:
                sample.append(element)
        whole = True
    finally:  # keep the elements before a syntax error
        rows = tuple(row for row in map(_row, sample) if row)
        if whole or rows:
            names = tuple(dict.fromkeys(name for row in rows for name in row))
            found.append(RowsLocation(path, "array", names, rows))


def _row(element: Any) -> dict[str, Any] | None:
    if isinstance(element, str):
        return {"": element}
    return element if isinstance(element, dict) else None


def _as_whole(path: tuple[str, ...], found: list[RowsLocation], before: int) -> None:
    """Merge the arrays of an object that form one list: labels with their URLs, or columns."""
    own = [place for place in found[before:] if len(place.path) == len(path) + 1]
    texts = [place for place in own if place.kind == "one" or place.names == ("",)]
    with_urls = [place for place in texts if _has_urls(place)]
    if not with_urls or len(own) != len(texts):
        return
    if path and any(place.kind == "one" for place in own):  # a link beside other facts
        return
    if len(with_urls) == len([p for p in texts if p.sample]):
        named = len(with_urls) == 1 and _is_likely(with_urls[0])
        if not named:
            found[before:] = [RowsLocation(path, "map", sample=with_urls[0].sample)]
    elif len(with_urls) == 1:
        found[before:] = [RowsLocation(path, "columns", url=with_urls[0].path[-1])]


def _is_likely(place: RowsLocation) -> bool:
    word = plain_name(place.path[-1]) if place.path else ""
    return word in _LIKELY or word in {"urls", "image_urls"}


def _has_urls(place: RowsLocation) -> bool:
    return any(is_url(value) for row in place.sample for value in row.values())


def _best(found: Sequence[RowsLocation]) -> RowsLocation | None:
    for place in found:
        if place.kind in {"map", "columns"}:
            return place
    arrays = [place for place in found if place.kind == "array" and _holds_a_url(place)]
    arrays.sort(key=lambda place: not _is_likely(place))
    if arrays:
        return arrays[0]
    # No URLs: take a top-level array anyway; each row then gets an outcome that reports it.
    return next((place for place in found if place.kind == "array" and not place.path), None)


def _holds_a_url(place: RowsLocation) -> bool:
    return any(_deep_url(value) for row in place.sample for value in row.values())


def _deep_url(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        return any(map(_deep_url, value.values() if isinstance(value, dict) else value[:5]))
    return is_url(value)


# -- reading them ------------------------------------------------------------------------------


def read_document(
    stream: BinaryIO, reading: ListContext, place: RowsLocation
) -> Iterator[Candidate | BadLine]:
    """Yield the candidates of a document with its rows at `place`; a BadLine for bad elements."""
    with decoded(stream) as content:
        text = _Text(content)
        number = 0
        try:
            for key in place.path:
                _go_to(text, key)
            if place.kind == "map":
                yield from _map(text, reading)
            elif place.kind == "columns":
                yield from _columns(text, reading, place.url)
            else:
                rows = Rows(place.names, place.sample, reading) if place.names else None
                for number, element in enumerate(_elements(text), 1):
                    yield from _of_element(element, number, rows, reading)
        except (ValueError, TypeError) as error:
            yield reading.bad(number + 1, f"the JSON breaks off after {number} elements: {error}")


def _go_to(text: _Text, wanted: str) -> None:
    for key in _keys(text):
        if key == wanted:
            return
        _skip(text)
    raise ValueError(f"{wanted!r} is missing")


def _skip(text: _Text) -> None:
    """Consume a value; an array of any length in constant memory."""
    if text.peek() == "[":
        for _ in _elements(text):
            pass
    else:
        text.value()


def _of_element(
    element: Any, number: int, rows: Rows | None, reading: ListContext
) -> Iterator[Candidate | BadLine]:
    if isinstance(element, str):
        yield reading.candidate(clean(element), None, number)
    elif isinstance(element, dict) and rows is not None:
        yield from rows.of(element, number)
    else:
        yield reading.bad(number, "is neither a text nor an object", str(element)[:200])


def _map(text: _Text, reading: ListContext) -> Iterator[Candidate | BadLine]:
    """Yield the candidates of an object that maps queries to one URL or a list."""
    for key in _keys(text):
        query = clean(key).strip() or reading.stem
        if text.peek() != "[":
            value = text.value()
            yield reading.candidate(clean(str(value)) if value else "", query, 1)
            continue
        for place, element in enumerate(_elements(text), 1):
            yield reading.candidate(clean(str(element)) if element else "", query, place)


def _columns(text: _Text, reading: ListContext, url: str) -> Iterator[Candidate | BadLine]:
    """Yield the candidates of parallel arrays (SBU captions); all are held in memory."""
    arrays: dict[str, list[Any]] = {}
    for key in _keys(text):
        value = text.value()
        if isinstance(value, list):
            arrays[key] = value
    longest = len(arrays[url])
    columns = {key: values for key, values in arrays.items() if len(values) == longest}
    names = [("url" if name == url else name.removesuffix("s")) for name in columns]
    with suppress(IndexError):
        sample = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        made = Rows(names, sample[:_SAMPLE], reading)
        for number, row in enumerate(sample, 1):
            yield from made.of(row, number)
