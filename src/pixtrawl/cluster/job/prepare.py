"""Divides manifests into the shards of a job, and writes them to its store.

Rows pass through local disk (`spool`), so memory does not grow with their number.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from pixtrawl.cluster.job import description as jobs
from pixtrawl.cluster.job.description import JobDescription
from pixtrawl.cluster.job.partition import Shard, ShardEntry, shards_of
from pixtrawl.cluster.job.spool import Spool
from pixtrawl.cluster.store import Store
from pixtrawl.config.groups import Lists
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.labels import Labels
from pixtrawl.manifests.reader import BadLine, read_manifest
from pixtrawl.model import Candidate
from pixtrawl.pipeline.lists import given_columns, is_address
from pixtrawl.pipeline.parquet_manifest import read_rows as read_parquet

__all__ = ["prepare"]

_UPLOADS: Final = 16  # at once
_PENDING_BYTES: Final = 16 * 2**20  # of objects that wait for their upload, and one more


def prepare(  # noqa: PLR0913 - what a job is made of
    manifests: Sequence[str],
    store: Store,
    *,
    to: str,
    settings: Mapping[str, Any],
    label: str | None = None,
    lists: Lists = Lists(),
    shard_rows: int,
    lease_s: float,
    scratch: Path | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> JobDescription:
    """Write a job to a store, from manifests that are paths, folders, or URLs of fsspec's.

    The same manifests and settings again change nothing, but for objects of the job that are gone
    or damaged: these are written again. `notify` takes sentences for the user.

    Raise UsageError for a manifest that cannot be read, or where the store holds another job;
    StorageError.
    """
    with tempfile.TemporaryDirectory(prefix="pixtrawl-prepare-", dir=scratch) as folder:
        reading = _ManifestFiles(Path(folder), label, lists, notify)
        spool = Spool(Path(folder))
        spool.take(reading.candidates(manifests))
        if not spool.rows:
            raise UsageError(
                "the manifests hold no row that could be fetched; check their column of URLs"
            )
        before = jobs.read_job(store) if jobs.has_job(store) else None
        uploads = _Uploads(store) if before is None else _Mending(store, Path(folder))
        # Of its own: two that prepare at once must not write over each other's index.
        index = secrets.token_hex(4) if before is None else before.index
        writing = _Writing(uploads, index)
        for shard in shards_of(spool.groups(), shard_rows):
            writing.add(shard)
        writing.close()
        job = JobDescription(
            fingerprint=writing.fingerprint(to, settings), to=to, settings=settings,
            lease_s=lease_s, shard_rows=shard_rows, shards=writing.shards, index=index,
            index_pieces=writing.pieces, rows=writing.rows, duplicates=spool.duplicates,
            bad_lines=reading.bad_lines, largest_group=writing.largest[1],
            largest_rows=writing.largest[0],
        )  # fmt: skip
        if before is not None:
            _compare(store, before, job)
            if mended := uploads.end():
                notify(f"{mended:,} objects of the job were gone or damaged and are there again")
            return before
        uploads.end()
        if reading.bad_lines:
            store.put_file(jobs.BAD_LINES, reading.bad_path)
        if jobs.write_job(store, job):
            return job
        for piece in range(job.index_pieces):
            store.remove(jobs.index_name(index, piece))
        first = jobs.read_job(store)
        _compare(store, first, job)
        return first


def _compare(store: Store, there: JobDescription, job: JobDescription) -> None:
    if there.fingerprint != job.fingerprint:
        raise UsageError(
            f"{store.url} holds a job of other manifests or settings; give those it was made with, "
            "or name another store with -o"
        )


class _ManifestFiles:
    """Reads manifests one after another; broken lines go into a file of their own."""

    def __init__(
        self, folder: Path, label: str | None, lists: Lists, notify: Callable[[str], None]
    ) -> None:
        self.bad_lines = 0
        self.bad_path = folder / jobs.BAD_LINES
        self._fetched_folder = folder / "fetched"  # their names are none of ours
        self._fetched_folder.mkdir()
        self._label = label
        self._given = given_columns(lists)
        self._labels = Labels()
        self._notify = notify

    def candidates(self, manifests: Sequence[str]) -> Iterator[Candidate]:
        notices: list[str] = []
        with self.bad_path.open("wb") as bad:
            for path, shown in self._files(manifests):
                rows = read_manifest(
                    path, label=self._label, labels=self._labels, read_parquet=read_parquet,
                    given=self._given, notices=notices,
                )  # fmt: skip
                for row in rows:
                    if isinstance(row, BadLine):
                        self.bad_lines += 1
                        line = {"manifest": shown, "line": row.number, "problem": row.problem}
                        bad.write(msgspec.json.encode({**line, "text": row.text}) + b"\n")
                    else:
                        yield row
                while notices:
                    self._notify(notices.pop(0))

    def _files(self, manifests: Sequence[str]) -> Iterator[tuple[Path, str]]:
        for word in manifests:
            if is_address(word):
                yield from self._fetched(word)
            elif Path(word).is_dir():
                found = sorted(one for one in Path(word).iterdir() if one.is_file())
                if not found:
                    raise UsageError(f"{word}: the folder is empty; name manifests or their folder")
                yield from ((one, str(one)) for one in found)
            else:
                yield Path(word), word

    def _fetched(self, url: str) -> Iterator[tuple[Path, str]]:
        """Copy the manifests that a URL names (`*` for many), one after the other."""
        import fsspec

        try:
            fs, root = fsspec.core.url_to_fs(url)
            names = sorted(fs.glob(root)) if "*" in root else [root]
        except Exception as error:  # clients raise what they like
            raise UsageError(f"{url}: {error}") from error
        if not all(Path(str(name)).name for name in names) or not names:
            raise UsageError(f"{url}: there is no such manifest")
        for name in names:
            path = self._fetched_folder / Path(str(name)).name
            try:
                fs.get_file(name, str(path))
            except Exception as error:  # clients raise what they like
                raise UsageError(f"{url}: cannot be read: {error}") from error
            yield path, str(name)
            with suppress(FileNotFoundError):
                path.unlink()


class _ObjectSink(Protocol):
    def put(self, name: str, data: bytes) -> None:
        """Take an object of the job."""
        ...

    def end(self) -> int:
        """Wait for the uploads; return how many objects were written."""
        ...


class _Uploads:
    """Writes several objects at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(_UPLOADS)
        self._running: dict[Future[None], int] = {}  # bytes of the object
        self._pending_bytes = 0
        self._count = 0

    def put(self, name: str, data: bytes) -> None:
        self._wait(_PENDING_BYTES)
        self._running[self._pool.submit(self._store.put, name, data)] = len(data)
        self._pending_bytes += len(data)
        self._count += 1

    def end(self) -> int:
        self._wait(0)
        self._pool.shutdown()
        return self._count

    def _wait(self, most_bytes: int) -> None:
        """Wait until no more than so much is to be uploaded, and few objects."""
        while self._pending_bytes > most_bytes or len(self._running) > 4 * _UPLOADS:
            done = next(iter(self._running))
            self._pending_bytes -= self._running.pop(done)
            try:
                done.result()
            except StorageError:
                self._pool.shutdown(cancel_futures=True)
                raise


