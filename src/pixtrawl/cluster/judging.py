"""Finds duplicates over all shards, by the judge that decides on duplicates in a folder.

The rows of all shards are sorted on local disk, so that the judge sees them in the order of the
manifests, as on one machine. It works on hashes and thumbnails that the workers have left; only the
pictures that look alike are fetched, to choose the best of each group. Memory: about 0.5 KB a
picture; disk: about 12 KB.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pixtrawl.catalog import frontier
from pixtrawl.catalog.compared import CopyToCompare
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.catalog.shard_rows import (
    RowSpool,
    add_judged,
    create_judged,
    places_of,
    verdicts,
)
from pixtrawl.cluster import outcome_tables
from pixtrawl.cluster.duplicates import DuplicatesEntry, write_entry
from pixtrawl.cluster.readers.reading import ShardSet
from pixtrawl.cluster.readers.shard_sample import sample_of
from pixtrawl.config.groups import Images
from pixtrawl.dedup import Level
from pixtrawl.events import ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import quarantine_name
from pixtrawl.images.rules import Rules
from pixtrawl.model import Outcome, Query, Reason, Sample, Task
from pixtrawl.pipeline.best_copies import keep_best_copies
from pixtrawl.pipeline.decide.judge import Judge

__all__ = ["find_duplicates"]

_BATCH: Final = 500


def find_duplicates(
    shards: ShardSet,
    images: Images,
    *,
    scratch: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> DuplicatesEntry:
    """Decide on every picture of a set, and write the table of those to leave out.

    Args:
        shards: the set; its shards that are committed now.
        images: `dedup`, `conflict` and `turned` count, as for a download.
        scratch: local folder with room.
        on_progress: called with the pictures decided on and their total.

    Raises:
        StorageError: the store or the local disk.
    """
    with tempfile.TemporaryDirectory(prefix="pixtrawl-duplicates-", dir=scratch) as folder:
        search = _DuplicateSearch(shards, images, Path(folder), on_progress)
        try:
            search.judge_all()
            if not _are_changed(shards):
                asyncio.run(search.choose_best())
            return search.written()
        finally:
            search.close()


class _DuplicateSearch:
    def __init__(
        self,
        shards: ShardSet,
        images: Images,
        folder: Path,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._shards = shards
        self._images = images
        self._folder = folder
        self._on_progress = on_progress
        self._spool = RowSpool(folder / "rows.sqlite3")
        self._catalog = Catalog(folder / "catalog.sqlite3", survives_power_cut=False)
        self._judge = Judge(Level(images.dedup), 0, Rules(images))
        self._queries: dict[tuple[str, str], QueryRow] = {}
        self._last = 0  # candidate claimed
        self._committed = self._total = 0

    def close(self) -> None:
        self._spool.close()
        self._catalog.close()

    def judge_all(self) -> None:
        """Decide on every picture by hashes and thumbnails."""
        self._total = total = self._take()
        self._catalog.write_now(create_judged)
        rows = self._spooled()
        done = 0
        while batch := list(islice(rows, _BATCH)):
            self._catalog.write_now(lambda db, some=batch: self._decide(db, some), synced=False)  # type: ignore[misc]
            done += len(batch)
            self._on_progress(done, total)

    async def choose_best(self) -> None:
        """Compare the pictures that look alike, as at the end of a run; some at a time on disk."""
        folder = Folder(self._folder / "images", durable=False)
        folder.create()

        async def bring(rows: Sequence[CopyToCompare]) -> None:
            shutil.rmtree(folder.root)
            folder.create()
            names = {row.sample_id: row.file_name for row in rows}
            hashes = {row.candidate_id: quarantine_name(row.sha256) for row in rows}
            kept, copies = self._catalog.write_now(
                lambda db: places_of(db, names, hashes), synced=False
            )
            wanted = [(kept[one], name) for one, name in names.items()]
            wanted += [(copies[one], name) for one, name in hashes.items()]
            wanted_paths = [(row, folder.root / name) for row, name in wanted]
            await asyncio.gather(*(asyncio.to_thread(self._fetch, *one) for one in wanted_paths))

        await keep_best_copies(self._catalog, folder, self._images, ignore, bring)

    def _fetch(self, row: int, path: Path) -> None:
        data = self._shards.picture(msgspec.msgpack.decode(self._spool.body(row)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _take(self) -> int:
        """Spool the rows with pictures, with their thumbnails. Return their number."""
        pack = msgspec.msgpack.Encoder().encode
        total = 0
        for commit, path in self._shards.tables():
            self._committed += 1
            looks: dict[int, Sequence[bytes]] = {}
            if commit.looks is not None:
                looks_path = self._folder / "looks.parquet"
                self._shards.store.fetch(commit.looks.name, looks_path)
                looks = {row: look for row, *look in outcome_tables.read_looks(looks_path)}
                looks_path.unlink()
            kept: list[tuple[int, bytes]] = []
            for row in outcome_tables.read_outcomes(path):
                if row["data"] is not None:
                    look = looks.get(row["row"], (b"", b"", b""))
                    row["thumb"], row["chroma"], row["fine"] = look
                    kept.append((row["row"], pack(row)))
            self._spool.add(commit.shard, kept)
            total += len(kept)
        return total

    def _spooled(self) -> Iterator[tuple[str, Sample]]:
        """Yield shard and sample in the order of the manifests."""
        decoder = msgspec.msgpack.Decoder(dict[str, Any])
        for shard, body in self._spool:
            yield shard, sample_of(decoder.decode(body), 0, {}, "", as_fetched=True)

    def _decide(self, db: sqlite3.Connection, batch: list[tuple[str, Sample]]) -> None:
        pairs = []
        for shard, sample in batch:
            task = self._task(db, sample)
            add_judged(db, task.id, sample.number, shard)
            pairs.append((task, _outcome(sample)))
        self._judge.decide(db, pairs)

    def _task(self, db: sqlite3.Connection, sample: Sample) -> Task:
        candidate = replace(sample.candidate, extra="")
        known = candidate.query, candidate.label
        query = self._queries.get(known)
        if query is None:
            query = self._queries[known] = frontier.ensure_query(db, Query(*known), 0)
            self._judge.expect(query.id, None, 0)
        frontier.add(db, query.id, [candidate], thumbnails=True)
        for kind in (False, True):
            for task in frontier.claim(db, query, after=self._last, count=1, thumbnails=kind):
                self._last = task.id
                return task
        raise AssertionError(f"{candidate.url} is there twice")  # a job holds each URL once

    def written(self) -> DuplicatesEntry:
        """Write the table to the store, as the one that counts."""
        name = f"duplicates/{secrets.token_hex(8)}.parquet"
        path = self._folder / "duplicates.parquet"
        table = outcome_tables.DuplicatesFile(path)
        reasons: Counter[str] = Counter()
        with closing(connect(self._folder / "catalog.sqlite3", read_only=True)) as db:
            for row in verdicts(db):
                table.add(row)
                reasons[row["reason"]] += 1
        table.close()
        self._shards.store.put_file(name, path)
        entry = DuplicatesEntry(
            table=name, dedup=self._images.dedup, turned=self._images.turned,
            shards=self._committed, pictures=self._total, duplicates=sum(reasons.values()),
            reasons=dict(reasons.most_common()),
        )  # fmt: skip
        write_entry(self._shards.store, entry)
        return entry


def _are_changed(shards: ShardSet) -> bool:
    """Return whether pictures were resized or encoded anew: too late to find the best copy."""
    return any(f"export.{name}" in shards.job.settings for name in ("resize", "encode"))


def _outcome(sample: Sample) -> Outcome:
    return Outcome(
        reason=Reason.SAVED, info=sample.info, url=sample.url, kind=sample.kind,
        final_url=sample.final_url, size_bytes=sample.info.size_bytes,
        rights=dict(sample.rights), fetched_at=sample.fetched_at, staged_name="none",
    )  # fmt: skip
