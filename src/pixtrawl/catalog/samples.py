"""Rows of accepted images, and reading them back as `Sample`s.

A sample's row is committed as `accepted` before its file is renamed into place, and becomes
`placed` later. A number is never given twice within a data set, so that a file moved by hand into
another label's folder does not collide with a name there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.captions import Chain, caption_of
from pixtrawl.catalog import own_columns, written
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.frontier import candidate_of
from pixtrawl.catalog.provenance import Provenance
from pixtrawl.catalog.run_log import now
from pixtrawl.catalog.schema.states import COMPARED, KEPT, KEPT_OR_WITHDRAWN, SampleState
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.model import Caption, ImageInfo, Kind, Outcome, Query, Reason, Sample, Task


class Known(Struct, frozen=True):
    """A sample that has the same bytes as something new."""

    id: int
    label: str
    state: SampleState
    withdrawn_for: Reason | None = None


class Columns(Struct, frozen=True):
    """The optional columns of the images of one catalog."""

    scores: scores.ScoreTypes  # columns that models filled
    own: Mapping[str, str]  # type of each column of the user's lists
    captions: Chain | None = None  # the origins chosen; None: no captions


_INSERT: Final = (
    "INSERT INTO sample (label, number, file_name, query_id, candidate_id, state, staged_name, "
    "sha256, format, width, height, frames, size_bytes, orientation, flat, phash, phash_trim, "
    "thumb, chroma, fine, measures, kind, rights, fetched_at) "
    f"VALUES (?, ?, ?, ?, ?, {SampleState.ACCEPTED}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "?, ?, ?, ?)"
)


def same_bytes(db: sqlite3.Connection, label: str, sha256: str) -> Known | None:
    """Return the sample of this label with these bytes, in whatever state, or None."""
    row = db.execute(
        "SELECT id, label, state, withdrawn_for FROM sample WHERE label = ? AND sha256 = ? "
        "ORDER BY state LIMIT 1",
        (label, bytes.fromhex(sha256)),
    ).fetchone()
    return None if row is None else known(row)


def seen(db: sqlite3.Connection, sha256s: Sequence[str]) -> set[str]:
    """Return the hashes already stored under any label; new files need no further look-up."""
    marks = ", ".join("?" * len(sha256s))
    rows = db.execute(
        f"SELECT sha256 FROM sample WHERE sha256 IN ({marks})",
        [bytes.fromhex(sha256) for sha256 in sha256s],
    )
    return {sha256.hex() for (sha256,) in rows}


def known(row: tuple[int, str, int, str | None]) -> Known:
    """Build a `Known` from the columns id, label, state, withdrawn_for."""
    return Known(row[0], row[1], SampleState(row[2]), Reason(row[3]) if row[3] else None)


def next_number(db: sqlite3.Connection) -> int:
    """Return one more than the highest number ever given in the data set."""
    (last,) = db.execute(
        "SELECT max(coalesce((SELECT max(number) FROM sample), 0), "
        "(SELECT number FROM durable_point))"
    ).fetchone()
    return int(last) + 1


def accept(
    db: sqlite3.Connection, task: Task, outcome: Outcome, number: int, file_name: str
) -> int:
    """Add an accepted sample, whose staged file is to become `file_name`. Return its id."""
    info = outcome.info
    assert info is not None
    cursor = db.execute(
        _INSERT,
        (
            task.candidate.label, number, file_name, task.query_id, task.id, outcome.staged_name,
            bytes.fromhex(info.sha256), info.format, info.width, info.height, info.frames,
            info.size_bytes, info.orientation, int(info.flat), info.phash, info.phash_trim,
            info.thumb, info.chroma, info.fine, _text(info.measures),
            outcome.kind.value, _text(outcome.rights), outcome.fetched_at or now(),
        ),
    )  # fmt: skip
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def mark(db: sqlite3.Connection, sample_id: int, state: SampleState) -> None:
    """Set a sample's state; if that is deleted or taken down, its candidate's reason, too."""
    db.execute("UPDATE sample SET state = ? WHERE id = ?", (state, sample_id))
    reason = {
        SampleState.DELETED_BY_HAND: Reason.REMOVED_BY_USER,
        SampleState.TAKEN_DOWN: Reason.TAKEN_DOWN,
    }.get(state)
    if reason is not None:
        db.execute(
            "UPDATE candidate SET reason = ? WHERE reason = 'saved' AND "
            "id = (SELECT candidate_id FROM sample WHERE id = ?)",
            (reason.value, sample_id),
        )


def set_state(db: sqlite3.Connection, sample_id: int, state: SampleState) -> None:
    """Set a sample's state without a change to its candidate."""
    db.execute("UPDATE sample SET state = ? WHERE id = ?", (state.value, sample_id))