class _Mending:
    """Writes those objects of a job that its store lacks, or has in another size.

    Not before `end`: until all rows are read it may prove to be another job.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder / "mending"
        self._folder.mkdir()
        found = [*store.entries("shards"), *store.entries("index")]
        self._sizes = {entry.name: entry.size_bytes for entry in found}
        self._missing: list[str] = []

    def put(self, name: str, data: bytes) -> None:
        if self._sizes.get(name) != len(data):
            (self._folder / str(len(self._missing))).write_bytes(data)
            self._missing.append(name)

    def end(self) -> int:
        for number, name in enumerate(self._missing):
            self._store.put(name, (self._folder / str(number)).read_bytes())
        return len(self._missing)


class _Writing:
    """Makes the objects of shards and of the index."""

    def __init__(self, objects: _ObjectSink, index: str) -> None:
        self.shards = self.rows = self.pieces = 0
        self.largest = (0, "")
        self._objects = objects
        self._index = index
        self._entries: list[ShardEntry] = []
        self._digest = blake2b(digest_size=16)
        self._chain = (0, "")  # rows of the present chain, and its group

    def add(self, shard: Shard) -> None:
        entry = shard.entry
        self.shards += 1
        self.rows += entry.rows
        self._digest.update(entry.id.encode())
        if entry.chain != entry.id:
            before = self._chain[0] if entry.place else 0
            self._chain = (before + entry.rows, entry.largest)
            self.largest = max(self.largest, self._chain)
        else:
            self.largest = max(self.largest, (entry.largest_rows, entry.largest))
        self._objects.put(jobs.rows_name(entry.id), jobs.pack_rows(shard.rows))
        self._entries.append(entry)
        if len(self._entries) >= jobs.INDEX_ENTRIES:
            self._put_index()

    def close(self) -> None:
        if self._entries:
            self._put_index()

    def fingerprint(self, to: str, settings: Mapping[str, Any]) -> str:
        digest = self._digest.copy()
        digest.update(msgspec.json.encode([to, settings], order="deterministic"))
        return digest.hexdigest()

    def _put_index(self) -> None:
        name = jobs.index_name(self._index, self.pieces)
        self._objects.put(name, msgspec.json.encode(self._entries))
        self.pieces += 1
        self._entries = []
