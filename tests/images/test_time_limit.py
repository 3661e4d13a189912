"""CPU time ends a file, and nothing that the machine does to its decoder is held against it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import pytest
from tests.matrices import matrix

from pixtrawl.config.groups import Images
from pixtrawl.images.decoders import cpu_clock, decoder, launch
from pixtrawl.images.decoders.decoder import cause
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.decoders.time_limit import TimeLimit
from pixtrawl.images.interface import Verdict
from pixtrawl.model import REASONS, Reason

Jpegs = Callable[[int], list[str]]
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


class AttackedPool(DecoderPool):
    program = Path(__file__).with_name("attacking_worker.py")


class AttackedExecPool(AttackedPool):
    def make_launcher(self) -> launch.Launcher:
        ours = super().make_launcher()
        assert isinstance(ours, launch.ZygoteLauncher | launch.ExecLauncher)
        return launch.ExecLauncher(self.program, ours.settings)


class SimulatedTime:
    """The clock and the timers of an event loop, and the CPU time of one decoder."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cpu_s = 50.0
        self.timers: list[_Timer] = []
        self.ended: list[Reason] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> _Timer:
        self.timers.append(_Timer(self, when, call))
        return self.timers[-1]

    def over(self, reason: Reason, detail: str) -> None:
        assert not self.ended, "a decoder is given up once"
        self.ended.append(reason)

    def passes(self, seconds: float, *, share: float, step_s: float = 0.05) -> None:
        """Let time pass while the decoder gets this share of a core."""
        until = self.now + seconds
        while self.now < until and not self.ended:
            self.now += step_s
            self.cpu_s += step_s * share
            for timer in [timer for timer in self.timers if timer.at <= self.now]:
                self.timers.remove(timer)
                timer.call()


class _Timer:
    def __init__(self, owner: SimulatedTime, at: float, call: Callable[[], None]) -> None:
        self.owner, self.at, self.call = owner, at, call

    def when(self) -> float:
        return self.at

    def cancel(self) -> None:
        self.owner.timers.remove(self)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    world = SimulatedTime()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: world)
    return world


def limited(
    world: SimulatedTime, allowed_s: float = 10.0, *, clock: cpu_clock.CpuClock | None = None
) -> TimeLimit:
    limit = TimeLimit(world.over, stall_s=30.0)
    limit.await_start(30.0)
    limit.started(clock or (lambda: world.cpu_s))
    limit.begin(allowed_s)
    return limit


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.03])
def test_a_file_is_ended_by_the_cpu_time_that_it_costs(world: SimulatedTime, share: float) -> None:
    limited(world)
    world.passes(9.8 / share, share=share)
    assert world.ended == []
    world.passes(1.0 / share, share=share)
    assert world.ended == [Reason.DECODER_TIMEOUT]
    assert world.cpu_s - 50.0 < 10.3  # at a full core as on a busy machine


def test_files_before_it_do_not_count(world: SimulatedTime) -> None:
    limit = limited(world)
    for _ in range(20):
        world.passes(4.0, share=1.0)
        limit.begin(10.0)
    assert world.ended == []
    world.passes(10.5, share=1.0)
    assert world.ended


def test_a_decoder_that_stands_still_is_lost_and_its_file_not_judged(world: SimulatedTime) -> None:
    limited(world)
    world.passes(3.0, share=1.0)
    world.passes(29.0, share=0.0)
    assert world.ended == []
    world.passes(62.0, share=0.0)
    assert world.ended == [Reason.DECODER_LOST]
    assert REASONS[Reason.DECODER_LOST].transient


def test_a_decoder_that_crawls_is_lost_in_the_end(world: SimulatedTime) -> None:
    limited(world)
    world.passes(500.0, share=0.005)
    assert world.ended == []
    world.passes(200.0, share=0.005)
    assert world.ended == [Reason.DECODER_LOST]


@pytest.mark.parametrize("gap_s", [20.0, 45.0, 3600.0, 1e6])
def test_a_machine_that_slept_starts_anew(world: SimulatedTime, gap_s: float) -> None:
    """Nothing ran in that time, this process included: its timer comes late."""
    limited(world)
    world.passes(4.0, share=1.0)
    world.now += gap_s
    world.passes(5.5, share=1.0)
    assert world.ended == []
    world.passes(1.0, share=1.0)
    assert world.ended == [Reason.DECODER_TIMEOUT]


def test_a_machine_that_slept_during_a_start_gives_it_its_whole_time(world: SimulatedTime) -> None:
    limit = TimeLimit(world.over, stall_s=30.0)
    limit.await_start(30.0)
    world.now += 5000.0
    world.passes(29.0, share=0.0)
    assert world.ended == []
    world.passes(2.0, share=0.0)
    assert world.ended


