"""The feeder that asks sources: every source for every query, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.pipeline.discovery.discovery import Discovery, DiscoveryTask
from pixtrawl.pipeline.feeders.base import RunInput
from pixtrawl.pipeline.scheduler.query_slots import QuerySlots

__all__ = ["ask_sources"]


async def ask_sources(
    discovery: Discovery, run_input: RunInput, queries: Iterable[QueryRow]
) -> None:
    """Ask all sources for all queries, each until it is complete or its sources have ended.

    `QuerySlots` limits the number of concurrent queries.
    """
    slots = QuerySlots()

    async def one(row: QueryRow) -> None:
        async with slots.place() as place:
            query = await run_input.add_query(row)
            await discovery.ask_all(
                DiscoveryTask(row, run_input.run_id, query.demand, query.add_each, place.step_aside)
            )
            await query.finish()

    try:
        async with asyncio.TaskGroup() as group:
            for row in queries:
                group.create_task(one(row))
    except* asyncio.CancelledError:
        raise asyncio.CancelledError from None
