"""Keeps the best N images of a pool for each query of a run, by a model and a person's decisions.

Images are collected up to the size of the pool and scored while others are fetched, by a small
picture that the decoder makes as it inspects the file. When the pool is full, or the sources are
exhausted, the best N stay (`scoring.likes.pool_values` says which are); clear misfits and the rest
are withdrawn with reason and score. Where fewer than N fit, the query goes on with a pool for the
missing ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final, cast

from msgspec import Struct

from pixtrawl.catalog import frontier
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.decisions import topic_refusals
from pixtrawl.catalog.decisions.topic_refusals import PoolImage
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.catalog.relations import Withdrawal
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.catalog.views.table import marked_ids
from pixtrawl.events import Event, Notice
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Reason
from pixtrawl.pipeline.decide.judge import Judge
from pixtrawl.scoring.likes.pool_values import (
    AT_ONCE,
    Others,
    PoolValues,
    PoolView,
    own_label_chances,
    read_others,
    read_view,
    values_of,
)
from pixtrawl.scoring.likes.selection import PoolSelection, select
from pixtrawl.scoring.models.interface import Embedder, Model, Vectors, to_bytes
from pixtrawl.scoring.models.pictures import PictureBatches
from pixtrawl.scoring.models.small_pictures import SmallPictures
from pixtrawl.scoring.score import PROMPT, RELEVANCE

__all__ = ["PoolChoice", "TopicPool"]

_EVERY_S: Final = 0.2
_BATCH: Final = 32
_FACTOR: Final = 3  # images of a pool for each one wanted
_COLUMNS: Final = {RELEVANCE: "float", f"{RELEVANCE}_outlier": "bool"}

Pool = tuple[list[PoolImage], PoolView]  # its images, and what is known of them


class PoolChoice(Struct, frozen=True):
    """The result for a query: images it has now, and how many it is to collect."""

    saved: int
    collect: int | None


class TopicPool:
    """Scores the images of a run, and chooses among those of a query."""

    def __init__(  # noqa: PLR0913 - the parts of a run that it reads and informs
        self, model: Embedder, pool: int | None, catalog: Catalog, folder: Folder, judge: Judge,
        emit: Callable[[Event], None], small: SmallPictures | None = None,
    ) -> None:  # fmt: skip
        """`pool` is the number of images collected for each query; None: three for each wanted.

        `small` has the pictures that decoders made for the model; others are read from their files.
        """
        self._small = small
        self._model = model
        self._pool = pool
        self._catalog = catalog
        self._folder = folder
        self._judge = judge
        self._emit = emit
        self._texts: dict[int, Vectors] = {}
        self._names: dict[int, str] = {}
        self._labels: dict[int, str] = {}
        self._wanted: dict[int, int | None] = {}
        self._chosen: dict[int, int] = {}  # images of a query after its last choice
        self._unreadable: set[int] = set()
        self._model_id = catalog.write_now(lambda db: scores.note_model(db, model.name, {}))
        self._embedding = asyncio.Lock()
        self._valuing = asyncio.Lock()
        self._full: dict[int, None] = {}  # queries whose pools wait for their values, in order
        self._valued: dict[int, tuple[list[PoolImage], PoolValues]] = {}
        self._loop = asyncio.get_running_loop()

    # -- joining a query

    def join(self, db: sqlite3.Connection, row: QueryRow) -> tuple[int, int | None]:
        """Note a query inside a transaction.

        Return how many images it has, and how many it is to have before a choice. Images that
        another model refused are brought back first.
        """
        back = topic_refusals.of_other_models(db, row.id, self._model.name)
        there = [one.id for one in back if self._put_back(one.file_name, one.sha256)]
        topic_refusals.bring_back(db, there)
        wanted, saved = row.query.limit, frontier.saved_count(db, row.id)
        self._wanted[row.id] = wanted
        self._names[row.id] = row.query.text
        self._labels[row.id] = row.query.label
        self._chosen.setdefault(row.id, -1 if there else saved)
        refused = topic_refusals.refused_count(db, row.id)
        if not refused or (wanted is not None and saved < wanted):
            self._chosen[row.id] = -1  # no choice was made yet, or others may be taken now
        return saved, self._collect(wanted, saved, refused)

    def _collect(self, wanted: int | None, saved: int, refused: int) -> int | None:
        if wanted is None:
            return None
        pool = max(wanted, self._pool or _FACTOR * wanted)
        left = pool - saved - refused
        if left > 0:
            return saved + left
        return wanted if saved >= wanted else saved + _FACTOR * (wanted - saved)

    # -- scoring

    async def run(self) -> None:
        """Score images as they come, until cancelled."""
        while True:
            if not await self._score_some():
                await asyncio.sleep(_EVERY_S)

    async def _score_some(self) -> bool:
        async with self._embedding:
            rows = await self._catalog.write(
                lambda db: topic_refusals.unscored(
                    db, self._names, self._model.name, _BATCH + len(self._unreadable)
                )
            )
            rows = [row for row in rows if row[0] not in self._unreadable][:_BATCH]
            if not rows:
                return False
            found = await asyncio.to_thread(self._embed, rows)
            await self._catalog.write(lambda db: embeddings.store(db, self._model_id, found))
            return True

    def _embed(self, rows: list[tuple[int, str, str]]) -> list[tuple[int, bytes]]:
        pictures = PictureBatches(self._folder, self._model.preprocess, _BATCH, as_collected=True)
        found: list[tuple[int, bytes]] = []
        if self._small is not None:
            ids, small = self._small.take(rows)
            if small is not None:
                found += zip(ids, map(to_bytes, self._model.embed_images(small)), strict=True)
        seen = {id_ for id_, _ in found}
        for ids, pixels in pictures.of([row for row in rows if row[0] not in seen]):
            found += zip(ids, map(to_bytes, self._model.embed_images(pixels)), strict=True)
        self._unreadable |= {row[0] for row in rows} - {one for one, _ in found}
        return found

    # -- choosing

    def is_due(self, query_id: int, saved: int) -> bool:
        """Return whether a query has images that were not chosen among."""
        return query_id in self._names and saved != self._chosen[query_id]

    async def choose(self, query_id: int) -> PoolChoice:
        """Score what is left of a query, and keep its best images."""
        while await self._score_some():
            pass
        self._full[query_id] = None
        try:
            async with self._valuing:  # pools that fill up meanwhile are valued together
                if query_id not in self._valued:
                    await self._value(query_id)
                pool, values = self._valued.pop(query_id)
        finally:
            del self._full[query_id]
        return await self._catalog.call(partial(self._choose, query_id, pool, values))

    async def _value(self, query_id: int) -> None:
        """Value the pool of a query, and those of others that wait."""
        waiting = [query_id, *(one for one in self._full if one not in {query_id, *self._valued})]
        pools, others = await self._catalog.call(partial(self._read, waiting))
        texts = {one: await self._text(one) for one in pools}
        self._valued |= await asyncio.to_thread(_values, pools, texts, others)

    async def _text(self, query_id: int) -> Vectors | None:
        """Return the embedding of the query; None by a model that reads no texts."""
        if self._model.kind != "image-text":
            return None
        if query_id not in self._texts:
            text = PROMPT.replace("{}", self._names[query_id])
            model = cast("Model", self._model)
            (self._texts[query_id],) = await asyncio.to_thread(model.embed_texts, [text])
        return self._texts[query_id]

    def _read(self, query_ids: list[int]) -> tuple[dict[int, Pool], Others | None]:
        """Read pools, as many as a class check takes at once, and what they are told from."""
        model = self._model_id, self._model.name

        def read(db: sqlite3.Connection) -> tuple[dict[int, Pool], Others | None]:
            pools: dict[int, Pool] = {}
            for one in query_ids:
                images = topic_refusals.pool_of(db, one, model[1])
                pools[one] = images, read_view(db, self._labels[one], model, images)
                if sum(view.size for _, view in pools.values()) >= AT_ONCE:
                    break
            if self._model.kind == "image-text":
                return pools, None
            return pools, read_others(db, model[1], [view for _, view in pools.values()])

        return self._catalog.write_now(read)

    def _choose(self, query_id: int, pool: list[PoolImage], values: PoolValues) -> PoolChoice:
        hand = self._catalog.write_now(marked_ids)
        sure = frozenset(at for at, one in enumerate(pool) if one.id in hand)
        chosen = select(
            values.scores, self._wanted[query_id], sure=sure, merits=values.merits,
            limit=values.limit, spared=values.spared,
        )  # fmt: skip
        # Files first: a file in place of a refused image is set aside again by the next start.
        back = [
            pool[at].id for at in chosen.kept
            if not pool[at].kept and self._put_back(pool[at].file_name, pool[at].sha256)
        ]  # fmt: skip
        done = self._catalog.write_now(
            lambda db: self._write(db, query_id, pool, values, chosen, back)
        )
        for one in done:
            quarantine.put(self._folder, self._folder.root / one.file_name, one.sha256)
        return self._notify(query_id, chosen, values.decisions)

    def _write(
        self, db: sqlite3.Connection, query_id: int, pool: list[PoolImage],
        values: PoolValues, chosen: PoolSelection, back: list[int],
    ) -> list[Withdrawal]:  # fmt: skip
        model = self._model.name
        topic_refusals.bring_back(db, back)
        score, outlier = scores.begin(db, RELEVANCE, model, _COLUMNS)  # type: ignore[arg-type]
        for at, value in enumerate(values.scores):
            if value is not None:
                scores.put(db, [(pool[at].id, score.id, value), (pool[at].id, outlier.id, False)])
        done: list[Withdrawal] = []
        sides = ((chosen.misfits, Reason.OFF_TOPIC), (chosen.surplus, Reason.NOT_BEST))
        for side, reason in sides:
            for at in side:
                value, liked = values.scores[at], values.likes[at]
                detail = "not scored" if value is None else f"score {value:.3f}"
                if liked is not None:
                    detail += f", liked {liked:.2f}"
                if chosen.limit is not None and reason is Reason.OFF_TOPIC:
                    detail += f", limit {chosen.limit:.3f}"
                if not pool[at].kept:
                    topic_refusals.change_reason(db, pool[at].id, reason, model, detail)
                    continue
                found = topic_refusals.refuse(db, pool[at].id, reason, model, detail)
                if found is not None:
                    done.append(found)
        saved = frontier.saved_count(db, query_id)
        self._chosen[query_id] = saved
        self._judge.expect(query_id, self._next(query_id, saved), saved)
        return done

    def _next(self, query_id: int, saved: int) -> int | None:
        wanted = self._wanted[query_id]
        if wanted is None or saved >= wanted:
            return wanted
        return saved + _FACTOR * (wanted - saved)

    def _put_back(self, file_name: str, sha256: str) -> bool:
        aside = quarantine.find(self._folder, sha256)
        target = self._folder.root / file_name
        if target.exists():
            return aside is None and files.has_bytes(target, sha256)
        if aside is None:
            return False
        target.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            return files.move_new(aside, target)
        return False

    def _notify(self, query_id: int, chosen: PoolSelection, decisions: int) -> PoolChoice:
        saved = self._chosen[query_id]
        every = len(chosen.kept) + len(chosen.misfits) + len(chosen.surplus)
        tail = f", {len(chosen.misfits):,} clearly off topic" if chosen.misfits else ""
        if decisions:
            tail += f"; {decisions:,} images that you kept or refused were weighed, too"
        if every:
            self._loop.call_soon_threadsafe(
                self._emit,
                Notice(f"{self._names[query_id]}: the best {saved:,} of {every:,} are kept{tail}"),
            )
        return PoolChoice(saved, self._next(query_id, saved))


def _values(
    pools: dict[int, Pool], texts: dict[int, Vectors | None], others: Others | None
) -> dict[int, tuple[list[PoolImage], PoolValues]]:
    """Return the values of each pool; `others` is None by a model that reads texts."""
    views = [view for _, view in pools.values()]
    chances = [None] * len(views) if others is None else own_label_chances(views, others)
    return {
        one: (images, values_of(view, texts[one], chance))
        for (one, (images, view)), chance in zip(pools.items(), chances, strict=True)
    }