def test_without_a_clock_only_the_watchdog_is_left_and_judges_nobody(world: SimulatedTime) -> None:
    limited(world, clock=lambda: None)
    world.passes(590.0, share=1.0)
    assert world.ended == []
    world.passes(20.0, share=1.0)
    assert world.ended == [Reason.DECODER_LOST]


def test_an_idle_decoder_has_no_limit(world: SimulatedTime) -> None:
    limited(world).end()
    world.passes(1000.0, share=0.0, step_s=1.0)
    assert world.ended == []


@linux
def test_the_clock_of_a_process_is_its_cpu_time() -> None:
    clock = cpu_clock.cpu_clock(os.getpid())
    assert clock is not None
    before, begun = clock(), time.process_time()
    while time.process_time() - begun < 0.05:
        pass
    after = clock()
    assert before is not None
    assert after is not None
    assert 0.05 <= after - before < 0.2


def test_a_process_that_is_gone_has_no_clock() -> None:
    assert cpu_clock.cpu_clock(2**22 + 5) is None
    assert cpu_clock.cpu_clock(os.getpid(), platform="darwin") is None


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1"])
def test_a_signal_from_outside_says_nothing_about_the_file(name: str) -> None:
    assert cause(-signal.Signals[name])[0] is Reason.DECODER_LOST
    assert cause(None)[0] is Reason.DECODER_LOST


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS"])
def test_a_signal_of_its_own_making_is_a_crash(name: str) -> None:
    assert cause(-signal.Signals[name])[0] is Reason.DECODER_CRASHED


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX timers")
def test_where_no_clock_can_be_read_a_decoder_limits_itself(
    tmp_path: Path, jpegs: Jpegs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "cpu_clock", lambda _: None)
    (tmp_path / "bad").write_bytes(b"ATTACK:loop")
    pool = AttackedExecPool(Images(decoders=1, decoder_timeout_s=0.3), tmp_path)
    bad, *good = asyncio.run(all_of(pool, tmp_path, ["bad", *jpegs(3)]))
    assert bad.reason is Reason.DECODER_TIMEOUT
    assert "SIGPROF" in bad.detail
    assert all(verdict.info for verdict in good)


async def all_of(pool: DecoderPool, folder: Path, names: list[str]) -> list[Verdict]:
    try:
        sizes = [(folder / name).stat().st_size for name in names]
        asked = (pool.inspect(*one) for one in zip(names, sizes, strict=True))
        return list(await asyncio.gather(*asked))
    finally:
        await pool.aclose()


def processes(*, zygote: bool) -> list[int]:
    """Ids of this process's decoders, and of their zygote if asked for."""
    mark, found = f'"parent": {os.getpid()},'.encode(), []
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdigit():
                continue
            command = (entry / "cmdline").read_bytes()
            if mark not in command or b"worker_main.py" not in command:  # such as warm_decoders
                continue
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if zygote or parent != os.getpid():
            found.append(int(entry.name))
    return found


def send(processes: Iterable[int], number: signal.Signals) -> None:
    for one in processes:
        os.kill(one, number)


@linux
@pytest.mark.parametrize(
    ("numbers", "zygote"),
    matrix(
        product([("SIGSTOP",), ("SIGSTOP", "SIGKILL"), ("SIGKILL",), ("SIGTERM",)], [False, True]),
        (("SIGSTOP", "SIGKILL"), True),
        (("SIGKILL",), False),
    ),
)
def test_stopped_or_killed_decoders_cost_no_file(
    tmp_path: Path, jpegs: Jpegs, numbers: tuple[str, ...], zygote: bool
) -> None:
    names = jpegs(9)

    async def trouble() -> list[Verdict]:
        pool = DecoderPool(Images(decoders=2, decoder_stall_s=0.5), tmp_path)
        first = await pool.inspect(names[0], 1000)
        while len(processes(zygote=True)) < 2:
            await asyncio.sleep(0.01)
        found = processes(zygote=zygote)
        if "SIGSTOP" in numbers:
            send(found, signal.SIGSTOP)
        asked = asyncio.gather(*(pool.inspect(name, 1000) for name in names[1:]))
        await asyncio.sleep(0.1)
        for number in numbers:
            if number != "SIGSTOP":
                send(found, signal.Signals[number])
        try:
            return [first, *await asked]
        finally:
            await pool.aclose()

    assert [verdict.reason for verdict in asyncio.run(trouble())] == [None] * 9


@linux
def test_a_file_whose_every_decoder_is_lost_is_left_to_a_later_run(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"ATTACK:sleep")

    async def ask() -> tuple[Verdict, object]:
        pool = AttackedPool(Images(decoders=1, decoder_stall_s=0.2), tmp_path)
        try:
            return await pool.inspect("bad", 12), await pool.rights("bad")
        finally:
            await pool.aclose()

    verdict, rights = asyncio.run(ask())
    assert verdict.reason is Reason.DECODER_LOST
    assert "no CPU time" in verdict.detail
    assert rights is None
