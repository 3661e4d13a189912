"""How feeders bring queries and candidates in, whether files are downloaded or URLs only listed.

A feeder adds queries, adds candidates to each, says when a query's input is complete, and may wait
until the query is finished. Scheduler, judge and catalog stay behind this interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.scheduler.demand import Demand

__all__ = ["QueryInput", "RunInput"]


class QueryInput(Protocol):
    """One query that takes candidates."""

    @property
    def row(self) -> QueryRow:
        """Its row in the catalog."""
        ...

    @property
    def demand(self) -> Demand:
        """Whether it wants more; feeders that read lists need not ask."""
        ...

    async def add(self, candidates: Sequence[Candidate]) -> int:
        """Adds candidates in one transaction. Returns how many are new and open."""
        ...

    async def add_each(self, candidates: Sequence[Candidate]) -> list[int]:
        """As `add`. Returns for each candidate whether it is new and open (1, 0)."""
        ...

    async def finish(self) -> None:
        """Its input is complete: returns when it is finished, and has told so."""
        ...


class RunInput(Protocol):
    """What takes the queries of a run."""

    @property
    def run_id(self) -> int:
        """The run's row in the catalog."""
        ...

    @property
    def halted(self) -> bool:
        """Whether a budget is spent: there is no use in adding more."""
        ...

    async def add_query(self, query: Query | QueryRow) -> QueryInput:
        """A query joins, with a row of its own unless it is one. Twice the same is one."""
        ...

    def close(self) -> None:
        """No further query; the input of all that joined is complete."""
        ...
