"""The settler: commit, then rename; copies are kept aside; a batch waits only for what may come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.folder import quarantine
from pixtrawl.model import ImageInfo, Outcome, Reason, Task
from pixtrawl.pipeline.decide import settler as settler_module
from pixtrawl.pipeline.decide.decision import Decision
from pixtrawl.pipeline.decide.settler import Settler
from tests.pipeline.decide.court import Court, picture, saved


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    court = Court(tmp_path)
    yield court
    court.catalog.close()


def staged(court: Court, task: Task, info: ImageInfo) -> tuple[Task, Outcome]:
    (court.folder.staging / f"staged-{task.id}").write_bytes(info.sha256.encode())
    return task, saved(task, info)


def test_a_kept_image_lies_under_its_name_and_its_row_says_so(court: Court) -> None:
    row = court.join()
    pair = staged(court, court.task(row), picture(1))
    (decision,) = Settler(court.catalog, court.folder, court.judge).settle_now([pair])
    assert decision.file_name == "cat/000001.jpg"
    assert (court.folder.root / decision.file_name).read_bytes() == picture(1).sha256.encode()
    assert court.states() == [1]
    assert not (court.folder.staging / "staged-1").exists()


def test_numbers_follow_the_list_whatever_arrives_first(court: Court) -> None:
    row = court.join()
    first, second = court.task(row), court.task(row)
    pairs = [staged(court, second, picture(2)), staged(court, first, picture(1))]
    decisions = Settler(court.catalog, court.folder, court.judge).settle_now(pairs)
    assert [(d.task.id, d.number) for d in decisions] == [(first.id, 1), (second.id, 2)]


def test_a_copy_is_kept_aside_and_a_duplicate_by_bytes_is_not(court: Court) -> None:
    row = court.join()
    settler = Settler(court.catalog, court.folder, court.judge)
    settler.settle_now([staged(court, court.task(row), picture(1, 1))])
    worse, same = picture(1, 2, (40, 30)), picture(1, 1)
    settler.settle_now([staged(court, court.task(row), worse)])
    settler.settle_now([staged(court, court.task(row), same)])
    assert quarantine.find(court.folder, worse.sha256) is not None
    assert quarantine.find(court.folder, same.sha256) is None
    assert not list(court.folder.staging.glob("staged-*"))


def test_a_file_that_is_not_ours_is_not_replaced(court: Court) -> None:
    row = court.join()
    (court.folder.root / "cat").mkdir()
    (court.folder.root / "cat/000001.jpg").write_bytes(b"mine")
    pair = staged(court, court.task(row), picture(1))
    (decision,) = Settler(court.catalog, court.folder, court.judge).settle_now([pair])
    assert decision.file_name == "cat/000002.jpg"
    assert (court.folder.root / "cat/000001.jpg").read_bytes() == b"mine"


def test_each_outcome_is_decided_once_and_close_waits_for_all(court: Court) -> None:
    row = court.join()
    tasks = [court.task(row) for _ in range(5)]
    decided: list[Decision] = []

    async def main() -> None:
        settler = Settler(court.catalog, court.folder, court.judge)
        running = asyncio.create_task(settler.run(decided.append))
        for task in tasks:
            settler.offer(task, Outcome(reason=Reason.NOT_FOUND))
        settler.close()
        await running

    asyncio.run(main())
    assert [d.task.id for d in decided] == [task.id for task in tasks]


@pytest.mark.timeout(20)
def test_a_batch_does_not_wait_for_more_while_nothing_is_under_way(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settler_module, "_EVERY_S", 3600.0)
    task = court.task(court.join())
    decided: list[Decision] = []

    async def main() -> None:
        settler = Settler(court.catalog, court.folder, court.judge)
        running = asyncio.create_task(settler.run(decided.append, lambda: True))
        settler.offer(task, Outcome(reason=Reason.NOT_FOUND))
        while not decided:
            await asyncio.sleep(0)
        settler.close()
        await running

    asyncio.run(main())
    assert len(decided) == 1
