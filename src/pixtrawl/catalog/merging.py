"""Merge findings of the same picture into one candidate that keeps all URLs, the best one first.

Two findings show the same picture when their URLs have the same canonical form, or when a search
engine gives them the same picture id. Several engines use Bing's index and have its ids (`OIP.`) in
their thumbnail URLs; Google has its own (`tbn:`). Other thumbnail URLs are not compared: a site may
use one placeholder for every picture.
"""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Final

from pixtrawl.catalog.schema.states import CandidateState
from pixtrawl.model import Candidate, Kind
from pixtrawl.urls import host_of, url_key

_ID: Final = re.compile(r"[?&](?:id=(OIP\.[\w-]{8,})|q=(tbn:[\w-]{8,}))")
_MAX_ALTERNATES: Final = 8

Known = tuple[int, str, str, str, int, int | None, int | None, str | None, int]


def picture_key(thumb_url: str | None) -> bytes | None:
    """Return a key of the picture id in a thumbnail URL; None where it has no such id."""
    if thumb_url is None:
        return None
    match = _ID.search(thumb_url, 0, 2000)
    return None if match is None else url_key(match[1] or match[2])


def merge(db: sqlite3.Connection, known: Known, candidate: Candidate) -> bool:
    """Merge a finding into a known candidate: add its provenance, and its URL as an alternate.

    Return whether this opened the candidate: a settled thumbnail that now has a better URL.
    """
    row_id, url, kind, source, rank, width, height, alternates, state = known
    if (source, rank, url) == (candidate.source, candidate.rank, candidate.url):
        _renew_extra(db, row_id, candidate)
        return False
    _note_provenance(db, row_id, url, candidate)
    opens = (
        kind == Kind.THUMBNAIL
        and state >= CandidateState.SETTLED
        and candidate.kind is not Kind.THUMBNAIL
    )
    if state >= CandidateState.SETTLED and not opens:
        return False
    ways = _ways(url, kind, alternates, candidate)
    if _better(candidate, Kind(kind), (width or 0) * (height or 0)):
        first = [candidate.url, candidate.kind.value]
        rest = [way for way in ways if way[0] != candidate.url][:_MAX_ALTERNATES]
        db.execute(
            "UPDATE candidate SET url = ?, kind = ?, host = ?, width = ?, height = ?, "
            f"alternates = ?, state = {CandidateState.OPEN} WHERE id = ?",
            (*first, host_of(candidate.url), candidate.width, candidate.height,
             json.dumps(rest, ensure_ascii=False), row_id),
        )  # fmt: skip
    else:
        rest = [way for way in ways if way[0] != url][:_MAX_ALTERNATES]
        if rest:
            text = json.dumps(rest, ensure_ascii=False)
            db.execute("UPDATE candidate SET alternates = ? WHERE id = ?", (text, row_id))
    return opens


def _note_provenance(db: sqlite3.Connection, row_id: int, url: str, candidate: Candidate) -> None:
    c = candidate
    own_url = None if c.url == url else c.url
    db.execute(
        "INSERT INTO also_found (candidate_id, source, rank, url, page_url, title, license, "
        "license_url, creator, extra, alt, page_text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (row_id, c.source, c.rank, own_url, c.page_url, c.title, c.license, c.license_url,
         c.creator, c.extra or None, c.alt, c.page_text),
    )  # fmt: skip
    if c.alt or c.page_text or c.title:  # texts that the first finding lacks
        db.execute(
            "UPDATE candidate SET alt = coalesce(alt, ?), page_text = coalesce(page_text, ?), "
            "title = coalesce(title, ?) WHERE id = ?",
            (c.alt, c.page_text, c.title, row_id),
        )
    if c.page_said:
        db.execute(
            "UPDATE candidate SET page_said = ? WHERE id = ? AND page_said IS NULL",
            (c.page_said, row_id),
        )
    if c.extra:  # the picture was found elsewhere before, or in a list without own columns
        db.execute(
            "UPDATE candidate SET extra = ?, file_stem = coalesce(file_stem, ?) "
            "WHERE id = ? AND extra IS NULL",
            (c.extra, c.file_stem, row_id),
        )


def _renew_extra(db: sqlite3.Connection, row_id: int, c: Candidate) -> None:
    """Update the list's own columns, which may have changed since the line was last read."""
    if c.extra or c.file_stem:
        db.execute(
            "UPDATE candidate SET extra = ?1, file_stem = ?2 WHERE id = ?3 "
            "AND (extra IS NOT ?1 OR file_stem IS NOT ?2)",
            (c.extra or None, c.file_stem, row_id),
        )


def _ways(url: str, kind: str, alternates: str | None, candidate: Candidate) -> list[list[str]]:
    """Return [url, kind] of each URL once: originals, then cached copies, then thumbnails."""
    known = [[url, kind], *(json.loads(alternates) if alternates else [])]
    found = [[candidate.url, candidate.kind.value]]
    found += [[a.url, a.kind.value] for a in candidate.alternates]
    seen: set[bytes] = set()
    ways = []
    for way in known + found:
        key = url_key(way[0])
        if key not in seen:
            seen.add(key)
            ways.append(way)
    return sorted(ways, key=lambda way: Kind(way[1]).preference)


def _better(candidate: Candidate, kind: Kind, pixels: int) -> bool:
    """Return whether the candidate is better: original, cached, thumbnail; then the larger."""
    if candidate.kind is not kind:
        return candidate.kind.preference < kind.preference
    return (candidate.width or 0) * (candidate.height or 0) > pixels > 0