def mark_placed(db: sqlite3.Connection, sample_ids: Iterable[int], *, durable: bool) -> None:
    """Mark accepted samples as placed: their files are where their rows say.

    Those that a person's decision withdrew in the meantime stay so. `durable`: the files and their
    names are on the disk, as those of all images before them.
    """
    db.execute(
        f"UPDATE sample SET state = {SampleState.PLACED} "
        f"WHERE id IN (SELECT value FROM json_each(?)) AND state = {SampleState.ACCEPTED}",
        (_ids(sample_ids),),
    )
    if durable:
        file_records.advance(db)


def thumb(db: sqlite3.Connection, sample_id: int) -> bytes:
    """Return the grey thumbnail of a sample; empty where a person removed it meanwhile."""
    row = db.execute("SELECT thumb FROM sample WHERE id = ?", (sample_id,)).fetchone()
    return bytes(row[0]) if row else b""


def chroma(db: sqlite3.Connection, sample_id: int) -> bytes:
    """Return the colours of a sample, as `images.appearance.chroma` has them; empty if unknown."""
    row = db.execute("SELECT chroma FROM sample WHERE id = ?", (sample_id,)).fetchone()
    return bytes(row[0]) if row else b""


def fine(db: sqlite3.Connection, sample_id: int) -> bytes:
    """Return the greys of a drawn picture, as `fine_greys` packs them; empty for others."""
    row = db.execute("SELECT fine FROM sample WHERE id = ?", (sample_id,)).fetchone()
    return bytes(row[0]) if row else b""


def number_and_query(db: sqlite3.Connection, sample_id: int) -> tuple[int, int]:
    """Return the number of a sample and the query that it counts for."""
    row = db.execute("SELECT number, query_id FROM sample WHERE id = ?", (sample_id,)).fetchone()
    return int(row[0]), int(row[1])


def inherit(db: sqlite3.Connection, old_id: int, new_id: int, distance: int) -> None:
    """Move provenance and conflicts of an image to its better copy, `distance` bits away."""
    db.execute(
        "UPDATE candidate SET reason = ?, distance = ? WHERE sample_id = ? AND reason = ?",
        (Reason.BETTER_COPY_KEPT.value, distance, old_id, Reason.SAVED.value),
    )
    db.execute(
        "UPDATE candidate SET sample_id = ?, alike = 0 WHERE sample_id = ?", (new_id, old_id)
    )
    written.inherit(db, old_id, new_id)
    for column in ("sample_id", "other_id"):
        db.execute(
            f"UPDATE OR REPLACE conflict SET {column} = ? WHERE {column} = ?",
            (new_id, old_id),
        )


def hashes(db: sqlite3.Connection, label: str) -> Iterator[tuple[int, ImageInfo]]:
    """Yield id and hashes for the near-duplicate index of a label: of its kept images, and of those
    that were withdrawn or put under another label.
    """
    rows = db.execute(
        "SELECT id, format, width, height, phash, phash_trim, thumb, flat, measures, orientation "
        f"FROM sample WHERE label = ? AND state IN {COMPARED}",
        (label,),
    )
    for row in rows:
        measures = _object(row[8]) if row[7] else {}  # the colours of flat images distinguish them
        info = ImageInfo(
            format=row[1], width=row[2], height=row[3], phash=row[4], phash_trim=row[5],
            thumb=row[6], flat=bool(row[7]), measures=measures, orientation=row[9],
        )  # fmt: skip
        yield row[0], info


def hashes_elsewhere(db: sqlite3.Connection, label: str) -> Iterator[tuple[str, int, bytes, bytes]]:
    """Yield label, id and both hashes of every image of other labels, but of no flat one."""
    yield from db.execute(
        "SELECT label, id, phash, phash_trim FROM sample "
        f"WHERE label <> ? AND state IN {KEPT_OR_WITHDRAWN} AND NOT flat AND length(phash) > 0",
        (label,),
    )


def queries_of(db: sqlite3.Connection, sample_ids: Iterable[int]) -> list[int]:
    """Return the query of each of these images."""
    query = "SELECT query_id FROM sample WHERE id IN (SELECT value FROM json_each(?))"
    return [row[0] for row in db.execute(query, (_ids(sample_ids),))]


def rename(db: sqlite3.Connection, sample_id: int, number: int, file_name: str) -> None:
    """Give an accepted sample another number and file name, since its first name was taken."""
    db.execute(
        "UPDATE sample SET number = ?, file_name = ? WHERE id = ?", (number, file_name, sample_id)
    )


def labels(db: sqlite3.Connection) -> list[str]:
    """Return the labels of all images, in whatever state."""
    return [label for (label,) in db.execute("SELECT DISTINCT label FROM sample")]


def has_label(db: sqlite3.Connection, label: str) -> bool:
    """Return whether any image, in whatever state, has this label."""
    row = db.execute("SELECT 1 FROM sample WHERE label = ? LIMIT 1", (label,)).fetchone()
    return row is not None


