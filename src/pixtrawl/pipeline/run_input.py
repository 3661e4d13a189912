"""The `RunInput` of a run that downloads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pixtrawl.catalog import frontier
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.decisions import wanted_back
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.config.groups import Config
from pixtrawl.events import Event, QueryFinished
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.decide.judge import Judge
from pixtrawl.pipeline.scheduler.demand import Demand
from pixtrawl.pipeline.scheduler.scheduler import Scheduler
from pixtrawl.pipeline.scheduler.window import QueryWindow
from pixtrawl.pipeline.url_list import UrlListWriter

if TYPE_CHECKING:
    from pixtrawl.manifests.recipe import RecipeImage
    from pixtrawl.pipeline.topic_pool import TopicPool

__all__ = ["DownloadInput", "DownloadQuery"]


class DownloadInput:
    """Implements `feeders.base.RunInput` with catalog, judge and scheduler."""

    def __init__(  # noqa: PLR0913 - the parts that learn of a query or a candidate
        self,
        config: Config,
        run_id: int,
        catalog: Catalog,
        judge: Judge,
        scheduler: Scheduler,
        url_list: UrlListWriter,
        emit: Callable[[Event], None],
    ) -> None:
        self.run_id = run_id
        self._query_ids: dict[int, None] = {}
        self.scheduler = scheduler
        self.catalog = catalog
        self.emit = emit
        self._config = config
        self._judge = judge
        self._url_list = url_list
        self._joined: dict[int, DownloadQuery] = {}
        self.pool: TopicPool | None = None
        self._decided: set[int] = set()  # queries of whose label a person kept or refused images
        self._collect: dict[int, tuple[int, int | None]] = {}  # saved, and wanted before a choice

    @property
    def query_ids(self) -> list[int]:
        """The ids of the queries of this run, in the order given."""
        return list(self._query_ids)

    @property
    def halted(self) -> bool:
        """Whether a budget is spent, so that no further task is started."""
        return self.scheduler.halted

    async def ensure_rows(self, queries: Sequence[Query]) -> list[QueryRow]:
        """Return the rows of queries, created where missing, and count them as of this run."""
        rows = await self.catalog.write(
            lambda db: [frontier.ensure_query(db, query, self.run_id) for query in queries]
        )
        self._query_ids.update(dict.fromkeys(row.id for row in rows))
        return rows

    async def add_query(self, query: Query | QueryRow) -> DownloadQuery:
        """As `RunInput.add_query`."""
        return (await self.add_queries([query]))[0]

    async def add_queries(self, queries: Sequence[Query | QueryRow]) -> list[DownloadQuery]:
        """Add several queries in one transaction, as `add_query`."""

        def join(db: sqlite3.Connection) -> list[tuple[QueryRow, int]]:
            rows = (
                frontier.ensure_query(db, one, self.run_id) if isinstance(one, Query) else one
                for one in queries
            )
            return [(row, self._join(db, row)) for row in rows]

        added = []
        for row, open_count in await self.catalog.write(join):
            query = self._joined.get(row.id)
            if query is None:
                window = self.scheduler.add(row, open_count)
                if row.id in self._collect:
                    window.saved, window.wanted = self._collect[row.id]
                    window.update_demand()
                if row.id in self._decided and window.wanted is not None:
                    window.choose_among_more()
                query = DownloadQuery(self, window)
                self._joined[row.id] = query
            added.append(query)
        return added

    def _join(self, db: sqlite3.Connection, row: QueryRow) -> int:
        """Prepare a query inside a transaction. Return how many candidates are open."""
        self._query_ids.setdefault(row.id)
        frontier.reopen(
            db, row.id, self._config.job.retry, thumbnails=self._config.images.allow_thumbnails
        )
        self._judge.expect(row.id, row.query.limit, row.saved)
        if self.pool is not None:
            self._collect[row.id] = saved, wanted = self.pool.join(db, row)
            self._judge.expect(row.id, wanted, saved)
        if row.awaited:
            self._judge.awaiting.expect(row.id, wanted_back.awaited(db, row.id), row.excess)
        if (steering := self.scheduler.steering) and steering.steers(db, row.query.label):
            self._decided.add(row.id)
        self._judge.load(db, row.query.label)
        return frontier.open_count(db, row.id)

    def expect_locked(self, query_id: int, images: Iterable[RecipeImage]) -> None:
        """Accept only these images of a rebuilt query, each under its own number."""
        self._judge.expect_locked(query_id, images)

    async def add(self, window: QueryWindow, batches: Sequence[Sequence[Candidate]]) -> list[int]:
        """Add batches to the frontier in one transaction. Return how many of each are new."""
        allowed = self._config.images.allow_thumbnails
        new = await self.catalog.write(
            lambda db: [frontier.add(db, window.row.id, b, thumbnails=allowed) for b in batches]
        )
        self._url_list.note()
        self.scheduler.found(window, sum(new))
        return new

    async def add_all(
        self, given: Sequence[tuple[DownloadQuery, Sequence[Candidate]]]
    ) -> list[int]:
        """Add the candidates of several queries in one transaction; return how many are new."""
        allowed = self._config.images.allow_thumbnails
        new = await self.catalog.write(
            lambda db: [
                frontier.add(db, query.row.id, candidates, thumbnails=allowed)
                for query, candidates in given
            ]
        )
        self._url_list.note()
        for (query, _), count in zip(given, new, strict=True):
            self.scheduler.found(query.window, count)
        return new

    def close(self) -> None:
        """As `RunInput.close`."""
        for query in self._joined.values():
            query.complete()
        self.scheduler.close()

    async def finished(self) -> None:
        """Wait until every query that was added is finished."""
        for query in self._joined.values():
            await query.finish()


class DownloadQuery:
    """Implements `feeders.base.QueryInput` with a window of the scheduler."""

    def __init__(self, run: DownloadInput, window: QueryWindow) -> None:
        self._run = run
        self.window = window
        self._finish_emitted = False

    @property
    def row(self) -> QueryRow:
        """The query's row in the catalog."""
        return self.window.row

    @property
    def demand(self) -> Demand:
        """The back-pressure of the query."""
        return self.window.demand

    async def add(self, candidates: Sequence[Candidate]) -> int:
        """As `QueryInput.add`."""
        return sum(await self._run.add(self.window, [candidates]))

    async def add_each(self, candidates: Sequence[Candidate]) -> list[int]:
        """As `QueryInput.add_each`."""
        return await self._run.add(self.window, [(one,) for one in candidates])

    def complete(self) -> None:
        """Note that no further candidate will be added."""
        self._run.scheduler.input_complete(self.window)

    async def finish(self) -> None:
        """As `QueryInput.finish`."""
        self.complete()
        await self.window.demand.over()
        if not self._finish_emitted:
            self._finish_emitted = True
            self._run.emit(QueryFinished(self.row.query, self.window.saved))
