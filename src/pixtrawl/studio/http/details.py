"""Answers about single images and about the whole: details, groups, charts, the quarantine."""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from pixtrawl.catalog import samples
from pixtrawl.catalog.provenance import provenance_of
from pixtrawl.catalog.views import (
    counts as look_counts,
    groups as look_groups,
    progress as look_progress,
    rows as look_rows,
)
from pixtrawl.catalog.views.rows import LookRow
from pixtrawl.catalog.views.table import LookTable, marked_ids
from pixtrawl.folder import quarantine
from pixtrawl.folder.dataset_folder import in_use
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.model import REASONS, Reason
from pixtrawl.studio.messages import EmptyRequest, LookItem, StudioError
from pixtrawl.studio.sets.captions import captions_of
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.sets.tiles import candidate_item, sample_item
from pixtrawl.studio.sets.views import StudioView, parse_ref

__all__ = ["charts", "detail", "empty_quarantine", "groups", "progress"]

T = TypeVar("T")

_MOST_BARS: Final = 30


def detail(data_set: OpenSet, ref: str) -> Mapping[str, Any]:
    """Return everything known of an image or a candidate. Raise StudioError 404."""
    kind, row_id = parse_ref(ref)
    if kind == "c":
        return data_set.read(lambda db: _of_candidate(db, row_id))
    return data_set.read(lambda db: _of_image(db, data_set, row_id))


def _of_image(db: sqlite3.Connection, data_set: OpenSet, row_id: int) -> Mapping[str, Any]:
    rows = look_rows.sample_rows_of(db, [row_id])
    if not rows:
        raise StudioError(404, "no such image")
    row = rows[0]
    root = data_set.folder.root
    known = samples.some(db, root, [row_id], samples.columns_of(db), None)
    metadata = metadata_row(known[0]) if known else {}
    members = look_groups.members(db, [row_id])
    return {
        "item": sample_item(row, row_id in data_set.remembered("marked", marked_ids)),
        "metadata": metadata,
        "provenance": provenance_of(db, row_id),
        "copies": [
            {"id": _ref(one), "reason": one.reason, "distance": one.distance, "url": one.url}
            for one in members
        ],
        "history": _history(db, row.sha256),
        "caption": _caption(db, data_set, row),
    }


def _of_candidate(db: sqlite3.Connection, row_id: int) -> Mapping[str, Any]:
    rows = look_rows.candidate_rows(db, [row_id])
    if not rows:
        raise StudioError(404, "no such candidate")
    item = candidate_item(rows[0])
    facts = look_rows.candidates_by_id(db, [row_id])
    sentence = REASONS[Reason(rows[0].reason)].sentence if rows[0].reason else ""
    return {
        "item": item,
        "metadata": {"url": facts[0].url if facts else ""},
        "provenance": look_rows.found_at(db, row_id),
        "copies": [],
        "history": _history(db, rows[0].sha256) if rows[0].sha256 else [],
        "caption": {"text": "", "origin": ""},
        "sentence": sentence,
    }


def _history(db: sqlite3.Connection, sha256: str) -> list[dict[str, Any]]:
    shown = ("at", "who", "action", "reason", "label", "file_name")
    found = []
    for line, holds in look_counts.history(db, sha256):
        record: dict[str, Any] = msgspec.json.decode(line)
        found.append({**{one: record.get(one, "") for one in shown}, "holds": holds})
    return found


def _caption(db: sqlite3.Connection, data_set: OpenSet, row: LookRow) -> dict[str, str]:
    found = captions_of(db, data_set.folder.root, [row.id]).get(row.file_name)
    return {"text": found.text, "origin": found.origin} if found else {"text": "", "origin": ""}


def _ref(member: look_groups.GroupMember) -> str:
    return f"c{member.candidate_id}" if member.sample_id is None else f"s{member.sample_id}"


