"""Makes a data set folder of a set of shards, without asking any host.

The pictures pass through the same judgement as those of a download: near duplicates are found over
all shards, as on one machine. Outcomes of URLs that brought no picture are taken over.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace as with_changes
from itertools import count
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.cluster.readers.reading import ShardSet
from pixtrawl.config.groups import Config
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.base import Engine, Feed, WorkerSpec
from pixtrawl.engines.task_runner import TaskRunner
from pixtrawl.errors import StorageError
from pixtrawl.events import Event
from pixtrawl.folder.layout import staged_name
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Candidate, ImageInfo, Kind, Outcome, Reason, Task
from pixtrawl.net.client import Client
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.pipeline.feeders.download import download
from pixtrawl.pipeline.lists import Given
from pixtrawl.report import Report

__all__ = ["collect"]

_AT_ONCE: Final = 16  # pictures read from the store
_KEPT: Final = (
    "reason", "detail", "kind", "fetched_url", "final_url", "http_status", "attempts",
    "fetched_bytes", "elapsed_s", "fetched_at", "rights", "data", "key", "offset", "length",
    "format",
)  # fmt: skip


async def collect(shards: ShardSet, config: Config, listener: Callable[[Event], None]) -> Report:
    """Make or complete a data set folder, `config.job.output`, of a set of shards.

    The same call goes on after a kill. Raise UsageError, StorageError or EngineError.
    """
    reader = _ShardFeed(shards)
    given = Given("shards", reader.candidates())
    config = with_changes(config, job=with_changes(config.job, retry="none"))
    return await download([given], config, listener=listener, engine_kind=reader)


class _ShardFeed:
    """Yields the rows of a set as candidates, and opens the engine that knows their outcomes."""

    def __init__(self, shards: ShardSet) -> None:
        self._shards = shards
        self._rows: dict[bytes, bytes] = {}  # packed, by key of the URL

    def candidates(self) -> Iterator[Candidate]:
        pack = msgspec.msgpack.encode
        for row in self._shards.rows(as_fetched=True):
            self._rows[urls.url_key(row["url"])] = pack({name: row[name] for name in _KEPT})
            yield Candidate(
                url=row["url"], query=row["query"], label=row["label"], source=row["source"],
                rank=row["rank"] or 0, page_url=row["page_url"], title=row["title"],
                alt=row["alt"], license=row["license"], license_url=row["license_url"],
                creator=row["creator"], extra=row["extra"] or "",
            )  # fmt: skip

    async def open(
        self, spec: WorkerSpec, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> Engine:
        """Open the engine, as `EngineKind.open`."""
        return ShardsEngine(self._shards, self._rows, spec, arrivals, emit)


class ShardsEngine:
    """`Engine` whose pictures come from a set of shards."""

    def __init__(
        self,
        shards: ShardSet,
        rows: dict[bytes, bytes],
        spec: WorkerSpec,
        arrivals: Arrivals,
        emit: Callable[[Event], None],
    ) -> None:
        """`rows` are filled as candidates are read: before their tasks are."""
        self._shards = shards
        self._rows = rows
        self._spec = spec
        self._keep = arrivals.keep
        self._names = count()
        self._client = Client(spec.fetch)
        self._hosts = HostAccounts(
            self._client, spec.politeness, spec.fetch, emit, scratch=spec.staging
        )
        images = spec.rules.images
        self._decoders: DecoderPool | None = None
        if images.check == "full":
            self._decoders = DecoderPool(images, spec.staging, transform=spec.transform, emit=emit)
        self._runner = TaskRunner(self._work, _AT_ONCE)

    @property
    def hosts(self) -> HostAccounts:
        """As `Engine.hosts`; no host is asked."""
        return self._hosts

    @property
    def idle(self) -> bool:
        """As `Engine.idle`."""
        return self._runner.idle

    async def run(self, feed: Feed) -> None:
        """As `Engine.run`."""
        await self._runner.run(feed)

    async def aclose(self) -> None:
        """As `Engine.aclose`."""
        await self._runner.aclose()
        if self._decoders is not None:
            await self._decoders.aclose()
        await self._hosts.aclose()
        await self._client.aclose()

    async def _work(self, task: Task) -> Outcome:
        packed = self._rows.pop(urls.url_key(task.candidate.url), None)
        if packed is None:  # of an earlier run over another list
            return Outcome(reason=Reason.INTERRUPTED)
        row: dict[str, Any] = msgspec.msgpack.decode(packed)
        outcome = Outcome(
            reason=Reason(row["reason"]), detail=row["detail"] or "", kind=Kind(row["kind"]),
            url=row["fetched_url"] or "", final_url=row["final_url"] or "",
            http_status=row["http_status"] or 0, attempts=row["attempts"],
            size_bytes=row["fetched_bytes"], elapsed_s=row["elapsed_s"],
            fetched_at=row["fetched_at"] or "",
            rights=msgspec.json.decode(row["rights"]) if row["rights"] else {},
        )  # fmt: skip
        return outcome if row["data"] is None else await self._stage(task, outcome, row)

    async def _stage(self, task: Task, outcome: Outcome, row: dict[str, Any]) -> Outcome:
        data = await asyncio.to_thread(self._shards.picture, row)
        name = staged_name(f"shards-{task.id}-{next(self._names)}")
        path = self._spec.staging / name
        try:
            await asyncio.to_thread(path.write_bytes, data)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error}") from error
        try:
            verdict = await self._look(name, row["format"], len(data))
        except BaseException:  # cancelled: no outcome will name the file
            path.unlink(missing_ok=True)
            raise
        if verdict.info is None:
            path.unlink(missing_ok=True)
            reason = verdict.reason or Reason.CORRUPT
            return replace(outcome, reason=reason, detail=verdict.detail)
        sha256 = hashlib.sha256(data).hexdigest()
        if verdict.rendition is not None and self._keep is not None:
            self._keep(sha256, verdict.rendition)
        info = replace(verdict.info, sha256=sha256, size_bytes=len(data))
        return replace(outcome, info=info, staged_name=name)

    async def _look(self, name: str, format_: str, size_bytes: int) -> Verdict:
        if self._decoders is None:
            return Verdict(ImageInfo(format=format_))
        self._decoders.begin()
        return await self._decoders.inspect(name, size_bytes)
