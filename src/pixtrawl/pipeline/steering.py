"""Orders candidates before they are fetched, by the decisions of a person on their label.

The thumbnails that sources name are fetched by the rules of every file (pace, robots.txt, excluded
hosts, the address guard), decoded in contained decoders and compared with the label's decided
images: by the embeddings of the run's model, else by looks. Nothing of them is kept, and no
candidate is dropped: one whose thumbnail is missing stands between the liked and the refused.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.catalog.views.alike import LookOf
from pixtrawl.config.groups import Config
from pixtrawl.errors import FetchError
from pixtrawl.events import Event, Notice
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Candidate, Task
from pixtrawl.net.fetcher import Fetcher
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.net.interface import Request
from pixtrawl.report import SteeringReport
from pixtrawl.transform import BadPictureError, Transform
from pixtrawl.worker import TakenDown

if TYPE_CHECKING:
    from pixtrawl.scoring.likeness.spaces import Space
    from pixtrawl.scoring.likes.examples import Examples, LikeModel
    from pixtrawl.scoring.models.interface import Embedder, Vectors

__all__ = ["Steering"]

_AT_ONCE: Final = 32  # thumbnails of one query in progress; hosts have limits of their own
_MAX_BYTES: Final = 1 << 20  # of a thumbnail
_TIMEOUT_S: Final = 10.0  # for one
_PATIENCE_S: Final = 20.0  # for those of one window: later ones are left unranked
_BATCH: Final = 32  # thumbnails that go through the model at a time
_DECODERS: Final = 2


class _CandidateLooks(Struct):
    """The facts known of one query's candidates, by task id; None: its thumbnail cannot be had."""

    seen: dict[int, Vectors | None] = {}
    without: set[int] = set()  # candidates without a thumbnail
    left: set[int] = set()  # beyond the bound


