"""Converts a row of a list, of any format, to candidates with all of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from pixtrawl.labels import Labels
from pixtrawl.manifests.columns import PLURAL, Chosen, GivenColumns, choose, is_url, plain_name
from pixtrawl.model import Alternate, Candidate, Kind

__all__ = ["FIELDS", "SOURCE", "TEXTS", "BadLine", "ListContext", "Rows", "clean"]

FIELDS: Final = (
    "query", "label", "url", "kind", "source", "rank", "page_url", "title", "width", "height",
    "thumb_url", "license", "license_url", "creator",
)  # fmt: skip

# Texts of an image's page: beside it, and what its owner says of use (JSON, `preferences`). A
# manifest has them where they are known.
TEXTS: Final = ("alt", "page_text", "page_said")

SOURCE: Final = "urls"  # of rows without a source

_OWN_MANIFEST: Final = frozenset({"query", "label", "url", "kind", "source", "rank"})
_TAKEN_AS_IT_IS: Final = (
    "query", "source", "page_url", "thumb_url", "license", "license_url", "creator",
)  # fmt: skip
_CARRIED: Final = ("page_url", "thumb_url", "license", "license_url", "creator")
_KINDS: Final = {kind.value: kind for kind in Kind}
_MAX_PIXELS: Final = 10**9
_MAX_URLS: Final = 100  # of one row
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NEXT_URL: Final = re.compile(r"(?:\s*[,;|]\s+|\s*\|\s*|\s+)(?=https?://)", re.IGNORECASE)
_NEXT_OF_MANY: Final = re.compile(r"\s*[,;|]\s*(?=https?://)|\s+(?=https?://)", re.IGNORECASE)


class BadLine(Struct, frozen=True):
    """A line that yields no candidate. `text` is its beginning.

    `query` and `label` are the defaults of this list.
    """

    file: str
    number: int  # from 1
    problem: str
    text: str = ""
    query: str = ""
    label: str = ""


class ListContext(Struct):
    """The context that the rows of one list share."""

    file: str
    stem: str  # query of rows without one
    labels: Labels
    label: str | None = None  # given by the user for every row
    given: GivenColumns = GivenColumns()
    notices: list[str] = msgspec.field(default_factory=list)  # for the user; emptied once shown

    def bad(self, number: int, problem: str, text: str = "") -> BadLine:
        text = clean(text[:200])
        return BadLine(self.file, number, problem, text, self.stem, self.label or self.stem)

    def candidate(self, url: str, query: str | None, place: int) -> Candidate:
        """Return a candidate for a bare URL; its place in the list becomes the rank."""
        return Candidate(
            url=url, query=query or self.stem, label=self.label_of(None, query), source=SOURCE,
            rank=place, kind=_kind(None, url),
        )  # fmt: skip

    def label_of(self, label: str | None, query: str | None) -> str:
        if self.label or label:
            return self.labels.share(self.label or label or "")
        return self.labels.assign([query])[0] if query else self.labels.share(self.stem)


class Rows:
    """Converts rows with these columns to candidates.

    Args:
        names: the names of the columns.
        sample: some of the first rows.
        reading: the context of the list.
        chosen: the columns, if known already.

    Raises:
        UsageError: a column given by the user is missing, or no URL column can be determined.
    """

    def __init__(
        self,
        names: Sequence[str],
        sample: Sequence[Mapping[str, Any]],
        reading: ListContext,
        chosen: Chosen | None = None,
    ) -> None:
        self.chosen = chosen or choose(names, sample, reading.given, reading.file)
        self._reading = reading
        if self.chosen.notice:
            reading.notices.append(self.chosen.notice)
        self._ours: dict[str, str] = {}
        for name in names:
            word = name.casefold()
            if word in {*FIELDS, *TEXTS, "alternates", "keyword"}:
                self._ours.setdefault(word, name)
        self._split = _NEXT_OF_MANY if plain_name(self.chosen.url) in PLURAL else _NEXT_URL
        self._is_ours = self._ours.keys() >= _OWN_MANIFEST
        # Only columns that are there are looked at: most lists have two of twenty.
        self._texts = tuple(
            (word, self._ours[word])
            for word in (*_CARRIED, *TEXTS)
            # `page_said` of our own manifests only: another list's column may mean anything.
            if word in self._ours and (word != "page_said" or self._is_ours)
        )
        self._sizes = tuple((w, self._ours[w]) for w in ("width", "height") if w in self._ours)
        self._rank = self._ours.get("rank")
        self._alternates = self._ours.get("alternates")
        self._hidden = self._never_own()

    def of(self, row: Mapping[str, Any], number: int) -> Iterator[Candidate | BadLine]:
        """Yield one candidate per URL of a row, or a BadLine; `number` is its place from 1."""
        urls = self._urls(row)
        if isinstance(urls, str):
            yield self._reading.bad(number, urls)
            return
        get = self._get
        query = get(row, "query") or get(row, "keyword")
        title = _text(row.get(self.chosen.caption)) if self.chosen.caption else None
        label_text = _text(row.get(self.chosen.label)) if self.chosen.label else None
        label = self._reading.label_of(label_text, query)
        stem = _text(row.get(self.chosen.id)) if self.chosen.id else None
        extra = self._extra(row, label)
        kind = row.get(self._ours.get("kind", ""))
        known: dict[str, Any] = {word: _text(row.get(name)) for word, name in self._texts}
        for word, name in self._sizes:
            known[word] = _number(row.get(name))
        if self._alternates is not None:
            known["alternates"] = _alternates(row.get(self._alternates))
        source = get(row, "source") or SOURCE
        rank = (_number(row.get(self._rank)) if self._rank is not None else None) or number
        for url in urls:
            yield Candidate(
                url=url, query=query or self._reading.stem, label=label, source=source, rank=rank,
                kind=_kind(kind, url), title=title, extra=extra, file_stem=stem, **known,
            )  # fmt: skip

    def _get(self, row: Mapping[str, Any], field: str) -> str | None:
        name = self._ours.get(field)
        return None if name is None else _text(row.get(name))

    def _urls(self, row: Mapping[str, Any]) -> list[str] | str:
        """Return the URLs of a row, or a message on why there are none."""
        if self.chosen.url not in row:
            return f"has no {self.chosen.url!r}"
        value = row[self.chosen.url]
        urls = self._of_cell(value)
        for name in self.chosen.more:
            urls += [
                part.strip()
                for url in self._of_cell(row.get(name))
                for part in _NEXT_OF_MANY.split(url)
                if is_url(part)
            ]
        if not urls:
            if self.chosen.certain and (value is None or isinstance(value, (str, int, float))):
                return [""]
            return f"its {self.chosen.url!r} is empty" if not value else "its 'url' is no text"
        return list(dict.fromkeys(urls))[:_MAX_URLS]

    def _of_cell(self, value: object) -> list[str]:
        if isinstance(value, Mapping):  # SPARQL results, a shop's image objects
            value = next((value[key] for key in ("url", "value", "src") if key in value), None)
        if isinstance(value, (list, tuple)):
            return [url for one in value[:_MAX_URLS] for url in self._of_cell(one)]
        if value is None or isinstance(value, bool):
            return []
        text = clean(str(value))
        if self.chosen.certain and self._split is _NEXT_URL:  # keep the text unchanged
            return [text] if text.strip() else []
        return [part.strip() for part in self._split.split(text) if part.strip(" ,;|")]

    def _never_own(self) -> frozenset[str]:
        """Return the columns that metadata.jsonl has already, with the same name and value."""
        if self._is_ours:
            return frozenset(self._ours.values())
        words = {*_TAKEN_AS_IT_IS, "keyword"}
        hidden = {self._ours[word] for word in words if word in self._ours}
        for name, word in ((self.chosen.url, "url"), (self.chosen.caption, "title")):
            if name is not None and name.casefold() == word:
                hidden.add(name)
        return frozenset(hidden)

    def _extra(self, row: Mapping[str, Any], label: str) -> str:
        own: dict[str, Any] = {}
        for name, value in row.items():
            if name in self._hidden:
                continue
            word = name.casefold()
            if word == "label" and name == self.chosen.label and _text(value) in {label, None}:
                continue
            if (word == "rank" and _number(value)) or (word == "kind" and value in _KINDS):
                continue
            own[name if name.isascii() else clean(name)] = (
                value if not isinstance(value, str) or value.isascii() else clean(value)
            )
        if not own:
            return ""
        try:
            return msgspec.json.encode(own, enc_hook=_plain).decode()
        except (UnicodeError, TypeError, ValueError, RecursionError):  # a nested surrogate
            texts = {name: clean(str(value)) for name, value in own.items()}
            return msgspec.json.encode(texts).decode()


def _plain(value: Any) -> Any:
    """Convert a scalar of another library, such as NumPy, to Python's type; else to text."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", 1) == 0 else str(value)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return clean(value).strip() or None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None if value != value else str(value)
    if isinstance(value, Mapping) and isinstance(value.get("value"), str):  # SPARQL results
        return clean(value["value"]).strip() or None
    return None


def _number(value: object) -> int | None:
    """Parse a positive integer written as 640, 640.0 or "640"; return None for anything else."""
    if value is None:
        return None
    if isinstance(value, str):
        digits = value.strip().removesuffix(".0")
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_PIXELS:
        return value
    return None


def _kind(value: object, url: str) -> Kind:
    known = _KINDS.get(value) if isinstance(value, str) else None
    return known or (Kind.DATA if url[:5].lower() == "data:" else Kind.ORIGINAL)


def _alternates(value: object) -> tuple[Alternate, ...]:
    if not isinstance(value, list):
        return ()
    found = []
    for one in value[:16]:
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            url = clean(one["url"])
            found.append(Alternate(url, _kind(one.get("kind"), url)))
    return tuple(found)


def clean(text: str) -> str:
    """Replace lone surrogates, which cannot be encoded as UTF-8, by U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
