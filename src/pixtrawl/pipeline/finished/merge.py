"""Merges several data sets into one, without a download.

The judge of the target decides on the images of each source as if they had just been fetched: equal
bytes under a label are kept once, near duplicates are dropped and quarantined, and images get
numbers of the target. Rows are committed before files are put in place, as in a run, so that
repeating the command resumes a merge that was killed.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from msgspec import Struct

from pixtrawl.catalog import copies, samples
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.rebuild import import_rows
from pixtrawl.config.groups import Images
from pixtrawl.dedup import Level
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.folder.decisions import journal_facts, removals
from pixtrawl.folder.derived import writing
from pixtrawl.folder.layout import file_name, staged_name
from pixtrawl.folder.recovery.catch_up import catch_up
from pixtrawl.images.rules import Rules
from pixtrawl.model import Outcome, Reason, Sample, Task
from pixtrawl.pipeline.decide.judge import Judge
from pixtrawl.pipeline.decide.settler import Settler
from pixtrawl.pipeline.finished import mending
from pixtrawl.pipeline.finished.opened import locked

__all__ = ["Merged", "merge"]

_BATCH = 500  # images staged and decided at a time

Progress = Callable[[int, int], None]


class Merged(Struct, frozen=True):
    """The number of images in the target, and of the sources' images by reason."""

    images: int
    reasons: dict[str, int]


def merge(
    sources: Sequence[Path | str],
    output: Path | str,
    *,
    dedup: str = "near",
    copy: bool = False,
    on_progress: Progress = lambda done, total: None,
) -> Merged:
    """Merge data sets into a new or an existing one.

    Args:
        sources: data set folders, which are not changed.
        output: the target; it may be one of the sources.
        dedup: level of de-duplication, as for `run`.
        copy: copy files; otherwise they are hard-linked where the file system allows it.
        on_progress: called with the number of images done and their total.

    Raises:
        UsageError: a source is no data set, or lacks its catalog.
        StorageError: a run is in progress on one of them, or the disk is full.
    """
    target = Folder(output)
    folders = [folder for folder in map(Folder, sources) if folder.root != target.root]
    for folder in folders:
        _check(folder)
    target.create()
    with locked(target) as catalog:
        mending.recover(catalog, target)
        merger = _Merger(catalog, target, Level(dedup), copy, on_progress)
        merger.run(folders)
        catalog.write_now(lambda db: journal_facts.write_down(db, target))
        catalog.write_now(lambda db: writing.write_all(db, target))
        kept = catalog.write_now(samples.count)
    return Merged(kept, dict(merger.reasons))


def _check(folder: Folder) -> None:
    folder.require()
    if folder.is_bare():
        raise UsageError(f"{folder.shown} is a copy without its hidden files: it cannot be merged")
    if in_use(folder):
        raise StorageError(f"the data set {folder.root} is in use; wait for that run or stop it")
    if catch_up(folder).missing:
        raise StorageError(f"{folder.shown}: files are missing, and it cannot be written")


class _Merger:
    """Merges one source after another into an open target."""

    def __init__(
        self, catalog: Catalog, target: Folder, level: Level, copy: bool, on_progress: Progress
    ) -> None:
        self.reasons: Counter[str] = Counter()
        self._catalog = catalog
        self._target = target
        self._copy = copy
        self._on_progress = on_progress
        images = Images(dedup=level.value, junk="keep", conflict="keep")
        self._judge = Judge(level, 0, Rules(images))
        self._settler = Settler(catalog, target, self._judge)
        self._done = 0
        self._total = 0

    def run(self, folders: Sequence[Folder]) -> None:
        """Merge the decisions of all sources, then their images.

        In this order an image that a person removed in one source is not added from another.
        """
        with contextlib.ExitStack() as stack:
            opened = [
                (folder, stack.enter_context(closing(connect(folder.catalog, read_only=True))))
                for folder in folders
            ]
            self._total = sum(samples.count(db) for _, db in opened)
            for _, source in opened:
                self._catalog.write_now(lambda db, s=source: import_rows.take_rules(db, s))  # type: ignore[misc]
            queries = []
            for _, source in opened:
                rows = self._catalog.write_now(lambda db, s=source: import_rows.take_queries(db, s))  # type: ignore[misc]
                self._catalog.write_now(
                    lambda db, s=source, q=rows: import_rows.take_removed(db, s, q, file_name)  # type: ignore[misc]
                )
                queries.append(rows)
            for (folder, source), rows in zip(opened, queries, strict=True):
                self._one(folder, source, rows)
            self._catalog.write_now(self._obey)
            self._catalog.write_now(lambda db: removals.set_withdrawn_aside(db, self._target))
            self._catalog.write_now(lambda db: removals.remove_files(db, self._target))

    def _obey(self, db: sqlite3.Connection) -> None:
        takedown.remove(db, list(takedown.matching(db, takedown.load(db))))

    def _one(self, folder: Folder, source: sqlite3.Connection, queries: dict[int, int]) -> None:
        def expect(db: sqlite3.Connection) -> None:
            for query_id in set(queries.values()):
                self._judge.expect(query_id, None, 0)
            for label in samples.labels(source):
                self._judge.load(db, label)

        self._catalog.write_now(expect)
        taken: dict[int, int] = {}  # id of an image in the source -> its id in the target
        images = samples.read(source, folder.root, looks=True)
        while batch := list(islice(images, _BATCH)):
            self._settle(folder, source, queries, batch, taken)
            self._done += len(batch)
            self._on_progress(self._done, self._total)
        self._catalog.write_now(lambda db: import_rows.take_rest(db, source, queries, taken))
        quarantine.copy_all(copies.digests_aside(source), folder, self._target)

    def _settle(
        self,
        folder: Folder,
        source: sqlite3.Connection,
        queries: dict[int, int],
        batch: Sequence[Sample],
        taken: dict[int, int],
    ) -> None:
        def open_tasks(db: sqlite3.Connection) -> list[tuple[Sample, Task | None]]:
            return [(one, import_rows.open_task(db, source, queries, one, taken)) for one in batch]

        pairs = []
        owners = {}
        for sample, task in self._catalog.write_now(open_tasks):
            if task is None:
                self.reasons["already_there"] += 1
                continue
            name = staged_name(f"merge-{task.id}")
            self._stage(folder.root / sample.file_name, self._target.staging / name)
            owners[task.id] = sample
            pairs.append((task, _outcome(source, sample, name)))
        for decision in self._settler.settle_now(pairs):
            self.reasons[decision.outcome.reason.value] += 1
            if decision.sample_id is not None:
                taken[owners[decision.task.id].id] = decision.sample_id

    def _stage(self, path: Path, staged: Path) -> None:
        files.discard(staged)
        try:
            if self._copy:
                shutil.copyfile(path, staged)
            else:
                files.link_or_copy(path, staged)
        except OSError as error:
            raise StorageError(f"cannot copy {path}: {error}") from error


def _outcome(source: sqlite3.Connection, sample: Sample, name: str) -> Outcome:
    http_status, attempts = import_rows.transfer_of(source, sample.id)
    return Outcome(
        reason=Reason.SAVED, info=sample.info, staged_name=name, url=sample.url, kind=sample.kind,
        final_url=sample.final_url, http_status=http_status, attempts=attempts,
        size_bytes=sample.info.size_bytes, rights=dict(sample.rights),
        fetched_at=sample.fetched_at,
    )  # fmt: skip
