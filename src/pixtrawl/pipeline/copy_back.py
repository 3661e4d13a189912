"""Adds the catalog rows that are needed to restore dropped copies.

Their files have to be decoded for it, which no decision waits for inside a transaction. A copy that
was brought back while a run held the data set therefore waits in the catalog, until that run ends
or the next command begins: `bring_waiting` then decodes the file and carries the decision out.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.catalog import copies as dropped, copy_rows, frontier, samples
from pixtrawl.catalog.copies import DroppedCopy
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.decisions import recorded as decisions
from pixtrawl.catalog.decisions.recorded import DecisionState
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.config.images import Images
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import applying
from pixtrawl.folder.decisions.applying import TakenIn
from pixtrawl.folder.layout import file_name, staged_name
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.formats.sniff import EXTENSIONS
from pixtrawl.model import ImageInfo, Outcome, Reason

__all__ = ["DecodedCopy", "add_row", "bring_waiting", "decoded"]


class DecodedCopy(Struct, frozen=True):
    """A file in quarantine after decoding; without `info` it is no whole image any more."""

    info: ImageInfo | None
    rights: dict[str, Any]
    why: str  # it is no image; "" otherwise


async def decoded(
    folder: Folder, pool: DecoderPool, name: str, sha256: str, aside: Path
) -> DecodedCopy:
    """Decode a copy of a file in quarantine; `name` separates it from others that are staged."""
    staged = folder.staging / staged_name(f"back-{name}")
    shutil.copyfile(aside, staged)
    try:
        size_bytes = staged.stat().st_size
        verdict = await pool.inspect(staged.name, size_bytes)
        rights = await pool.rights(staged.name) or {}
    finally:
        files.discard(staged)
    if verdict.info is None:
        return DecodedCopy(None, {}, str(verdict.reason))
    info = replace(verdict.info, sha256=sha256, size_bytes=size_bytes)
    return DecodedCopy(info, {key: value for key, value in rights.items() if value}, "")


def add_row(
    db: sqlite3.Connection, candidate_id: int, label: str, info: ImageInfo, rights: dict[str, Any]
) -> str:
    """Add the row of a copy in the state REPLACED, unless it has one; return its file name."""
    there = copy_rows.prepared(db, label, info.sha256)
    if there is not None:
        return there[1]
    task = frontier.task_of(db, candidate_id)
    fetched = dropped.fetched(db, candidate_id)
    outcome = Outcome(
        reason=Reason.SAVED, detail="taken back", info=info, staged_name="",
        url=fetched.url, kind=task.candidate.kind, final_url=fetched.final_url,
        http_status=fetched.http_status, attempts=fetched.attempts, size_bytes=info.size_bytes,
        rights=rights,
    )  # fmt: skip
    number = samples.next_number(db)
    name = file_name(label, number, EXTENSIONS[info.format])
    samples.set_state(db, samples.accept(db, task, outcome, number, name), SampleState.REPLACED)
    return name


def bring_waiting(catalog: Catalog, folder: Folder) -> TakenIn:
    """Carry out the decisions that wait for a copy to be decoded; return what they did.

    Only for the process that holds the data set, and no run. Raise StorageError; EngineError where
    decoders cannot be started: the decisions then wait on.
    """
    waiting = catalog.write_now(lambda db: applying.waiting_copies(db, folder))
    if not waiting:
        return TakenIn()
    places = [(copy, quarantine.find(folder, copy.sha256)) for _, copy in waiting]
    with ThreadPoolExecutor(1) as thread:  # the caller's thread may have an event loop
        found = thread.submit(asyncio.run, _all_decoded(folder, places)).result()

    def write(db: sqlite3.Connection) -> TakenIn:
        bad = []
        for (record, copy), one in zip(waiting, found, strict=True):
            if one.info is not None:
                add_row(db, copy.candidate_id, copy.label, one.info, one.rights)
            else:
                decisions.set_state(db, record.id, DecisionState.VOID)
                bad.append(
                    f"take_back {copy.sha256[:16]}...: is no whole image any more ({one.why})"
                )
        done = applying.take_in(db, folder)
        done.bad += bad
        return done

    done = catalog.write_now(write)
    catalog.write_now(lambda db: applying.finish_files(db, folder, done))
    return done


async def _all_decoded(
    folder: Folder, places: Sequence[tuple[DroppedCopy, Path | None]]
) -> list[DecodedCopy]:
    pool = DecoderPool(Images(), folder.staging)
    try:
        return [
            DecodedCopy(None, {}, "its file is gone")
            if aside is None
            else await decoded(folder, pool, str(copy.candidate_id), copy.sha256, aside)
            for copy, aside in places
        ]
    finally:
        await pool.aclose()
