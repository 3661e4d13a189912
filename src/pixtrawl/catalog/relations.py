"""Relations between images: better copies, withdrawn images, label conflicts, pardons.

The functions are called inside the judge's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from pixtrawl.catalog import samples
from pixtrawl.catalog.files.records import ASIDE
from pixtrawl.catalog.samples import Known, known
from pixtrawl.catalog.schema.states import COMPARED, KEPT, KEPT_OR_WITHDRAWN, SampleState, any_of
from pixtrawl.model import ImageInfo, Kind, Reason

__all__ = [
    "ComparedSample",
    "Withdrawal",
    "has_pardon",
    "has_pardons",
    "hashes_of_same_bytes",
    "is_out",
    "is_pardoned",
    "note_alike",
    "note_conflict",
    "pardon",
    "same_bytes_elsewhere",
    "same_everywhere",
    "standing_of",
    "urls_of_host",
    "withdraw",
    "withdrawn",
]

_COPIES: Final = (Reason.SAVED, Reason.SAME_BYTES, Reason.SAME_PICTURE, Reason.BETTER_COPY_KEPT)


class ComparedSample(Struct, frozen=True):
    """A known image, with the columns that a new one is compared by."""

    known: Known
    kind: Kind
    rank: int
    info: ImageInfo


class Withdrawal(Struct, frozen=True):
    """An image that was withdrawn; its file is still to be moved."""

    sample_id: int
    query_id: int
    file_name: str
    sha256: str
    reason: Reason


def standing_of(db: sqlite3.Connection, sample_id: int) -> ComparedSample:
    """Return the columns of a known image that a new one is compared by."""
    row = db.execute(
        "SELECT s.id, s.label, s.state, s.withdrawn_for, s.kind, c.rank, s.format, s.width, "
        "s.height, s.size_bytes, s.sha256, coalesce(json_extract(s.measures, '$.jpeg_quality'), 0) "
        "FROM sample s JOIN candidate c ON c.id = s.candidate_id WHERE s.id = ?",
        (sample_id,),
    ).fetchone()
    info = ImageInfo(
        format=row[6], width=row[7], height=row[8], size_bytes=row[9], sha256=row[10].hex(),
        measures={"jpeg_quality": row[11]},
    )  # fmt: skip
    return ComparedSample(known(row[:4]), Kind(row[4]), row[5], info)


def same_bytes_elsewhere(db: sqlite3.Connection, label: str, sha256: str) -> Known | None:
    """Return a kept image of another label with these bytes, else a withdrawn one, else None."""
    row = db.execute(
        "SELECT id, label, state, withdrawn_for FROM sample WHERE sha256 = ? AND label <> ? "
        f"AND state IN {KEPT_OR_WITHDRAWN} ORDER BY state = {SampleState.WITHDRAWN}, id LIMIT 1",
        (bytes.fromhex(sha256), label),
    ).fetchone()
    return None if row is None else known(row)


def note_alike(db: sqlite3.Connection, candidate_id: int) -> None:
    """Record that the candidate has the look and the size of its sample."""
    db.execute("UPDATE candidate SET alike = 1 WHERE id = ?", (candidate_id,))


def urls_of_host(
    db: sqlite3.Connection, host: str, sha256: str, sample_id: int | None, key: bytes
) -> int:
    """Return from how many URLs a host gave these bytes or this look; `key`'s URL counts."""
    row = db.execute(
        "SELECT count(*) FROM (SELECT key FROM candidate WHERE sha256 = ?1 AND host = ?2 "
        "AND fetched_url = url UNION "
        "SELECT key FROM candidate WHERE sample_id = ?3 AND host = ?2 AND fetched_url = url "
        "AND (alike OR reason = 'saved') UNION SELECT ?4)",
        (bytes.fromhex(sha256), host, sample_id, key),
    ).fetchone()
    return int(row[0])


def withdraw(db: sqlite3.Connection, sample_id: int, reason: Reason) -> Withdrawal | None:
    """Withdraw a kept image together with its copies. Return None where it was not kept.

    Its number stays taken. The file is moved aside after the commit (`folder.decisions.removals`).
    """
    row = db.execute(
        f"UPDATE sample SET state = {SampleState.WITHDRAWN}, withdrawn_for = ? "
        f"WHERE id = ? AND state IN {KEPT} "
        "RETURNING query_id, file_name, sha256",
        (reason.value, sample_id),
    ).fetchone()
    if row is None:
        return None
    marks = ", ".join("?" * len(_COPIES))
    db.execute(
        f"UPDATE candidate SET reason = ? WHERE sample_id = ? AND reason IN ({marks})",
        (reason.value, sample_id, *(one.value for one in _COPIES)),
    )
    db.execute("DELETE FROM conflict WHERE sample_id = ?1 OR other_id = ?1", (sample_id,))
    return Withdrawal(sample_id, row[0], row[1], row[2].hex(), reason)


