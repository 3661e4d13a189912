"""The images that are in the data set, as files: names, labels, sizes and digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, SampleState
from pixtrawl.model import Reason

__all__ = [
    "Conflict",
    "FileToCheck",
    "KeptFile",
    "SeveralLabels",
    "are_at_least",
    "by_id",
    "conflicts",
    "counts_by_state",
    "digests",
    "labels",
    "mean_size_bytes",
    "named",
    "named_or_of_label",
    "places",
    "sha256_of",
    "under_several_labels",
]

_COLUMNS = "id, label, file_name, lower(hex(sha256))"


class KeptFile(Struct, frozen=True):
    """One image; `sha256` is hexadecimal."""

    sample_id: int
    label: str
    file_name: str
    sha256: str


class FileToCheck(Struct, frozen=True):
    """One image, with the columns that checking its file needs."""

    sample_id: int
    label: str
    file_name: str
    state: SampleState
    size_bytes: int


class SeveralLabels(Struct, frozen=True):
    """The same bytes under more than one label."""

    sha256: str
    file_names: tuple[str, ...]


class Conflict(Struct, frozen=True):
    """Two images under different labels that look alike."""

    sha256: str  # of the later one
    first: str  # file names
    later: str
    distance: int  # bits of the perceptual hash


def named(db: sqlite3.Connection, file_name: str) -> KeptFile | None:
    """Return the kept image with this file name, or None."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM sample WHERE file_name = ? AND state IN {KEPT}", (file_name,)
    ).fetchone()
    return None if row is None else KeptFile(*row)


def by_id(db: sqlite3.Connection, sample_id: int) -> KeptFile | None:
    """Return the image of a row; None where it is not kept."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM sample WHERE id = ? AND state IN {KEPT}", (sample_id,)
    ).fetchone()
    return None if row is None else KeptFile(*row)


def named_or_of_label(
    db: sqlite3.Connection, name: str, *, refused: bool = False
) -> list[KeptFile]:
    """Return the kept image with this file name, or all with this label, by number.

    `refused` includes those that a person refused.
    """
    also = f" OR state = {SampleState.WITHDRAWN} AND withdrawn_for = ?2" if refused else ""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM sample WHERE (file_name = ?1 OR label = ?1) "
        f"AND (state IN {KEPT}{also}) ORDER BY number",
        (name, Reason.REFUSED_BY_PERSON.value) if refused else (name,),
    )
    return [KeptFile(*row) for row in rows]


def places(db: sqlite3.Connection, label: str) -> Iterator[FileToCheck]:
    """Yield the kept images of a label."""
    # The index on kept images covers the names; a size in `sample` needs a read of a row of 5 KB.
    rows = db.execute(
        "SELECT s.id, s.label, s.file_name, s.state, coalesce(r.size_bytes, "
        "(SELECT t.size_bytes FROM sample t WHERE t.id = s.id)) FROM sample s "
        f"LEFT JOIN file_record r ON r.sample_id = s.id WHERE s.label = ? AND s.state IN {KEPT}",
        (label,),
    )
    for sample_id, name_of_label, file_name, state, size_bytes in rows:
        yield FileToCheck(sample_id, name_of_label, file_name, SampleState(state), size_bytes)


def digests(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield file name and hexadecimal SHA-256 of every kept image, by label and number."""
    yield from db.execute(
        f"SELECT file_name, lower(hex(sha256)) FROM sample WHERE state IN {KEPT} "
        "ORDER BY label, number"
    )


def sha256_of(db: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str]:
    """Return the hexadecimal SHA-256 of these images, by row."""
    found: dict[int, str] = {}
    for sample_id in ids:
        found.update(
            db.execute("SELECT id, lower(hex(sha256)) FROM sample WHERE id = ?", (sample_id,))
        )
    return found


def labels(db: sqlite3.Connection) -> list[str]:
    """Return the labels that have a kept image, sorted."""
    rows = db.execute(f"SELECT DISTINCT label FROM sample WHERE state IN {KEPT} ORDER BY label")
    return [row[0] for row in rows]


def are_at_least(db: sqlite3.Connection, count: int) -> bool:
    """Return whether so many images are kept, without counting on."""
    rows = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM sample WHERE state IN {KEPT} LIMIT ?)", (count,)
    )
    return bool(rows.fetchone()[0] >= count)


def counts_by_state(db: sqlite3.Connection) -> dict[SampleState, int]:
    """Return the number of images in each state, removed ones included."""
    rows = db.execute("SELECT state, count(*) FROM sample GROUP BY state")
    return {SampleState(state): count for state, count in rows}


def mean_size_bytes(db: sqlite3.Connection) -> float:
    """Return the mean file size of the kept images in bytes; 0 where there are none."""
    (mean,) = db.execute(f"SELECT avg(size_bytes) FROM sample WHERE state IN {KEPT}").fetchone()
    return float(mean or 0)


def under_several_labels(db: sqlite3.Connection, limit: int) -> list[SeveralLabels]:
    """Return at most `limit` files whose bytes are kept under more than one label."""
    # Most bytes are there once, which an index tells; labels and states need the rows of images.
    rows = db.execute(
        f"SELECT sha256, group_concat(file_name, char(10)) FROM sample WHERE state IN {KEPT} "
        "AND sha256 IN (SELECT sha256 FROM sample GROUP BY sha256 HAVING count(*) > 1) "
        "GROUP BY sha256 HAVING count(DISTINCT label) > 1 ORDER BY min(id) LIMIT ?",
        (limit,),
    )
    return [SeveralLabels(sha256.hex(), tuple(names.split("\n"))) for sha256, names in rows]


def conflicts(db: sqlite3.Connection, limit: int) -> list[Conflict]:
    """Return up to `limit` pairs that look alike under different labels, closest first."""
    rows = db.execute(
        "SELECT lower(hex(s.sha256)), o.file_name, s.file_name, f.distance FROM conflict f "
        "JOIN sample s ON s.id = f.sample_id JOIN sample o ON o.id = f.other_id "
        f"WHERE s.state IN {KEPT} AND o.state IN {KEPT} AND s.sha256 <> o.sha256 "
        "ORDER BY f.distance, s.id LIMIT ?",
        (limit,),
    )
    return [Conflict(*row) for row in rows]
