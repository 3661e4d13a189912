"""Discovery alone: how each end of a source becomes one outcome, and what is noted of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pixtrawl.catalog import frontier, run_log
from pixtrawl.catalog.database import Catalog
from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.events import Event, SourceFinished
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.model import Candidate, Query, Reason, SourceOutcome
from pixtrawl.pipeline.discovery.breakers import Breakers
from pixtrawl.pipeline.discovery.discovery import Discovery, DiscoveryTask
from pixtrawl.pipeline.scheduler.demand import Demand
from pixtrawl.sources.base import Page, SourceContext, SourceInfo

QUERY = Query("cat", "cat", 100)


def page(*numbers: int) -> Page:
    found = tuple(
        Candidate(url=f"http://h.example/{n}", query="cat", label="cat", source="t", rank=n)
        for n in numbers
    )
    return Page(found, {"after": numbers[-1] if numbers else 0})


class Listed:
    """Gives pages, then ends as it is told; remembers where it was asked to begin."""

    name: ClassVar[str] = "listed"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="x", base_url="", sentence="x", verified="recorded"
    )

    def __init__(self, pages: Sequence[Page], end: Exception | None = None) -> None:
        self.pages, self.end = pages, end
        self.positions: list[Any] = []
        self.given = 0

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        self.positions.append(context.position)
        for one in self.pages:
            self.given += 1
            yield one
        if self.end is not None:
            raise self.end

    async def aclose(self) -> None:
        """Holds nothing."""


class Asking:
    """A catalog and what was told."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.folder.create()
        self.catalog = Catalog(self.folder.catalog)
        self.events: list[Event] = []

    def ask(
        self, source: Listed, enough: Callable[[int], bool] = lambda found: False
    ) -> SourceFinished:
        async def main() -> None:
            run_id = self.catalog.write_now(lambda db: run_log.begin_run(db, "", {}))
            row = self.catalog.write_now(lambda db: frontier.ensure_query(db, QUERY, run_id))
            demand, found = Demand(), 0

            async def add(candidates: Sequence[Candidate]) -> list[int]:
                nonlocal found

                def write(db: sqlite3.Connection) -> list[int]:
                    return [frontier.add(db, row.id, (c,), thumbnails=True) for c in candidates]

                new = await self.catalog.write(write)
                found += sum(new)
                if enough(found):
                    demand.end()
                return new

            sources: dict[str, Any] = {"listed": source}
            discovery = Discovery(
                sources, {"listed": None}, self.catalog, EvidenceStore(self.folder),  # type: ignore[dict-item]
                self.events.append, Breakers(sources, self.events.append),
            )  # fmt: skip
            await discovery.ask_all(DiscoveryTask(row, run_id, demand, add))

        asyncio.run(main())
        last = self.events[-1]
        assert isinstance(last, SourceFinished)
        return last


@pytest.fixture
def asking(tmp_path: Path) -> Any:
    asking = Asking(tmp_path / "set")
    yield asking
    asking.catalog.close()


def test_a_source_that_ends_after_its_pages_is_ok_and_not_asked_again(asking: Asking) -> None:
    source = Listed([page(1, 2), page(3)])
    end = asking.ask(source)
    assert (end.outcome, end.found) == (SourceOutcome.OK, 3)
    asking.ask(source)
    assert len(source.positions) == 1


def test_nothing_found_and_nothing_said_is_never_an_empty_success(asking: Asking) -> None:
    assert asking.ask(Listed([])).outcome is SourceOutcome.CHANGED


def test_no_results_is_believed_when_the_source_says_so(asking: Asking) -> None:
    source = Listed([], SourceStop(SourceOutcome.NO_RESULTS, message="m"))
    assert asking.ask(source).outcome is SourceOutcome.NO_RESULTS
    asking.ask(source)
    assert len(source.positions) == 1, "it has no more in a later run, either"


@pytest.mark.parametrize("outcome", [SourceOutcome.BLOCKED, SourceOutcome.QUOTA])
def test_a_refusal_is_its_outcome_and_a_later_run_goes_on_behind_the_last_page(
    asking: Asking, outcome: SourceOutcome
) -> None:
    source = Listed([page(1, 2)], SourceStop(outcome, message="m", next_step="n"))
    end = asking.ask(source)
    assert (end.outcome, end.found, end.detail["next_step"]) == (outcome, 2, "n")
    asking.ask(source)
    assert source.positions == [None, {"after": 2}]


def test_a_failure_of_the_network_is_reported_with_a_next_step(asking: Asking) -> None:
    end = asking.ask(Listed([], FetchError(Reason.CONNECT_FAILED, "no route")))
    assert end.outcome is SourceOutcome.NETWORK_ERROR
    assert end.detail["next_step"]


def test_a_refused_inner_address_is_reported_with_the_option_that_permits_it(
    asking: Asking,
) -> None:
    end = asking.ask(Listed([], FetchError(Reason.ADDRESS_REFUSED, "127.0.0.1:8000")))
    assert end.outcome is SourceOutcome.NETWORK_ERROR
    assert "--allow-address" in str(end.detail["next_step"])


def test_a_bug_of_a_source_costs_the_source_alone_and_is_kept_as_evidence(asking: Asking) -> None:
    end = asking.ask(Listed([], ZeroDivisionError("x")))
    assert end.outcome is SourceOutcome.CHANGED
    assert "ZeroDivisionError" in str(end.detail["message"])
    kept = list(asking.folder.root.glob(".pixtrawl-*error*"))
    assert ["ZeroDivisionError" in path.read_text() for path in kept] == [True]


def test_a_page_is_asked_for_only_while_the_query_wants_more(asking: Asking) -> None:
    source = Listed([page(1, 2), page(3), page(4)])
    asking.ask(source, enough=lambda found: found >= 3)
    assert source.given == 2
