"""Slots, pace and hosts that are out; the clock is a number."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.concurrency import AdaptiveLimit, most_at_once
from pixtrawl.net.hosts.limits import HostLimit
from pixtrawl.net.hosts.politeness import HostTable
from pixtrawl.net.hosts.slots import HostSlots
from pixtrawl.net.token_bucket import TokenBucket


def test_a_host_has_room_for_so_many() -> None:
    table = HostTable(per_host=2)
    table.start("a", 0)
    assert table.has_room("a", 0)
    table.start("a", 0)
    assert not table.has_room("a", 0)
    assert table.wait_s("a", 0) is None
    assert table.has_room("b", 0)
    table.end("a")
    assert table.wait_s("a", 0) == 0


def test_a_host_is_asked_for_more_at_once_with_each_answer() -> None:
    table, most = HostTable(per_host=4), []
    for _ in range(4):
        started = 0
        while table.has_room("a", 0):
            table.start("a", 0)
            started += 1
        most.append(started)
        for _ in range(started):
            table.end("a")
        table.begun("a")
    assert most == [2, 3, 4, 4]


def test_who_waits_for_a_host_goes_on_with_its_first_answer() -> None:
    async def main() -> int:
        slots = HostSlots(HostTable(per_host=8), asyncio.get_running_loop().time)
        waiting = [asyncio.create_task(slots.acquire("a")) for _ in range(5)]
        await asyncio.sleep(0)
        slots.begun("a")
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        return slots.table["a"].active

    assert asyncio.run(main()) == 3


def test_the_delay_lies_between_two_starts() -> None:
    table = HostTable(per_host=8, delay_s=2.0)
    table.start("a", 10.0)
    assert table.wait_s("a", 10.5) == 1.5
    assert table.wait_s("a", 12.0) == 0


def test_a_host_that_asks_for_less_gets_less_whatever_is_allowed() -> None:
    table = HostTable(per_host=8)
    for _ in range(2):
        assert table.has_room("upload.wikimedia.org", 0)
        table.start("upload.wikimedia.org", 0)
    assert not table.has_room("upload.wikimedia.org", 0)
    assert table.wait_s("upload.wikimedia.org", 0) is None
    assert HostTable(per_host=1).wait_s("upload.wikimedia.org", 0) == 0
    single = HostTable(per_host=1)
    single.start("upload.wikimedia.org", 0)
    assert single.wait_s("upload.wikimedia.org", 0) is None


def test_a_limit_of_bandwidth_is_kept_on_average() -> None:
    limits = {"a": HostLimit(connections=2, bytes_s=1000.0)}
    table = HostTable(per_host=8, limits=limits)
    table.start("a", 10.0)
    table.transferred("a", 5000, started_at=10.0)
    table.end("a")
    assert table.wait_s("a", 11.0) == 4.0
    table.transferred("a", 1000, started_at=10.5)  # the other one of the two
    assert table.wait_s("a", 11.0) == 5.0
    table.transferred("b", 10**9, started_at=10.0)
    assert table.wait_s("b", 10.0) == 0


def test_failures_at_the_same_time_count_as_one() -> None:
    table = HostTable(per_host=8)
    for _ in range(8):
        table.failed("a", Reason.CONNECT_FAILED, started_at=0, now=5)
    assert table.out("a") is None
    table.failed("a", Reason.CONNECT_FAILED, started_at=6, now=11)
    assert table.out("a") is Reason.CONNECT_FAILED
    assert table.statistics()["a"]["out"] == "connect_failed"


def test_an_answer_in_between_starts_the_count_anew() -> None:
    table = HostTable(per_host=8)
    table.failed("a", Reason.CONNECT_TIMEOUT, started_at=0, now=5)
    table.answered("a")
    table.failed("a", Reason.CONNECT_TIMEOUT, started_at=6, now=11)
    assert table.out("a") is None
    table.failed("a", Reason.SERVER_ERROR, started_at=12, now=13)
    assert table.out("a") is None


def test_who_waits_for_a_host_that_goes_out_is_reported() -> None:
    async def main() -> list[object]:
        slots = HostSlots(HostTable(per_host=1), asyncio.get_running_loop().time)

        async def wait() -> None:
            async with slots.slot("a"):
                pass

        async with slots.slot("a") as slot:
            waiting = [asyncio.create_task(wait()) for _ in range(3)]
            await asyncio.sleep(0)
            slots.failed(slot, Reason.CONNECT_FAILED, started_at=0)
            slots.failed(slot, Reason.CONNECT_FAILED, started_at=float("inf"))
            return list(await asyncio.gather(*waiting, return_exceptions=True))

    for result in asyncio.run(main()):
        assert isinstance(result, FetchError)
        assert result.reason is Reason.HOST_OUT


def test_waiting_is_first_come_first_served_and_cancelling_gives_up_the_place() -> None:
    async def main() -> list[int]:
        slots = HostSlots(HostTable(per_host=1), asyncio.get_running_loop().time)
        order: list[int] = []

        async def use(number: int) -> None:
            async with slots.slot("a"):
                order.append(number)
                await asyncio.sleep(0)

        async with slots.slot("a"):
            tasks = [asyncio.create_task(use(number)) for number in range(5)]
            await asyncio.sleep(0)
            tasks[2].cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert slots.table["a"].active == 0
        assert slots.has_room("a")
        return order

    assert asyncio.run(main()) == [0, 1, 3, 4]


def test_the_pace_wakes_those_who_wait() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        slots = HostSlots(HostTable(per_host=8, delay_s=0.03), loop.time)
        began = loop.time()

        async def use() -> None:
            async with slots.slot("a"):
                pass

        await asyncio.gather(*(use() for _ in range(4)))
        slots.close()
        return loop.time() - began

    assert 0.085 < asyncio.run(main()) < 1


# -- how many at once ----------------------------------------------------------------------------


def simulate(capacity_s: float, latency_s: float, seconds: float) -> AdaptiveLimit:
    """Files end at the slower of what the latency allows and what the line carries."""
    limit, now = AdaptiveLimit(256, timeout_s=30.0, now=0.0), 0.0
    while now < seconds:
        rate = min(limit.limit / latency_s, capacity_s)
        now += 1 / rate
        limit.full()
        took_s = max(latency_s, limit.limit / capacity_s)
        limit.ended(size_bytes=100_000, elapsed_s=took_s, timed_out=took_s > 30, now=now)
    return limit


def test_far_hosts_and_a_wide_line_get_all_there_is() -> None:
    assert simulate(capacity_s=10_000, latency_s=0.5, seconds=6).limit == 256


def test_a_slow_line_does_not_time_itself_out() -> None:
    limit = simulate(capacity_s=4, latency_s=0.2, seconds=120)
    assert limit.limit / 4 < 10  # seconds a file, of 30


def answer(limit: AdaptiveLimit, waited_s: float, bytes_s: int, answers: int = 300) -> int:
    """A hundred answers a second, while so many bytes a second come."""
    for number in range(answers):
        limit.answered(waited_s, bytes_s * number // 100, now=number / 100)
    return limit.limit


def test_answers_that_come_soon_let_more_in_before_anything_has_ended() -> None:
    limit = AdaptiveLimit(256, timeout_s=30.0, now=0.0)
    assert answer(limit, 0.1, 20_000_000) == 16  # nobody waited
    limit.full()
    assert answer(limit, 0.1, 20_000_000) == 256


def test_answers_that_queue_behind_a_full_line_let_nobody_in() -> None:
    limit = AdaptiveLimit(256, timeout_s=30.0, now=0.0)
    limit.full()
    assert answer(limit, 0.5, 20_000_000) == 16


@pytest.mark.parametrize(("bytes_s", "most"), [(0, 32), (250_000, 32), (2_500_000, 57)])
def test_answers_let_in_no_more_than_the_line_has_been_seen_to_carry(
    bytes_s: int, most: int
) -> None:
    limit = AdaptiveLimit(256, timeout_s=30.0, now=0.0)
    limit.full()
    assert answer(limit, 0.1, bytes_s) == most


@pytest.mark.parametrize(
    ("rate_bytes_s", "most"), [(None, 256), (50e6, 256), (2e6, 45), (300_000, 6), (1_000, 1)]
)
def test_a_rate_that_is_set_is_shared_by_few(rate_bytes_s: float | None, most: int) -> None:
    assert most_at_once(256, rate_bytes_s) == most


def test_files_that_take_much_of_their_time_let_nobody_in() -> None:
    limit = AdaptiveLimit(256, timeout_s=30.0, now=0.0)
    limit.full()
    limit.ended(size_bytes=100_000, elapsed_s=3.0, timed_out=False, now=0.05)
    assert limit.limit == 18
    limit.ended(size_bytes=100_000, elapsed_s=4.0, timed_out=False, now=0.06)
    assert limit.limit == 18


def test_time_outs_shrink_it_and_never_below_the_least() -> None:
    limit = AdaptiveLimit(256, timeout_s=30.0, now=0.0)
    for tenth in range(1, 400):
        limit.ended(size_bytes=0, elapsed_s=8.0, timed_out=True, now=tenth / 10)
    assert limit.limit == 4


@given(st.integers(1, 20))
def test_the_users_cap_is_never_passed(cap: int) -> None:
    limit = AdaptiveLimit(cap, timeout_s=30.0, now=0.0)
    for step in range(500):
        limit.full()
        limit.ended(size_bytes=9, elapsed_s=0.1, timed_out=step % 3 == 0, now=step / 50)
        assert 1 <= limit.limit <= cap


def test_a_rate_limit_lets_pass_what_it_should() -> None:
    now, timers = [0.0], []
    limit = TokenBucket(
        1000, now=lambda: now[0], call_later=lambda after, call: timers.append((after, call))
    )
    woken: list[str] = []
    assert limit.take(600)
    assert not limit.take(1)
    limit.wait(lambda: woken.append("first"))
    limit.wait(lambda: woken.append("second"))
    ((after, call),) = timers
    assert 0.4 < after < 0.6
    now[0] = 0.2
    call()
    assert woken == []
    now[0] = 1.0
    timers[-1][1]()
    assert woken == ["first", "second"]


@pytest.mark.parametrize("sizes", [[10] * 100, [5000, 1, 1]])
def test_over_time_the_rate_is_kept(sizes: list[int]) -> None:
    now = 0.0
    limit = TokenBucket(1000, now=lambda: now, call_later=lambda *_: None)
    for size in sizes:
        while not limit.take(size):
            now += 0.01
    assert now >= (sum(sizes) - sizes[-1] - 100) / 1000 - 0.02
