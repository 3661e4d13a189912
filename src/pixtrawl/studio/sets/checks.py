"""The class check in the studio: what it found, and views of likely wrong labels and outliers.

A check compares every image with every other one, so it is made once and kept until the person asks
for another; images that were decided about meanwhile leave its views by themselves.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct, field
from msgspec.structs import asdict

from pixtrawl.catalog.views import pairs as look_pairs, rows as look_rows
from pixtrawl.catalog.views.table import marked_ids
from pixtrawl.scoring.classes.check import Audit, Doubt
from pixtrawl.studio.messages import LookItem, StudioError
from pixtrawl.studio.sets.long_work import LongWork, OnProgress
from pixtrawl.studio.sets.open_set import PATIENCE_S, OpenSet
from pixtrawl.studio.sets.tiles import sample_item

if TYPE_CHECKING:
    from pixtrawl.scoring.likeness.spaces import Space

__all__ = ["check_answer", "doubted", "doubts_of", "least_typical", "stop_check"]

_FIRST: Final = 24  # doubts with their tiles; a view has all
_MOST_PAIRS: Final = 50
_NEARLY: Final = 0.99  # of work that has not ended


class CheckedSet(Struct, frozen=True):
    """A class check with the rows of the images that it names."""

    audit: Audit
    ids: Mapping[str, int]  # by file name, as it was at the time of the check
    doubts: Mapping[int, Doubt] = field(default_factory=dict)


class TypicalImages(Struct, frozen=True):
    """How typical images are of their label; 8 bytes each, which may be held."""

    ids: Any  # ascending
    values: Any
    by: str

    def ordered(self, ids: array[int]) -> array[int]:
        """Return images, those least like the others of their label first.

        Last are those that were not known when it was looked at, and single ones of a label.
        """
        asked = np.asarray(ids)
        if not len(self.ids):
            return ids
        at = np.minimum(np.searchsorted(self.ids, asked), len(self.ids) - 1)
        values = np.where(self.ids[at] == asked, self.values[at], 2.0)
        return array("I", asked[np.argsort(values, kind="stable")].astype(np.uint32).tobytes())


def _work(data_set: OpenSet) -> LongWork[CheckedSet]:
    work = data_set.long_work("check")
    work.want(True, lambda on_progress: data_set.read_apart(lambda db: _check(db, on_progress)))
    return work


def _check(db: sqlite3.Connection, on_progress: OnProgress) -> CheckedSet:
    from pixtrawl.scoring.classes.auditing import audit_of

    found = audit_of(db, on_progress=on_progress)
    named = {one.file_name for one in found.doubts}
    named.update(name for one in found.overlaps for name in one.files)
    named.update(name for one in found.biases for name in one.files)
    ids = look_pairs.ids_of_names(db, named)
    doubts = {ids[one.file_name]: one for one in found.doubts if one.file_name in ids}
    return CheckedSet(found, ids, doubts)


def check_answer(data_set: OpenSet, *, again: bool = False) -> dict[str, Any]:
    """Return the class check with tiles of the images that it names, or how far it is.

    Raise StudioError 503 where it cannot be made.
    """
    if again:
        for name in ("check", "typical"):
            data_set.long_work(name).forget()
        data_set.touch()
    work = _work(data_set)
    checked = work.wait(PATIENCE_S)
    if work.problem:
        raise StudioError(503, f"the check could not be made: {work.problem}")
    if checked is None:
        return {"state": "working", "done": round(work.done, 3)}
    audit = checked.audit
    first = audit.doubts[:_FIRST]
    overlaps = audit.overlaps[:_MOST_PAIRS]
    named = [one.file_name for one in first]
    named += [name for one in overlaps for name in one.files]
    named += [name for one in audit.biases for name in one.files]
    tiles = _tiles(data_set, checked, named)

    def shown(files: Sequence[str]) -> list[LookItem]:
        return [tiles[name] for name in files if name in tiles]

    return {
        "state": "ready", "done": 1.0,
        "by": audit.by, "model": audit.model, "images": audit.images,
        "doubts": {
            "total": len(audit.doubts),
            "first": [
                {"item": tiles[one.file_name], "like": one.like, "score": round(one.score, 3)}
                for one in first if one.file_name in tiles
            ],
        },
        "overlaps": [
            {"labels": one.labels, "share": one.share, "items": shown(one.files)}
            for one in overlaps
        ],
        "biases": [
            {**asdict(one), "files": (), "items": shown(one.files)} for one in audit.biases
        ],
        "small": [asdict(one) for one in audit.small],
        "revision": data_set.watch(),
    }  # fmt: skip


def stop_check(data_set: OpenSet) -> dict[str, Any]:
    """End the class check at work; it begins anew when it is wanted next."""
    work = data_set.long_work("check")
    work.stop()
    return {"state": "stopped", "done": round(work.done, 3)}


def _tiles(data_set: OpenSet, checked: CheckedSet, names: Sequence[str]) -> dict[str, LookItem]:
    marked = data_set.remembered("marked", marked_ids)
    wanted = {checked.ids[name]: name for name in names if name in checked.ids}
    rows = data_set.read(lambda db: look_rows.sample_rows_of(db, list(wanted)))
    return {wanted[row.id]: sample_item(row, row.id in marked) for row in rows}


def doubts_of(data_set: OpenSet) -> Mapping[int, Doubt]:
    """Return the images whose label is likely wrong, the surest first, by row."""
    checked = _work(data_set).result
    return checked.doubts if checked is not None else {}


def doubted(data_set: OpenSet, ids: Sequence[int]) -> tuple[array[int], str, float]:
    """Return those of the images whose label is likely wrong, the surest first, by what, and the
    share of the check that is done: before its end it knows none.
    """
    work = _work(data_set)
    checked = work.wait(PATIENCE_S)
    if work.problem:
        raise StudioError(503, f"the check could not be made: {work.problem}")
    if checked is None:
        return array("I"), "", min(work.done, _NEARLY)
    there = set(ids)
    return array("I", (one for one in checked.doubts if one in there)), checked.audit.by, 1.0


def least_typical(data_set: OpenSet, ids: array[int]) -> tuple[array[int], str, float]:
    """Return the images, those least like the others of their label first, by what, and the share
    of the comparison that is done: before its end they are by number.
    """
    work = data_set.long_work("typical")
    work.want(True, lambda on_progress: data_set.read_apart(lambda db: _typical(db, on_progress)))
    found = work.wait(PATIENCE_S)
    if work.problem:
        raise StudioError(503, f"the images could not be compared: {work.problem}")
    if found is None:
        return ids, "", min(work.done, _NEARLY)
    return found.ordered(ids), found.by, 1.0


def _typical(db: sqlite3.Connection, on_progress: OnProgress) -> TypicalImages:
    from pixtrawl.scoring.likeness.spaces import Space, space_of

    known = look_pairs.labelled(db)
    by_label: dict[int, array[int]] = {}
    for one, label in zip(known.ids, known.labels, strict=True):
        by_label.setdefault(label, array("I")).append(one)
    found = _typical_by(db, space_of(db), list(by_label.values()), on_progress)
    if 2 * len(found.ids) < len(known.ids):  # too few have an embedding
        found = _typical_by(db, Space("look"), list(by_label.values()), on_progress)
    return found


def _typical_by(
    db: sqlite3.Connection, space: Space, labels: Sequence[array[int]], on_progress: OnProgress
) -> TypicalImages:
    from pixtrawl.scoring.likeness.typical import typicality

    found, values = array("I"), array("f")
    for at, ids in enumerate(labels):
        on_progress(at / len(labels))
        there, vectors = space.comparable(db, ids)
        if len(there) > 1:
            found.extend(there)
            values.extend(typicality(vectors).tolist())
    order = np.argsort(np.asarray(found))
    return TypicalImages(np.asarray(found)[order], np.asarray(values)[order], space.by)
