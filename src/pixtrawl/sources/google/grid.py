"""Records and tiles of one result grid, joined into candidates as they become known. Pure.

A record (data of a script, response or link) and a tile (a shown result) are joined if they share
an id or a thumbnail, or if a click on the tile produced the record. Tiles that a virtualised grid
removes again are kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.model import Candidate, Kind, Query
from pixtrawl.sources.google.records import (
    GoogleRecord,
    is_thumbnail,
    is_web_url,
    link_record,
    merged,
)
from pixtrawl.sources.results import ImageResult, candidate_of, plain_text


class Tile(Struct):
    """One result as shown; `record` is set once its original is known."""

    key: str
    id: str = ""
    element: str = ""  # id of the img element, for maps of deferred thumbnails
    thumb_url: str | None = None
    inline: bool = False  # shows a picture that is written into the page
    known: bool = False  # certainly a result, not just any image
    page_url: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    rank: int = 0  # place among the tiles seen, from 1
    record: GoogleRecord | None = None


class Grid(Struct):
    """Everything that one query's page has shown so far."""

    query: Query
    source: str
    tiles: dict[str, Tile] = field(default_factory=dict)
    given: int = 0  # candidates returned
    last_rank: int = 0
    originals: int = 0  # of these, without thumbnails
    _records: dict[str, GoogleRecord] = field(default_factory=dict)  # by original URL, in order
    _by_id: dict[str, str] = field(default_factory=dict)  # id to original URL
    _by_thumb: dict[str, str] = field(default_factory=dict)
    _deferred: dict[str, str] = field(default_factory=dict)
    _sent: set[str] = field(default_factory=set)
    _ranks: set[int] = field(default_factory=set)
    _bare: dict[str, GoogleRecord] = field(
        default_factory=dict
    )  # thumbnail only, by id or thumbnail

    def add_records(self, records: Iterable[GoogleRecord]) -> None:
        """Add records read from texts; a second mention fills gaps of the first."""
        for record in records:
            if record.url is None:
                self._bare.setdefault(record.id or record.thumb_url or "", record)
                continue
            known = self._records.get(record.url)
            self._records[record.url] = record if known is None else merged(known, record)
            if record.id:
                self._by_id.setdefault(record.id, record.url)
            if record.thumb_url:
                self._by_thumb.setdefault(record.thumb_url, record.url)

    def add_deferred(self, pairs: Mapping[str, str]) -> None:
        """Add a map from element id to thumbnail URL."""
        self._deferred |= pairs

    def add_tiles(self, rows: Iterable[Any]) -> None:
        """Add rows of the page reader; skip rows with wrong types."""
        for row in rows:
            if not isinstance(row, dict) or not _text(row, "key"):
                continue
            key = _text(row, "key")
            old = self.tiles.pop(_text(row, "was"), None) if row.get("was") else None
            tile = self.tiles.get(key) or (
                replace(old, key=key) if old else Tile(key, rank=len(self.tiles) + 1)
            )
            self.tiles[key] = _seen(tile, row)
            link = link_record(_text(row, "link"))
            if link is not None:
                self._know(self.tiles[key], link)

    def add_links(self, rows: Iterable[Any]) -> None:
        """Add links that appeared, with their tile if it is known."""
        for row in rows:
            record = link_record(_text(row, "href")) if isinstance(row, dict) else None
            if record is None:
                continue
            tile = self.tiles.get(_text(row, "key"))
            if tile is None:
                self.add_records([record])
            else:
                self._know(tile, record)

    def add_clicked(self, key: str, url: str, page_url: str = "", title: str = "") -> bool:
        """Add the URL that a click on a tile requested; False if it is no original of it."""
        tile = self.tiles.get(key)
        if tile is None or not is_web_url(url) or is_thumbnail(url) or url == tile.thumb_url:
            return False
        # A request names the URL as the browser wrote it: percent-encoded, without its fragment.
        plain = _plain(url)
        if any(plain == _plain(known) for known in self._records):
            return False
        if any(url == other.thumb_url for other in self.tiles.values()):
            return False  # preloaded for a neighbour, or a thumbnail
        others = [other for other in self.tiles.values() if title and other.title == title]
        if others and tile not in others:
            if len(others) == 1 and others[0].record is None:  # the late answer to its click
                self.add_clicked(others[0].key, url, page_url, title)
            return False
        page = page_url if is_web_url(page_url) and page_url != url else None
        self._know(tile, GoogleRecord(url=url, page_url=page, title=title or None))
        return True

    @property
    def known_originals(self) -> int:
        """How many originals are known, handed out or not."""
        return len(self._records)

    def lacking(self) -> list[str]:
        """Return the keys of tiles without a known original, in page order."""
        self._join()
        return [tile.key for tile in self.tiles.values() if tile.record is None]

    def news(self) -> tuple[Candidate, ...]:
        """Return candidates not yet returned: tiles in page order, then the rest."""
        self._join()
        fresh: list[Candidate] = []
        for tile in self.tiles.values():
            if tile.record is not None:
                self._hand_out(tile.record, tile, fresh)
        # Records are in page order too: their number is a good rank until their tile is seen.
        for number, record in enumerate(list(self._records.values()), 1):
            self._hand_out(record, Tile("", rank=number), fresh)
        return tuple(sorted(fresh, key=lambda candidate: candidate.rank))

    def leftovers(self, pictures: Mapping[str, str]) -> tuple[Candidate, ...]:
        """Return thumbnails of tiles without an original; `pictures` are the inline ones."""
        fresh: list[Candidate] = []
        for tile in self.tiles.values():
            url = tile.thumb_url or pictures.get(tile.key, "")
            if tile.record is None and tile.known and url and url not in self._sent:
                self._sent.add(url)
                fresh += self._candidate(GoogleRecord(url=url), tile, Kind.THUMBNAIL)
        for record in self._bare.values():
            url = record.thumb_url or ""
            known = record.id in self._by_id or url in self._by_thumb or url in self._sent
            if url and not known:
                self._sent.add(url)
                fresh += self._candidate(replace(record, url=url), Tile(""), Kind.THUMBNAIL)
        return tuple(fresh)

    def _know(self, tile: Tile, record: GoogleRecord) -> None:
        self.add_records([record])
        if record.url is not None:
            tile.record = self._records[record.url]

    def _join(self) -> None:
        for tile in self.tiles.values():
            if tile.thumb_url is None and tile.element in self._deferred:
                tile.thumb_url = self._deferred[tile.element]
            url = self._by_id.get(tile.id) or self._by_thumb.get(tile.thumb_url or "")
            if tile.record is not None:
                url = tile.record.url
            if url:
                tile.record = self._records[url]

    def _hand_out(self, record: GoogleRecord, tile: Tile, fresh: list[Candidate]) -> None:
        if record.url is None or record.url in self._sent:
            return
        self._sent.add(record.url)
        self.originals += 1
        fresh += self._candidate(record, tile, Kind.ORIGINAL)

    def _candidate(self, record: GoogleRecord, tile: Tile, kind: Kind) -> list[Candidate]:
        sizes = (record.width, record.height)
        if not all(sizes):
            sizes = (tile.width, tile.height)
        if kind is Kind.THUMBNAIL:
            sizes = (None, None)  # the page states the size of the original
        rank = tile.rank or self.last_rank + 1
        while rank in self._ranks:
            rank += 1
        self._ranks.add(rank)
        self.last_rank = max(self.last_rank, rank)
        result = ImageResult(
            url=record.url,
            kind=kind,
            page_url=record.page_url or tile.page_url,
            title=record.title or tile.title,
            width=sizes[0],
            height=sizes[1],
            thumb_url=record.thumb_url or tile.thumb_url,
        )
        candidate = candidate_of(result, self.query, self.source, rank)
        if candidate is None:
            return []
        self.given += 1
        return [candidate]


def _seen(tile: Tile, row: Mapping[str, Any]) -> Tile:
    """Merge a new row into the tile; known values stay."""
    thumb, page = _text(row, "thumb"), _text(row, "page")
    width, height = _number(row, "width"), _number(row, "height")
    return Tile(
        key=tile.key,
        id=_text(row, "id") or tile.id,
        element=_text(row, "element") or tile.element,
        thumb_url=thumb if is_web_url(thumb) else tile.thumb_url,
        inline=row.get("inline") is True or tile.inline,
        known=row.get("known") is True or tile.known,
        page_url=page if is_web_url(page) else tile.page_url,
        title=plain_text(_text(row, "title")) or tile.title,
        width=width or tile.width,
        height=height or tile.height,
        rank=tile.rank,
        record=tile.record,
    )


def _plain(url: str) -> str:
    return unquote(url.partition("#")[0])


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _number(row: Mapping[str, Any], name: str) -> int | None:
    value = row.get(name)
    return int(value) if isinstance(value, int | float) and 0 < value < 1_000_000 else None