class Steering:
    """Ranks the candidates of a run. Bound to one event loop."""

    def __init__(  # noqa: PLR0913 - what a run has of it
        self,
        config: Config,
        hosts: HostAccounts,
        catalog: Catalog,
        taken_down: TakenDown,
        model: Embedder | None,
        emit: Callable[[Event], None],
        spent: Callable[[int], None],
    ) -> None:
        """`model` embeds thumbnails in place of looks; `spent` is called with fetched bytes."""
        fetch = replace(config.fetch, retries=0)
        self._fetcher = Fetcher(hosts.client, config.politeness, fetch, hosts=hosts)
        self._images = config.images
        self._most = config.job.steer
        self._catalog = catalog
        self._taken_down = taken_down
        self._model = model
        self._emit = emit
        self._spent = spent
        self._queries: dict[int, _CandidateLooks] = {}
        self._fitted: dict[str, LikeModel | None] = {}
        self._labels: frozenset[str] | None = None  # with decisions; None: to be looked up
        self._space: Space | None = None  # chosen at the first use, for the whole run
        self._ended = {"ranked": 0, "failed": 0, "without": 0, "left": 0}
        self._pool: DecoderPool | None = None
        self._closing = ExitStack()
        self._places = asyncio.Semaphore(_AT_ONCE)

    # -- what is decided

    def steers(self, db: sqlite3.Connection, label: str) -> bool:
        """Return whether a person liked or refused images of the label."""
        if self._labels is None:
            self._labels = frozenset(one.label for one in look_pairs.marked(db))
        return label in self._labels

    def decided(self) -> None:
        """Note that a person decided on images: what was fitted before no longer holds."""
        self._fitted.clear()
        self._labels = None

    async def _liking(self, label: str) -> LikeModel | None:
        if label not in self._fitted:
            examples = await self._catalog.write(lambda db: self._examples(db, label))
            fitted = None if examples is None else await asyncio.to_thread(examples.fit)
            self._fitted[label] = fitted
        return self._fitted[label]

    def _examples(self, db: sqlite3.Connection, label: str) -> Examples | None:
        if not self.steers(db, label):
            return None
        from pixtrawl.scoring.likeness.spaces import Space
        from pixtrawl.scoring.likes.examples import (  # with numpy: seldom needed
            examples_of,
            space_for_likes,
        )

        if self._space is None:
            name = None if self._model is None else self._model.name
            self._space = Space("look") if name is None else space_for_likes(db, name)
        return examples_of(db, self._space, label)

    # -- ranking

    async def rank(self, row: QueryRow, tasks: Sequence[Task]) -> Mapping[int, float]:
        """Return the likeness (0 to 1) of each candidate to the images kept, where that is known.

        Empty without decisions on images of the label. Raise EngineError or StorageError.
        """
        liking = await self._liking(row.query.label)
        if liking is None or not tasks:
            return {}
        import numpy as np

        first = row.id not in self._queries
        query = self._queries.setdefault(row.id, _CandidateLooks())
        await self._look_at(query, self._chosen(query, tasks))
        known = [(one.id, v) for one in tasks if (v := query.seen.get(one.id)) is not None]
        if first:
            self._notify(row, len(known))
        if not known:
            return {}
        merits = liking.scores(np.stack([vector for _, vector in known])).tolist()
        return dict(zip([id_ for id_, _ in known], merits, strict=True))

    def _chosen(self, query: _CandidateLooks, tasks: Sequence[Task]) -> list[Task]:
        """Return the candidates whose thumbnail is to be fetched, in the order of their rank."""
        found: list[Task] = []
        room = self._most - len(query.seen)
        for task in sorted(tasks, key=lambda one: one.candidate.rank):
            if task.id in query.seen:
                continue
            if not self._has_thumbnail(task.candidate):
                query.without.add(task.id)
            elif len(found) < room:
                found.append(task)
            else:
                query.left.add(task.id)
        return found

    def _has_thumbnail(self, candidate: Candidate) -> bool:
        url = candidate.thumb_url
        return bool(url) and all(
            self._taken_down(candidate, one) is None for one in (candidate.url, str(url))
        )

    async def _look_at(self, query: _CandidateLooks, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        query.seen.update((task.id, None) for task in tasks)
        looking = {asyncio.create_task(self._verdict(task)): task.id for task in tasks}
        try:
            done, late = await asyncio.wait(looking, timeout=_PATIENCE_S)
        finally:
            for one in looking:
                one.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        verdicts = [(looking[one], verdict) for one in done if (verdict := one.result())]
        for at in range(0, len(verdicts), _BATCH):
            block = verdicts[at : at + _BATCH]
            query.seen.update(await asyncio.to_thread(self._vectors, block))

    async def _verdict(self, task: Task) -> Verdict | None:
        """Fetch and decode a thumbnail. None: it cannot be had."""
        candidate = task.candidate
        assert candidate.thumb_url is not None
        request = Request(url=candidate.thumb_url, max_bytes=_MAX_BYTES, timeout_s=_TIMEOUT_S)
        async with self._places:
            try:
                body = (await self._fetcher.fetch(request)).response.body
            except FetchError:  # no thumbnail to be had: the candidate keeps its rank
                return None
            self._spent(len(body))
            pool = self._decoders()
            staged = Path(pool.staging) / str(task.id)
            try:
                await asyncio.to_thread(staged.write_bytes, body)
                verdict = await pool.inspect(staged.name, len(body))
            except OSError:  # the files themselves report a full disk
                return None
            finally:
                with suppress(OSError):
                    staged.unlink()
        return None if verdict.info is None else verdict

    def _decoders(self) -> DecoderPool:
        if self._pool is None:
            folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="pixtrawl-"))
            images = replace(self._images, decoders=_DECODERS)
            self._pool = DecoderPool(images, Path(folder), transform=self._transform())
        return self._pool

    def _embeds(self) -> bool:
        return self._space is not None and self._space.by == "embedding"

    def _transform(self) -> Transform | None:
        if self._model is None or not self._embeds():
            return None
        return self._model.preprocess.transform

    def _vectors(self, verdicts: Sequence[tuple[int, Verdict]]) -> dict[int, Vectors]:
        """Return the vectors of thumbnails by task id, in the space of the decided images."""
        if self._embeds():
            return self._embedded(verdicts)
        from pixtrawl.scoring.likeness.spaces import look_vectors

        rows = [
            LookOf(id_, one.info.thumb, one.info.chroma, _measures(one.info.measures))
            for id_, one in verdicts
            if one.info is not None and one.info.thumb
        ]
        return dict(zip([row.id for row in rows], look_vectors(rows), strict=True)) if rows else {}

    def _embedded(self, verdicts: Sequence[tuple[int, Verdict]]) -> dict[int, Vectors]:
        import numpy as np

        assert self._model is not None
        ids: list[int] = []
        pixels: list[Any] = []
        for id_, one in verdicts:
            if one.rendition is not None:
                with suppress(BadPictureError):
                    pixels.append(self._model.preprocess.pixels(one.rendition.data))
                    ids.append(id_)
        if not ids:
            return {}
        return dict(zip(ids, self._model.embed_images(np.stack(pixels)), strict=True))

    # -- notices, and the end

    def _notify(self, row: QueryRow, ranked: int) -> None:
        if self._model is not None and not self._embeds():
            self._emit(
                Notice(
                    "--model: the images that you liked and refused have no embeddings by it yet, "
                    "so looks are compared; `pixtrawl score DIR --model MODEL --as NAME` makes them"
                )
            )
        how = "by what they show" if self._embeds() else "by looks (light, layout, colours)"
        self._emit(
            Notice(
                f"{row.query.text}: {ranked:,} candidates are ordered by their thumbnails, {how}, "
                "as you liked and refused images (--steer 0: in the order of the sources)"
            )
        )

    def forget(self, query_id: int) -> None:
        """Count a query that has ended, and drop its vectors."""
        query = self._queries.pop(query_id, None)
        if query is None:
            return
        ranked = sum(one is not None for one in query.seen.values())
        self._ended["ranked"] += ranked
        self._ended["failed"] += len(query.seen) - ranked
        self._ended["without"] += len(query.without)
        self._ended["left"] += len(query.left - query.seen.keys())

    def summary(self) -> SteeringReport | None:
        """Return how candidates were ordered; None where none was."""
        for query_id in list(self._queries):
            self.forget(query_id)
        if not any(self._ended.values()) or self._space is None:
            return None
        return SteeringReport(by=self._space.by, model=self._space.model, **self._ended)

    async def aclose(self) -> None:
        """End the decoders and remove what was staged."""
        if self._pool is not None:
            await self._pool.aclose()
        self._closing.close()


def _measures(found: Mapping[str, float | None]) -> str:
    given = {name: value for name, value in found.items() if value is not None}
    return msgspec.json.encode(given).decode()
