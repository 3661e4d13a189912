"""Nothing of the browser outlives us, whatever ends us; and a browser that dies is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.matrices import slow

if TYPE_CHECKING:
    from tests.sources.google.conftest import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]

PROGRAM = """
import asyncio, signal, sys
from pixtrawl.config.groups import Fetch
from pixtrawl.model import Query
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.google.source import Google

class Kept:
    def save(self, name, content):
        return name

signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background inherit it ignored

async def main():
    google = Google({"base_url": sys.argv[1]})
    google.set_network(Fetch(allow_address=("127.0.0.0/8",)))
    try:
        async for page in google.discover(Query("cat", "cat"), SourceContext(http=None, evidence=Kept())):
            print("READY", flush=True)
            await asyncio.sleep(60)
    finally:
        await google.aclose()

asyncio.run(main())
"""


def living() -> dict[int, tuple[int, str]]:
    """pid -> (parent, command line), zombies left out: nobody may be there to reap them."""
    table = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            table[int(folder.name)] = (int(parent), command)
    return table


def descendants(pid: int) -> dict[int, str]:
    table, found, fresh = living(), {}, {pid}
    while fresh:
        fresh = {child for child, (parent, _) in table.items() if parent in fresh}
        found.update({child: table[child][1] for child in fresh})
    return found


def wait_until_gone(pids: dict[int, str], seconds: float) -> list[str]:
    until = time.monotonic() + seconds
    left: list[str] = list(pids.values())
    while left and time.monotonic() < until:
        time.sleep(0.05)
        table = living()
        left = [command for pid, command in pids.items() if table.get(pid, (0, ""))[1] == command]
    return left


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A temporary folder whose path is short wherever pytest's own lies."""
    with tempfile.TemporaryDirectory(prefix="pt-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("number", "whole_group"),
    [
        (signal.SIGKILL, False),
        slow(signal.SIGTERM, False),
        slow(signal.SIGINT, False),
        slow(signal.SIGINT, True),  # what Ctrl-C in a terminal does
    ],
)
def test_no_browser_and_no_profile_are_left_when_we_are_ended(
    desk: Desk, number: signal.Signals, whole_group: bool, short_tmp: Path
) -> None:
    ours = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, desk.site.base("2024")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(short_tmp)},
    )
    try:
        assert ours.stdout is not None
        assert ours.stdout.readline() == b"READY\n"
        pids = descendants(ours.pid)
        assert any("--type=renderer" in command for command in pids.values())
        assert list(short_tmp.iterdir()), "the temporary profile lies here"
        if whole_group:
            os.killpg(ours.pid, number)
        else:
            ours.send_signal(number)
        ours.wait(60)
    finally:
        if ours.poll() is None:
            ours.kill()
        ours.wait()
        if ours.stdout is not None:
            ours.stdout.close()
    assert wait_until_gone(pids, 60) == []
    assert [path for path in short_tmp.iterdir() if "profile" in path.name] == []


def test_a_browser_that_was_killed_is_started_again_for_the_next_query(desk: Desk) -> None:
    assert len(desk.ask("2024", enough=1).candidates) == 30
    browsers = [
        pid
        for pid, command in descendants(os.getpid()).items()
        if "--remote-debugging-pipe" in command and "--type=" not in command
    ]
    assert browsers
    for pid in browsers:
        os.kill(pid, signal.SIGKILL)
    assert len(desk.ask("2024", enough=1).candidates) == 30


def test_a_browser_starts_however_long_the_path_of_the_temporary_folder_is(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / ("x" * 200)
    far.mkdir()
    monkeypatch.setenv("TMPDIR", str(far))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert len(desk.ask("2024", enough=1).candidates) == 30
    assert list(far.iterdir()) == []