def _select(looks: str) -> str:
    """Return the statement for the columns that `_sample` takes, with these three of looks."""
    return (
        "SELECT s.id, s.label, s.number, s.file_name, s.sha256, s.format, s.width, s.height, "
        "s.frames, s.size_bytes, s.orientation, s.flat, s.phash, s.phash_trim, s.measures, s.kind, "
        f"{looks}, s.fetched_at, s.rights, q.text, c.fetched_url, c.final_url, c.url, c.kind, "
        "c.source, c.rank, c.page_url, c.title, c.width, c.height, c.thumb_url, c.license, "
        "c.license_url, c.creator, c.alternates, c.extra, c.file_stem, c.alt, c.page_text, "
        "c.page_said, q.extra, (SELECT json_group_object(v.column_id, v.value) FROM score v "
        "WHERE v.sample_id = s.id), w.text, w.origin FROM sample s "
        "JOIN candidate c ON c.id = s.candidate_id JOIN query q ON q.id = s.query_id "
        f"LEFT JOIN caption w ON w.sample_id = s.id WHERE s.state IN {KEPT}"
    )


_SELECT: Final = _select("s.thumb, s.chroma, s.fine")  # 5 KB of each row
_SELECT_FACTS: Final = _select("x'', x'', x''")


def read(
    db: sqlite3.Connection, root: Path, *, only: str = "", without: frozenset[int] = frozenset(),
    looks: bool = False,
) -> Iterator[Sample]:  # fmt: skip
    """Stream the kept samples, without their provenance, by label and number.

    `root` is the folder of the data set, which their paths begin with. `only` is SQL to append to
    the WHERE clause. Samples with ids in `without` are left out. Unless `looks`, thumbnails,
    colours and fine greys are empty.
    """
    columns, place, select = columns_of(db), str(root), _SELECT if looks else _SELECT_FACTS
    for row in db.execute(f"{select}{only} ORDER BY s.label, s.number"):
        if row[0] not in without:
            yield _sample(row, place, columns, ())


def some(
    db: sqlite3.Connection, root: Path, ids: Sequence[int], columns: Columns, catalog: Path | None
) -> list[Sample]:
    """Return the kept images of these rows in the order of `ids`, with one SQL statement.

    `columns` is the result of `columns_of`. `catalog` is the file from which their provenance is
    read on first access; None gives them none.
    """
    rows = db.execute(f"{_SELECT} AND s.id IN (SELECT value FROM json_each(?))", (_ids(ids),))
    found = {
        row[0]: _sample(
            row, str(root), columns, () if catalog is None else Provenance(catalog, row[0])
        )
        for row in rows
    }
    return [found[one] for one in ids if one in found]


def columns_of(db: sqlite3.Connection) -> Columns:
    """Return the optional columns that the images of a catalog have."""
    return Columns(scores.types(db), own_columns.types(db), written.chain_of(db))


def count(db: sqlite3.Connection) -> int:
    """Return the number of kept images."""
    return int(db.execute(f"SELECT count(*) FROM sample WHERE state IN {KEPT}").fetchone()[0])


def _ids(ids: Iterable[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()


def _object(text: str) -> dict[str, Any]:
    """Decode a JSON column; the check for "{}" is a shortcut, most are empty."""
    found: dict[str, Any] = {} if text == "{}" else msgspec.json.decode(text)
    return found


def _text(facts: Mapping[str, object]) -> str:
    return msgspec.json.encode(dict(facts)).decode() if facts else "{}"


def _sample(
    row: tuple[Any, ...], root: str, columns: Columns, ways: Sequence[Mapping[str, object]]
) -> Sample:
    (
        id_, label, number, file_name, sha256, format_, width, height, frames, size_bytes,
        orientation, flat, phash, phash_trim, measures, kind, thumb, chroma, fine, fetched_at,
        rights, text, fetched_url, final_url,
    ) = row[:24]  # fmt: skip
    extra, scored, caption, origin = row[-4:]
    info = ImageInfo(
        format=format_, width=width, height=height, frames=frames, size_bytes=size_bytes,
        sha256=sha256.hex(), phash=phash, phash_trim=phash_trim, thumb=thumb, chroma=chroma,
        fine=fine, flat=bool(flat), orientation=orientation, measures=_object(measures),
    )  # fmt: skip
    candidate = candidate_of(row[24:-4], Query(text, label))
    sample = Sample(
        id=id_, label=label, number=number, file_name=file_name, info=info, candidate=candidate,
        kind=Kind(kind), url=fetched_url or candidate.url,
        final_url=final_url or fetched_url or candidate.url, fetched_at=fetched_at,
        provenance=ways, rights=_object(rights), root=root,
        own=own_columns.coerced(columns.own, extra, candidate.extra) if columns.own else {},
        scores=scores.values_of(scored, columns.scores) if columns.scores else {},
        written=None if caption is None else Caption(caption, origin),
    )  # fmt: skip
    if columns.captions is None:
        return sample
    return replace(sample, caption=caption_of(sample, columns.captions))
