"""The gate in front of all transfers: how many, and who is next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pixtrawl.net.concurrency import AdaptiveLimit
from pixtrawl.net.semaphore import AdaptiveSemaphore


class Lane:
    """A gate with one place, a clock that stands still, and the order in which hosts pass."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.gate = AdaptiveSemaphore(AdaptiveLimit(1, timeout_s=30.0, now=0.0), lambda: self.now_s)
        self.order: list[str] = []

    async def use(self, name: str) -> None:
        async with self.gate.permit(name[0]):
            self.order.append(name)
            await asyncio.sleep(0)


def passed(scenario: Callable[[Lane], Awaitable[None]]) -> list[str]:
    async def main() -> list[str]:
        lane = Lane()
        await scenario(lane)
        assert lane.gate.active == 0
        assert lane.gate.waiting == 0
        assert lane.gate.has_room
        return lane.order

    return asyncio.run(main())


async def queue(lane: Lane, *names: str) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(lane.use(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


def test_a_place_goes_to_the_next_file_of_the_same_host() -> None:
    async def scenario(lane: Lane) -> None:
        async with lane.gate.permit("a"):
            tasks = await queue(lane, "b1", "a1", "c1", "a2", "b2")
        await asyncio.gather(*tasks)

    assert passed(scenario) == ["a1", "a2", "b1", "b2", "c1"]


def test_who_has_waited_long_is_next_whatever_its_host() -> None:
    async def scenario(lane: Lane) -> None:
        async with lane.gate.permit("a"):
            tasks = await queue(lane, "b1", "a1", "a2")
            lane.now_s = 5.0
        await asyncio.gather(*tasks)

    assert passed(scenario) == ["b1", "a1", "a2"]


@pytest.mark.parametrize("gone", [0, 1, 2, 3])
def test_who_is_cancelled_while_waiting_holds_nothing_up(gone: int) -> None:
    names = ["b1", "a1", "a2", "b2"]

    async def scenario(lane: Lane) -> None:
        async with lane.gate.permit("a"):
            tasks = await queue(lane, *names)
            tasks[gone].cancel()
            await asyncio.sleep(0)
            assert lane.gate.waiting == 3
        await asyncio.gather(*tasks, return_exceptions=True)

    left = [name for name in ["a1", "a2", "b1", "b2"] if name != names[gone]]
    assert passed(scenario) == left


def test_who_is_cancelled_in_the_moment_of_being_let_in_gives_the_place_on() -> None:
    async def scenario(lane: Lane) -> None:
        async with lane.gate.permit("a"):
            first, second = await queue(lane, "a1", "b1")
        first.cancel()  # has been given the place, and has not run yet
        await asyncio.gather(first, second, return_exceptions=True)

    assert passed(scenario) == ["b1"]


def test_a_limit_that_grows_lets_in_those_who_wait() -> None:
    async def main() -> int:
        gate = AdaptiveSemaphore(AdaptiveLimit(64, timeout_s=30.0, now=0.0), lambda: 0.0)
        for _ in range(16):
            await gate.enter("a")
        waiting = [asyncio.create_task(gate.enter("b")) for _ in range(3)]
        await asyncio.sleep(0)
        gate.answered(0.1, 0)
        gate.answered(2.0, 0)  # late: the line may be full
        gate.answered(0.1, 0)
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        return gate.active

    assert asyncio.run(main()) == 18
