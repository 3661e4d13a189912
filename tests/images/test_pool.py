"""The pool's promises: order of blame, life of a decoder, start and end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvloop
from tests.matrices import crossed

from pixtrawl.config.groups import Images
from pixtrawl.errors import EngineError
from pixtrawl.events import Event, Notice
from pixtrawl.images import record
from pixtrawl.images.decoders import decoder, launch, pool as pool_module, sandbox
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Reason

Jpegs = Callable[[int], list[str]]
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


class ExecPool(DecoderPool):
    def make_launcher(self) -> launch.Launcher:
        ours = super().make_launcher()
        assert isinstance(ours, launch.ZygoteLauncher | launch.ExecLauncher)
        return launch.ExecLauncher(self.program, ours.settings)


class AttackedPool(DecoderPool):
    program = Path(__file__).with_name("attacking_worker.py")


async def all_of(pool: DecoderPool, folder: Path, names: list[str]) -> list[Verdict]:
    try:
        return list(
            await asyncio.gather(
                *(pool.inspect(name, (folder / name).stat().st_size) for name in names)
            )
        )
    finally:
        await pool.aclose()


def decoders_of(parent: int) -> list[int]:
    """Process ids of everything that this process started in order to decode."""
    mark, found = f'"parent": {parent},'.encode(), []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if mark in command and b"worker" in command:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def none_is_left(parent: int) -> bool:
    """A busy system takes its time to tear down what was killed."""
    deadline = time.monotonic() + 60
    while found := decoders_of(parent):
        if time.monotonic() > deadline:
            raise AssertionError(f"still there: {found}")
        time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("runner", "kind"),
    crossed([asyncio.run, uvloop.run], [DecoderPool, ExecPool]),
    ids=["asyncio, forked", "asyncio, started", "uvloop, forked", "uvloop, started"],
)
def test_files_are_inspected_on_either_loop_and_by_either_way_of_starting(
    tmp_path: Path, jpegs: Jpegs, runner: Callable[..., list[Verdict]], kind: type[DecoderPool]
) -> None:
    verdicts = runner(all_of(kind(Images(decoders=2), tmp_path), tmp_path, jpegs(9)))
    infos = [verdict.info for verdict in verdicts if verdict.info]
    assert len(infos) == 9
    assert {(info.format, info.width, info.height) for info in infos} == {("jpeg", 160, 120)}
    assert len({info.phash for info in infos}) == 9


def test_without_isolation_the_answers_are_the_same(tmp_path: Path, jpegs: Jpegs) -> None:
    names = jpegs(4)
    (tmp_path / "text").write_bytes(b"<html><body>no</body></html>")
    names.append("text")
    apart = asyncio.run(all_of(DecoderPool(Images(), tmp_path), tmp_path, names))
    here = asyncio.run(all_of(DecoderPool(Images(), tmp_path, isolation=False), tmp_path, names))
    assert apart == here
    assert here[-1].reason is Reason.HTML


def test_an_empty_file_needs_no_decoder(tmp_path: Path) -> None:
    async def ask() -> Verdict:
        return await DecoderPool(Images(), tmp_path).inspect("nothing", 0)

    assert asyncio.run(ask()).reason is Reason.EMPTY_BODY


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "..", "a\\b", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EngineError, match="staged file"):
        asyncio.run(DecoderPool(Images(), tmp_path).inspect(name, 1))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, jpegs: Jpegs) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    jpegs(1)
    (staging / "link").symlink_to(tmp_path / "good-0")
    [verdict] = asyncio.run(all_of(DecoderPool(Images(), staging), staging, ["link"]))
    assert verdict.info is None
    assert verdict.reason is Reason.STORE_FAILED


def test_a_file_behind_a_culprit_is_asked_again_and_not_blamed(
    tmp_path: Path, jpegs: Jpegs
) -> None:
    names = jpegs(6)
    for number in range(4):
        (tmp_path / f"bad-{number}").write_bytes(b"ATTACK:segv")
        names.insert(number + 1, f"bad-{number}")
    pool = AttackedPool(Images(decoders=1), tmp_path)
    verdicts = dict(zip(names, asyncio.run(all_of(pool, tmp_path, names)), strict=True))
    crashed = {name for name, verdict in verdicts.items() if verdict.info is None}
    assert crashed == {f"bad-{number}" for number in range(4)}


@pytest.mark.parametrize(("size_bytes", "most"), [(100_000, 4), (400_000, 2), (5_000_000, 2)])
def test_a_decoder_holds_several_small_files_but_little_behind_a_large_one(
    tmp_path: Path, size_bytes: int, most: int
) -> None:
    async def held() -> int:
        one = decoder.Decoder(DecoderPool(Images(), tmp_path))
        one.link, one.ready = cast("Any", SimpleNamespace(send=lambda *_: None)), True
        for number in range(10):
            future = asyncio.get_running_loop().create_future()
            task = decoder.InspectionTask(number, record.INSPECT, str(number), size_bytes, future)
            if one.room_for(task):
                one.take(task)
        one.unlimit()
        return len(one.tasks)

    assert asyncio.run(held()) == most


def test_a_decoder_is_replaced_after_its_life(
    tmp_path: Path, jpegs: Jpegs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (decoder, pool_module):
        monkeypatch.setattr(module, "LIFE", 4)
    greeted: list[int] = []

    class Counting(DecoderPool):
        def greeted(self, held: int) -> None:
            greeted.append(held)
            super().greeted(held)

    verdicts = asyncio.run(all_of(Counting(Images(decoders=1), tmp_path), tmp_path, jpegs(11)))
    assert all(verdict.info for verdict in verdicts)
    assert len(greeted) == 3


@pytest.mark.parametrize("exec_", [False, True])
def test_a_program_that_cannot_start_is_given_up_after_three_tries(
    tmp_path: Path, jpegs: Jpegs, exec_: bool
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(7)")

    class Broken(ExecPool if exec_ else DecoderPool):  # type: ignore[misc]
        program = broken

    pool = Broken(Images(decoders=2), tmp_path)
    with pytest.raises(EngineError, match="start"):
        asyncio.run(all_of(pool, tmp_path, jpegs(3)))


def test_a_missing_means_is_reported_once_and_work_goes_on(
    tmp_path: Path, jpegs: Jpegs, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []

    class Bare(DecoderPool):
        def greeted(self, held: int) -> None:
            super().greeted(held & ~sandbox.SECCOMP)

    pool = Bare(Images(decoders=2), tmp_path, emit=events.append)
    assert all(v.info for v in asyncio.run(all_of(pool, tmp_path, jpegs(5))))
    [notice] = [event for event in events if isinstance(event, Notice)]
    assert "seccomp" in notice.message
    assert not pool.containment()["seccomp"]


def test_a_caller_that_gives_up_leaves_the_others_alone(tmp_path: Path, jpegs: Jpegs) -> None:
    names = jpegs(6)

    async def cancel_half() -> list[Verdict]:
        pool = DecoderPool(Images(decoders=1), tmp_path)
        asked = [asyncio.create_task(pool.inspect(name, 1000)) for name in names]
        await asyncio.sleep(0)
        for task in asked[::2]:
            task.cancel()
        kept = await asyncio.gather(*asked[1::2])
        await pool.aclose()
        return kept

    assert all(verdict.info for verdict in asyncio.run(cancel_half()))


@linux
def test_closing_leaves_no_process(tmp_path: Path, jpegs: Jpegs) -> None:
    seen: list[int] = []

    async def look() -> None:
        pool = DecoderPool(Images(decoders=2), tmp_path)
        await pool.prepare()
        seen.extend(decoders_of(os.getpid()))
        await all_of(pool, tmp_path, jpegs(5))

    asyncio.run(look())
    assert len(seen) >= 2  # the zygote and a decoder
    assert none_is_left(os.getpid())


@linux
def test_closing_ends_even_a_decoder_that_is_stuck(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"ATTACK:sleep")

    async def stuck() -> None:
        pool = AttackedPool(Images(decoders=1), tmp_path)
        asked = asyncio.create_task(pool.inspect("bad", 12))
        await pool.prepare()
        await pool.aclose()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(stuck())
    assert none_is_left(os.getpid())


PARENT = """
import asyncio, pathlib, sys
from pixtrawl.config.groups import Images
from pixtrawl.images.decoders.pool import DecoderPool

class Attacked(DecoderPool):
    program = pathlib.Path(sys.argv[2])

async def main():
    pool = Attacked(Images(decoders=2), pathlib.Path(sys.argv[1]))
    for name in ("bad", "worse"):
        asyncio.ensure_future(pool.inspect(name, 12))
    await pool.prepare()
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@linux
def test_decoders_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    for name in ("bad", "worse"):
        (tmp_path / name).write_bytes(b"ATTACK:sleep")
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(AttackedPool.program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert len(decoders_of(parent.pid)) >= 2
        # A Ctrl-C reaches the terminal's group, in which they are not.
        assert all(os.getpgid(pid) != parent.pid for pid in decoders_of(parent.pid))
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while decoders_of(parent.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert none_is_left(parent.pid)