def same_everywhere(db: sqlite3.Connection, sha256: str) -> list[int]:
    """Return the ids of the kept images with these bytes, under any label."""
    rows = db.execute(
        f"SELECT id FROM sample WHERE sha256 = ? AND state IN {KEPT}", (bytes.fromhex(sha256),)
    )
    return [row[0] for row in rows]


def withdrawn(
    db: sqlite3.Connection, among: Iterable[int] | None = None
) -> list[tuple[int, str, str]]:
    """Return row, file name and SHA-256 of every withdrawn image.

    With `among` only of those images, and of the ones whose file was not moved aside so far: of
    10,000 that were refused, each with a file to look for, a decision would wait half a second.
    """
    withdrawn_ = f"sample s WHERE s.state = {SampleState.WITHDRAWN}"
    if among is None:
        rows = db.execute(f"SELECT s.id, s.file_name, s.sha256 FROM {withdrawn_}")
    else:
        left = (
            "SELECT s.id FROM sample s LEFT JOIN file_record r ON r.sample_id = s.id WHERE "
            f"s.state = {SampleState.WITHDRAWN} AND coalesce(r.inode, 0) <> {ASIDE}"
        )
        rows = db.execute(
            f"SELECT s.id, s.file_name, s.sha256 FROM {withdrawn_} AND s.id IN "
            f"({left} UNION SELECT value FROM json_each(?))",
            (json.dumps(list(among)),),
        )
    return [(sample_id, name, sha256.hex()) for sample_id, name, sha256 in rows]


def is_out(db: sqlite3.Connection, file_names: Iterable[str]) -> bool:
    """Return whether one of these files belongs to a withdrawn or taken-down image."""
    out = any_of(SampleState.WITHDRAWN, SampleState.TAKEN_DOWN)
    row = db.execute(
        f"SELECT 1 FROM sample WHERE state IN {out} AND file_name IN "
        "(SELECT value FROM json_each(?)) LIMIT 1",
        (json.dumps(list(file_names)),),
    ).fetchone()
    return row is not None


def hashes_of_same_bytes(
    db: sqlite3.Connection, sample_ids: Iterable[int]
) -> Iterator[tuple[str, int, ImageInfo]]:
    """Yield label, id and hashes of all compared images with the bytes of these images."""
    labels = db.execute(
        "SELECT DISTINCT o.label, o.id FROM sample s JOIN sample o ON o.sha256 = s.sha256 "
        f"WHERE s.id IN (SELECT value FROM json_each(?)) AND o.state IN {COMPARED}",
        (json.dumps(list(sample_ids)),),
    ).fetchall()
    wanted = {row_id for _, row_id in labels}
    for label in dict.fromkeys(label for label, _ in labels):
        for row_id, info in samples.hashes(db, label):
            if row_id in wanted:
                yield label, row_id, info


def note_conflict(db: sqlite3.Connection, sample_id: int, other_id: int, distance: int) -> None:
    """Record that the same picture is kept under two labels; `distance` is in bits of the hash."""
    db.execute("INSERT OR IGNORE INTO conflict VALUES (?, ?, ?)", (sample_id, other_id, distance))


def pardon(db: sqlite3.Connection, label: str, sha256: str) -> None:
    """Record that this image stays although it looks like another one."""
    db.execute("INSERT OR IGNORE INTO pardon VALUES (?, ?)", (label, bytes.fromhex(sha256)))


def has_pardons(db: sqlite3.Connection) -> bool:
    """Return whether any image was pardoned, to skip the look-up per image where none was."""
    return db.execute("SELECT 1 FROM pardon LIMIT 1").fetchone() is not None


def has_pardon(db: sqlite3.Connection, digits: str) -> bool:
    """Return whether an image was pardoned whose SHA-256 begins with these 8 or more digits."""
    if len(digits) < 8:
        return False
    row = db.execute(
        "SELECT 1 FROM pardon WHERE substr(lower(hex(sha256)), 1, ?) = ?", (len(digits), digits)
    ).fetchone()
    return row is not None


def is_pardoned(db: sqlite3.Connection, label: str, sha256: str) -> bool:
    """Return whether a person pardoned this image under this label."""
    row = db.execute(
        "SELECT 1 FROM pardon WHERE label = ? AND sha256 = ?", (label, bytes.fromhex(sha256))
    ).fetchone()
    return row is not None
