"""The interface through which feeders add queries and candidates to a run.

A feeder adds queries, adds candidates to each, marks a query's input as complete, and may wait
until the query is finished. The interface hides scheduler, judge and catalog, and whether files are
downloaded or URLs only listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.scheduler.demand import Demand

__all__ = ["QueryInput", "RunInput"]


class QueryInput(Protocol):
    """One query, to which a feeder adds candidates."""

    @property
    def row(self) -> QueryRow:
        """The query's row in the catalog."""
        ...

    @property
    def demand(self) -> Demand:
        """The back-pressure of the query; feeders that read lists may ignore it."""
        ...

    async def add(self, candidates: Sequence[Candidate]) -> int:
        """Add candidates in one transaction. Return how many are new and open."""
        ...

    async def add_each(self, candidates: Sequence[Candidate]) -> list[int]:
        """As `add`, but return for each candidate 1 if it is new and open, else 0."""
        ...

    async def finish(self) -> None:
        """Mark the input as complete, wait until the query is finished, and emit QueryFinished."""
        ...


class RunInput(Protocol):
    """A run, to which a feeder adds queries."""

    @property
    def run_id(self) -> int:
        """The run's row in the catalog."""
        ...

    @property
    def halted(self) -> bool:
        """Whether a budget is spent, so that adding more is useless."""
        ...

    async def add_query(self, query: Query | QueryRow) -> QueryInput:
        """Add a query; a `Query` gets a row in the catalog. Idempotent for the same query."""
        ...

    def close(self) -> None:
        """Note that no further query will be added; the input of all queries is complete."""
        ...
