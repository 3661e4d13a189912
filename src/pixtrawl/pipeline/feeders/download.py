"""The feeder that downloads URL manifests: fills the frontier from lists instead of sources."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from pixtrawl.catalog import broken_lines
from pixtrawl.catalog.broken_lines import BrokenLine
from pixtrawl.config.groups import Config
from pixtrawl.engines.base import EngineKind
from pixtrawl.errors import UsageError
from pixtrawl.events import CandidatesFound, Event, Notice, RunStarted, ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.known_queries import known_queries
from pixtrawl.labels import Labels, label_for
from pixtrawl.manifests.reader import SOURCE, BadLine
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.lifecycle import run_to_report
from pixtrawl.pipeline.lists import Given, OpenList, open_lists
from pixtrawl.pipeline.run_input import DownloadInput, DownloadQuery
from pixtrawl.pipeline.session import Session
from pixtrawl.report import Report

_BATCH: Final = 1000  # candidates per transaction
_LINE_BYTES: Final = 150  # of a URL with what stands beside it
_SHOWN: Final = 20  # broken lines reported one by one; further ones are only counted

_Key = tuple[str, str]  # a query's text and label


async def download(
    manifests: Sequence[str | Given],
    config: Config,
    *,
    listener: Callable[[Event], None] = ignore,
    limit_given: bool = False,
    engine_kind: EngineKind | None = None,
) -> Report:
    """Download the URLs of manifests: all of them unless a limit was given.

    A manifest is a file, `-` for standard input, a URL, or values from Python.

    `engine_kind` opens the engine, instead of the one of the settings.

    A broken line is reported with its number, gets the outcome `bad_url` and is counted in
    `Report.bad_lines`; the other lines are downloaded. Cancelling ends it gracefully, as with
    `run`.

    Raises:
        UsageError: a manifest that cannot be read at all, before anything is fetched.
        StorageError, EngineError: as `run`.
    """
    if not manifests:
        raise UsageError("there is no manifest to download")
    # Opened first, so that a wrong name fails before any request.
    folder = Folder(config.job.output, durable=config.job.durability == "batch")
    readers = _readers(manifests, config, folder)
    limit = config.job.limit if limit_given else None
    filler = _Filler(limit, listener)

    async def body(current: Session) -> None:
        await current.carry_out(filler.fill(current.input, readers))

    expected = sum(map(_about, manifests))
    report = await run_to_report(
        config, folder, listener, body, expected=expected, engine_kind=engine_kind
    )
    report.bad_lines = filler.bad_lines
    report.cut_short = report.cut_short or filler.stopped
    return report


def _about(manifest: str | Given) -> int:
    """Return about how many URLs a manifest has, without reading it; 0 where that is not known."""
    if isinstance(manifest, Given):
        return len(manifest.items) if isinstance(manifest.items, Sized) else 0
    with suppress(OSError):
        return Path(manifest).stat().st_size // _LINE_BYTES
    return 0


def count_manifests(
    manifests: Sequence[str | Given], config: Config
) -> tuple[dict[tuple[str, str], int], list[str]]:
    """Return the number of URLs by (query, label) and the broken lines, for `--dry-run`.

    Raises:
        UsageError: a manifest that cannot be read at all.
    """
    counts: dict[tuple[str, str], int] = {}
    bad: list[str] = []
    for listing in _readers(manifests, config, Folder(config.job.output)):
        for item in listing.rows:
            if isinstance(item, BadLine):
                bad.append(f"{listing.name}:{item.number}: {item.problem}")
            else:
                key = (item.query, item.label)
                counts[key] = counts.get(key, 0) + 1
    return counts, bad


def _readers(manifests: Sequence[str | Given], config: Config, folder: Folder) -> list[OpenList]:
    labels = Labels(known_queries(folder))
    return open_lists(manifests, labels, label=config.job.label, lists=config.lists)


class _Filler:
    """Reads manifests in batches; adds a query to the run at its first line."""

    def __init__(self, limit: int | None, listener: Callable[[Event], None]) -> None:
        self._limit = limit
        self._listener = listener
        self._queries: dict[_Key, DownloadQuery] = {}
        self._last: _Key | None = None  # the query of the line before, within one list
        self.bad_lines = 0
        self.stopped = False  # by a budget, with lines left

    async def fill(self, run_input: DownloadInput, readers: Sequence[OpenList]) -> None:
        self._listener(RunStarted((), {}))
        for listing in readers:
            self._last = None
            while batch := await asyncio.to_thread(_next_batch, listing.rows):
                self._notify(listing)
                await self._take(run_input, listing.name, batch)
                if run_input.halted:
                    self.stopped = True
                    return

    async def _take(
        self, run_input: DownloadInput, name: str, batch: Sequence[Candidate | BadLine]
    ) -> None:
        groups: dict[_Key, list[Candidate]] = {}
        broken: dict[_Key, list[BrokenLine]] = {}
        first = next((_key_of(item) for item in batch if isinstance(item, Candidate)), None)
        for item in batch:
            if isinstance(item, BadLine):
                self._report_line(name, item)
                key = self._last or first or (item.query, label_for(item.label))
                line = BrokenLine(name, item.number, item.text, item.problem)
                broken.setdefault(key, []).append(line)
                continue
            self._last = _key_of(item)
            groups.setdefault(self._last, []).append(item)
        # Two transactions for a batch, however many labels it has: a list is often shuffled.
        await self._join(run_input, [*groups, *broken])
        given = [(self._queries[key], candidates) for key, candidates in groups.items()]
        for (query, candidates), new in zip(given, await run_input.add_all(given), strict=True):
            self._listener(CandidatesFound(query.row.query.text, SOURCE, len(candidates), new))
        for key, lines in broken.items():
            await self._note(run_input, key, lines)

    async def _note(self, run_input: DownloadInput, key: _Key, lines: Sequence[BrokenLine]) -> None:
        """Record broken lines as outcomes of the query of the lines around them."""
        query_id, run_id = self._queries[key].row.id, run_input.run_id
        await run_input.catalog.write(
            lambda db: broken_lines.note(db, query_id, lines, SOURCE, run_id)
        )

    async def _join(self, run_input: DownloadInput, keys: Sequence[_Key]) -> None:
        """Add the queries that are new, in one transaction."""
        new = list(dict.fromkeys(key for key in keys if key not in self._queries))
        if new:
            queries = [Query(text, label, self._limit) for text, label in new]
            self._queries.update(zip(new, await run_input.add_queries(queries), strict=True))

    def _notify(self, listing: OpenList) -> None:
        while listing.notices:
            self._listener(Notice(listing.notices.pop(0)))

    def _report_line(self, name: str, line: BadLine) -> None:
        self.bad_lines += 1
        if self.bad_lines <= _SHOWN:
            self._listener(Notice(f"{name}:{line.number}: {line.problem}", level="warning"))
        elif self.bad_lines == _SHOWN + 1:
            self._listener(Notice("further broken lines are only counted", level="warning"))


def _key_of(candidate: Candidate) -> _Key:
    return candidate.query, candidate.label


def _next_batch(reader: Iterator[Candidate | BadLine]) -> list[Candidate | BadLine]:
    return list(islice(reader, _BATCH))
