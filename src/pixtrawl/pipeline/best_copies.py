"""Keep the best of each group of copies: after a run, compare what was kept with what was dropped.

While a run is in progress the larger copy wins, which is quick and often wrong: frames, screenshots
and enlargements are larger than their originals. The files of dropped copies are kept aside, so
that the choice can be made with care once all of them are there; it then does not depend on the
order in which they came. When a later run brings another copy of an image, all of its copies are
compared again (`catalog.compared`). A better copy takes the number of the one it replaces, which is
kept aside in turn.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from pixtrawl import durable
from pixtrawl.catalog import compared, copies as dropped, frontier, samples
from pixtrawl.catalog.compared import CopyToCompare
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.config.groups import Images
from pixtrawl.events import Listener, Notice
from pixtrawl.folder import files, placing, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name, staged_name
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.formats.sniff import EXTENSIONS
from pixtrawl.model import Outcome, Reason
from pixtrawl.portrait import Portrait

__all__ = ["keep_best_copies"]

_MANY: Final = 50  # copies from which it takes seconds, and is announced
_AT_ONCE: Final = 50  # kept images that are looked up at a time


async def keep_best_copies(
    catalog: Catalog,
    folder: Folder,
    images: Images,
    emit: Listener,
    bring: Callable[[Sequence[CopyToCompare]], Awaitable[None]] | None = None,
) -> int:
    """Compare the copies of each image that got a new one. Return how many images were replaced.

    `bring` puts the files of some images and of their copies where they belong, where the folder
    does not hold them all.

    Raises:
        StorageError: a file cannot be moved, or the catalog cannot be written.
        EngineError: decoders cannot be started.
    """
    after, replaced = 0, 0
    pool: DecoderPool | None = None
    try:
        while True:
            rows = catalog.write_now(partial(compared.to_compare, after=after, limit=_AT_ONCE))
            if not rows:
                break
            if pool is None:
                pool = DecoderPool(images, folder.staging, emit=emit)
                if len(rows) >= _MANY:
                    emit(Notice("comparing the copies of each image, to keep the best"))
            if bring is not None:
                await bring(rows)
            for sample_id, group in groupby(rows, key=lambda row: row.sample_id):
                replaced += await _Group(catalog, folder, pool, list(group)).choose()
                after = sample_id
    finally:
        if pool is not None:
            await pool.aclose()
    if replaced:
        what = "1 image was replaced by a better copy of it" if replaced == 1 else (
            f"{replaced:,} images were replaced by better copies of them"
        )  # fmt: skip
        emit(Notice(what))
    return replaced


Described = tuple[CopyToCompare, Portrait]


def _best(kept: Portrait, others: Sequence[Described]) -> tuple[CopyToCompare | None, str]:
    """Return the best of the copies and why, or None where the kept image is as good."""
    from pixtrawl.dedup.originals.best_of import best_of

    # By their content, so that the order in which they came decides nothing.
    rows = sorted(others, key=lambda other: other[0].sha256)
    at, why = best_of([kept, *(portrait for _, portrait in rows)])
    return (rows[at - 1][0], why) if at else (None, "")


class _Group:
    """One kept image and the copies of it that are kept aside."""

    def __init__(
        self, catalog: Catalog, folder: Folder, pool: DecoderPool, rows: list[CopyToCompare]
    ) -> None:
        self._catalog = catalog
        self._folder = folder
        self._pool = pool
        self._rows = rows
        self._kept = rows[0]

    async def choose(self) -> bool:
        """Compare all, record it, and put the best copy in place. Return whether that changed."""
        kept = await self._portrait(self._folder.root / self._kept.file_name)
        if kept is None:
            return False
        others: list[Described] = []
        gone: list[str] = []
        for row in self._rows:
            aside = quarantine.find(self._folder, row.sha256)
            portrait = None if aside is None else await self._portrait(aside)
            if portrait is None:
                gone.append(row.sha256)
            else:
                others.append((row, portrait))
        best, why = await asyncio.to_thread(_best, kept, others)
        winner = self._kept.kept_sha256
        if best is not None and await self._replace(best, why):
            winner = best.sha256
        losers = {self._kept.kept_sha256, *(row.sha256 for row, _ in others)} - {winner}

        def note(db: sqlite3.Connection) -> None:
            for sha256 in losers:
                compared.note(db, winner, sha256, why)
            for sha256 in gone:
                compared.note(db, winner, sha256, "no longer there to compare")

        # In one transaction: the copies decide together, and after a kill between two notes the
        # next run would compare the rest without the others.
        self._catalog.write_now(note)
        return winner != self._kept.kept_sha256

    async def _portrait(self, path: Path) -> Portrait | None:
        staged = self._staged(path, "look")
        if staged is None:
            return None
        try:
            return await self._pool.portrait(staged.name, staged.stat().st_size)
        finally:
            files.discard(staged)

    def _staged(self, path: Path, why: str) -> Path | None:
        """Give decoders a file under a name in staging; None where it is gone."""
        staged = self._folder.staging / staged_name(f"{why}-{self._kept.candidate_id}")
        files.discard(staged)
        try:
            shutil.copyfile(path, staged)  # not a link: that would change the times of the file
        except FileNotFoundError:
            return None
        return staged

    async def _replace(self, best: CopyToCompare, why: str) -> bool:
        """Put a copy in the place of the kept image; False where its file does not decode."""
        aside = quarantine.find(self._folder, best.sha256)
        staged = (
            None
            if aside is None
            else self._folder.staging / staged_name(f"best-{best.candidate_id}")
        )
        if aside is None or staged is None:
            return False
        shutil.copyfile(aside, staged)
        durable.sync_files([staged])
        durable.sync_directories([staged.parent])
        size_bytes = staged.stat().st_size
        verdict = await self._pool.inspect(staged.name, size_bytes)
        if verdict.info is None:
            files.discard(staged)
            return False
        rights: dict[str, Any] = await self._pool.rights(staged.name) or {}
        info = replace(verdict.info, sha256=best.sha256, size_bytes=size_bytes)

        def write(db: sqlite3.Connection) -> placing.AcceptedFile:
            task = frontier.task_of(db, best.candidate_id)
            fetched = dropped.fetched(db, best.candidate_id)
            number, query_id = samples.number_and_query(db, best.sample_id)
            samples.mark(db, best.sample_id, SampleState.REPLACED)
            outcome = Outcome(
                reason=Reason.SAVED, detail=why, info=info, staged_name=staged.name,
                url=fetched.url, kind=task.candidate.kind, final_url=fetched.final_url,
                http_status=fetched.http_status, attempts=fetched.attempts, size_bytes=size_bytes,
                rights=rights,
            )  # fmt: skip
            name = file_name(best.label, number, EXTENSIONS[info.format])
            task = replace(task, query_id=query_id)
            sample_id = samples.accept(db, task, outcome, number, name)
            samples.inherit(db, best.sample_id, sample_id, best.distance)
            frontier.settle(db, task.id, outcome, fetched.run_id, sample_id=sample_id)
            return placing.AcceptedFile(sample_id, best.label, number, name, staged)

        accepted = self._catalog.write_now(write)

        def place(db: sqlite3.Connection) -> None:
            placed = placing.place(db, self._folder, accepted)
            durable.sync_directories([(self._folder.root / placed).parent, self._folder.root])
            samples.mark_placed(db, [accepted.sample_id], durable=self._folder.durable)

        self._catalog.write_now(place)
        files.discard(aside)
        return True