def groups(data_set: OpenSet, view: StudioView, start: int, count: int) -> list[dict[str, Any]]:
    """Return groups of like images: the kept one, the others, and their distances in bits."""
    if view.kind not in {"groups", "conflicts"}:
        raise StudioError(400, "this is no view of groups")
    ids = list(view.ids[start : start + count])
    marked = data_set.remembered("marked", marked_ids)
    return data_set.read(lambda db: _groups(db, ids, marked))


def _groups(db: sqlite3.Connection, ids: list[int], marked: frozenset[int]) -> list[dict[str, Any]]:
    members = defaultdict(list)
    for one in look_groups.members(db, ids):
        members[one.of].append(one)
    every = [one for found in members.values() for one in found]
    tiles: dict[str, LookItem] = {}
    wanted = [*ids, *(one.sample_id for one in every if one.sample_id is not None)]
    for row in look_rows.sample_rows_of(db, wanted):
        tiles[f"s{row.id}"] = sample_item(row, row.id in marked)
    dropped = [one.candidate_id for one in every if one.candidate_id is not None]
    for row in look_rows.candidate_rows(db, dropped):
        tiles[f"c{row.id}"] = candidate_item(row)
    return [
        {
            "kept": tiles[f"s{one}"],
            "others": [tiles[_ref(other)] for other in members[one] if _ref(other) in tiles],
            "distance": [other.distance for other in members[one] if _ref(other) in tiles],
        }
        for one in ids
        if f"s{one}" in tiles
    ]


def charts(data_set: OpenSet) -> Mapping[str, Any]:
    """Return the bars of all charts, each with the filter that shows its images."""
    return data_set.remembered("charts", lambda db: _charts(db, data_set))


def _charts(db: sqlite3.Connection, data_set: OpenSet) -> Mapping[str, Any]:
    def bars(rows: list[tuple[str, int]], field: str) -> list[dict[str, Any]]:
        return [{"name": name, "n": n, "filter": {field: [name]}} for name, n in rows]

    def whole(function: Callable[[LookTable], T]) -> T:
        return data_set.look(function, patience_s=math.inf)[0]

    def ranges(name: str, edges: tuple[float, ...]) -> list[dict[str, Any]]:
        found = whole(lambda table: table.histogram(name, edges))
        return [
            {"lo": lo, "hi": hi, "n": n, "filter": {"ranges": {name: [lo, hi]}}}
            for lo, hi, n in found
        ]

    return {
        "sizes": ranges("width", (1, 256, 512, 768, 1024, 1536, 2048, 3072, 4096)),
        "shapes": ranges("aspect", (0.0, 0.5, 0.7, 0.95, 1.05, 1.4, 1.6, 2.0)),
        "licences": bars(look_counts.licence_counts(db), "licences"),
        "hosts": bars(look_counts.host_counts(db, _MOST_BARS), "hosts"),
        "sources_over_time": whole(lambda table: table.sources_over_time()),
        "reasons": [
            {"name": name, "n": n, "kind": "not_kept", "filter": {"reasons": [name]}}
            for name, n in look_counts.reason_counts(db)
        ],
        "balance": bars(look_counts.label_counts(db), "labels"),
    }


def progress(data_set: OpenSet) -> Mapping[str, Any]:
    """Return what became of the candidates of each query, also where no run is at work."""
    return {"queries": data_set.remembered("progress", look_progress.rows)}


def empty_quarantine(data_set: OpenSet, request: EmptyRequest) -> Mapping[str, Any]:
    """Delete the files kept aside. Raise StudioError 409 where their size is not as expected."""
    with data_set.settling.deciding():
        if in_use(data_set.folder):
            raise StudioError(409, "a run is at work on the data set; wait for its end")
        size_bytes = quarantine.size_bytes(data_set.folder)
        if size_bytes != request.expect_bytes:
            raise StudioError(
                409, f"{size_bytes:,} bytes are kept aside, not {request.expect_bytes:,}",
                would_free=size_bytes,
            )  # fmt: skip
        freed = quarantine.empty(data_set.folder)
    data_set.touch()
    return {"freed_bytes": freed, "revision": data_set.revision}
