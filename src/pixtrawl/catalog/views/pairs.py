"""The kept images with what a class check needs of each: label, host, file, a person's mark."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from typing import overload

import msgspec
from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, SampleState
from pixtrawl.catalog.views.table import marked_ids
from pixtrawl.model import Reason

__all__ = [
    "CheckedImage", "CheckedImages", "LabelledImages", "Marked", "ids_of_names", "images",
    "labelled", "marked",
]  # fmt: skip


class CheckedImage(Struct, frozen=True):
    """One kept image."""

    id: int
    label: str
    file_name: str
    host: str


class CheckedImages(Sequence[CheckedImage]):
    """Images in some 40 bytes each: as objects 100,000 of them are 16 MB."""

    def __init__(self, rows: Iterable[tuple[int, str, str, str]]) -> None:
        """Take id, label, file name and host of each image."""
        self._ids, self._ends = array("I"), array("Q")
        self._labels, self._hosts = array("I"), array("I")  # places in the words
        self._files = bytearray()
        places: dict[str, int] = {}
        for id_, label, file_name, host in rows:
            self._ids.append(id_)
            self._labels.append(places.setdefault(label, len(places)))
            self._hosts.append(places.setdefault(host, len(places)))
            self._files += file_name.encode("utf-8", "surrogateescape")
            self._ends.append(len(self._files))
        self._words = tuple(places)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, at: int) -> CheckedImage: ...
    @overload
    def __getitem__(self, at: slice) -> list[CheckedImage]: ...
    def __getitem__(self, at: int | slice) -> CheckedImage | list[CheckedImage]:
        """Return the image at a place, or those of a part."""
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        name = self._files[self._ends[at - 1] if at else 0 : self._ends[at]]
        return CheckedImage(
            self._ids[at], self._words[self._labels[at]],
            name.decode("utf-8", "surrogateescape"), self._words[self._hosts[at]],
        )  # fmt: skip


class LabelledImages(Struct, frozen=True):
    """Images by number: 12 bytes each, which may be held."""

    ids: array[int]
    numbers: array[int]
    labels: array[int]  # each a position in `names`
    names: tuple[str, ...]  # ascending


class Marked(Struct, frozen=True):
    """An image that a person kept or refused, with the label under which it is or was."""

    id: int
    label: str
    wanted: bool


def images(db: sqlite3.Connection, label: str | None = None) -> CheckedImages:
    """Return the kept images (of one label, if given) by label and number."""
    rows = db.execute(
        "SELECT s.id, s.label, s.file_name, c.host FROM sample s "
        f"JOIN candidate c ON c.id = s.candidate_id WHERE s.state IN {KEPT} "
        "AND (?1 IS NULL OR s.label = ?1) ORDER BY s.label, s.number",
        (label,),
    )
    return CheckedImages(rows)


def labelled(db: sqlite3.Connection) -> LabelledImages:
    """Return the kept images by number, from an index alone."""
    ids, numbers, labels = db.execute(
        "SELECT json_group_array(id), json_group_array(number), json_group_array(label) FROM ("
        "SELECT id, number, label FROM sample INDEXED BY sample_kept "
        f"WHERE state IN {KEPT} ORDER BY number, id)"
    ).fetchone()
    words = msgspec.json.decode(labels, type=list[str])
    names = sorted(set(words))
    places = {name: at for at, name in enumerate(names)}
    return LabelledImages(
        array("I", msgspec.json.decode(ids, type=list[int])),
        array("I", msgspec.json.decode(numbers, type=list[int])),
        array("I", map(places.__getitem__, words)), tuple(names),
    )  # fmt: skip


def ids_of_names(db: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the rows of kept images by their file names."""
    rows = db.execute(
        f"SELECT file_name, id FROM sample INDEXED BY sample_kept WHERE state IN {KEPT} "
        "AND file_name IN (SELECT value FROM json_each(?))",
        (json.dumps(list(names)),),
    )
    return dict(rows.fetchall())


def marked(db: sqlite3.Connection) -> list[Marked]:
    """Return the images that a person kept or refused, by id."""
    wanted = marked_ids(db)
    rows = db.execute(
        "SELECT s.id, s.label, s.state FROM sample s JOIN refused r ON r.sample_id = s.id "
        f"WHERE s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = ? UNION "
        f"SELECT s.id, s.label, s.state FROM sample s WHERE s.state IN {KEPT} AND s.id IN "
        "(SELECT value FROM json_each(?))",
        (Reason.REFUSED_BY_PERSON.value, str(sorted(wanted))),
    )
    return [Marked(id_, label, state != SampleState.WITHDRAWN) for id_, label, state in rows]
