"""Processes that tests fork from a warm one are what users start: same sandbox, same command."""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pixtrawl.config.groups import Images
from pixtrawl.images.decoders import program
from pixtrawl.images.decoders.pool import DecoderPool
from tests import warm_command, warm_decoders, warm_workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")


def held(folder: Path) -> dict[str, bool]:
    async def started() -> dict[str, bool]:
        pool = DecoderPool(Images(decoders=1), folder)
        try:
            await pool.prepare()
            return dict(pool.containment())
        finally:
            await pool.aclose()

    return asyncio.run(started())


def test_a_forked_zygote_s_decoders_are_contained_as_those_of_a_started_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program._spawn != warm_decoders.SPAWN
    forked = held(tmp_path)
    monkeypatch.setattr(program, "_spawn", warm_decoders.SPAWN)
    assert forked == held(tmp_path)


def test_a_forked_zygote_can_be_ended_before_and_after_it_has_exited(tmp_path: Path) -> None:
    for closes in (False, True):
        zygote = program.start_zygote(program.PROGRAM, program.settings_of(Images(), tmp_path))
        if closes:
            zygote.control.close()
            assert zygote.process.wait(60) == 0
        zygote.end()
        assert zygote.process.poll() == 0


def test_where_the_warm_process_was_killed_zygotes_are_started_as_users_do(tmp_path: Path) -> None:
    decoders = warm_decoders.WarmDecoders()
    with decoders.asking:
        assert decoders._zygote is not None
        decoders._zygote.process.kill()
        decoders._zygote.process.wait()
        zygote = decoders.spawn(program.PROGRAM)
        assert isinstance(zygote.process, subprocess.Popen)
        zygote.end()


@pytest.mark.parametrize("words", [["report", "nowhere"], ["--version"], ["config", "shwo"]])
def test_a_forked_command_says_and_ends_as_a_started_one(tmp_path: Path, words: list[str]) -> None:
    said = []
    for kind in (subprocess.run, warm_command.run):
        done = kind([*warm_command.COMMAND, *words], cwd=tmp_path, capture_output=True, text=True)
        said.append((done.returncode, done.stdout, done.stderr))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "code", ["import sys; print(sys.argv, __name__)", "raise SystemExit(7)", "1 / 0"]
)
def test_forked_code_says_and_ends_as_started_code(tmp_path: Path, code: str) -> None:
    said = []
    for kind in (subprocess.run, warm_command.run):
        words = [*warm_command.CODE, code, "one", "two"]
        done = kind(words, cwd=tmp_path, capture_output=True, text=True)
        said.append((done.returncode, done.stdout, done.stderr.splitlines()[-1:]))
    assert said[0] == said[1]


def test_a_forked_command_has_folder_variables_and_streams_of_its_own(tmp_path: Path) -> None:
    environment = {**os.environ, "PIXTRAWL_TIMEOUT": "77"}
    (tmp_path / "list.txt").write_text("")
    words = [*warm_command.COMMAND, "download", "list.txt", "--limit", "1", "--dry-run"]
    with (tmp_path / "out").open("wb") as out:
        done = warm_command.run(words, cwd=tmp_path, stdout=out, stderr=subprocess.STDOUT)
    assert done.returncode == 0
    assert (tmp_path / "out").read_bytes()
    shown = [*warm_command.COMMAND, "config", "show"]
    done = warm_command.run(shown, env=environment, capture_output=True, text=True, check=True)
    assert "PIXTRAWL_TIMEOUT" in done.stdout


def test_a_forked_command_ends_by_signals(tmp_path: Path) -> None:
    words = [*warm_command.COMMAND, "playground"]
    for number, code in ((signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)):
        with warm_command.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert running.stdout.readline().startswith(b"http://")
            assert running.poll() is None
            running.send_signal(number)
            assert running.wait(50) == code


def worker(python: str, code: str) -> subprocess.Popen[str]:
    """A worker, started as pytest-xdist does it."""
    words = [*shlex.split(python), "-u", "-c", code]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_where_nothing_forks_workers_they_are_started() -> None:
    launcher = warm_workers.HERE / "warm_workers_launcher.py"
    with worker(f"{sys.executable} -I -S {launcher} /nowhere", "print(input())") as started:
        assert started.communicate("asked\n")[0] == "asked\n"
        assert started.returncode == 0


@pytest.mark.slow  # every run of the suite by several workers has it
def test_forked_workers_have_the_imports_and_end_with_those_that_stand_for_them() -> None:
    warm = warm_workers.WarmWorkers(warm_workers.HERE.parent, ["tests/block_lists"])
    code = "import os, sys; print('tests.conftest' in sys.modules, os.getpid(), input()); input()"
    try:
        with worker(warm.python, code) as one, worker(warm.python, code) as other:
            for running in (one, other):
                assert running.stdin is not None
                assert running.stdout is not None
                running.stdin.write("asked\n")
                running.stdin.flush()
                imported, pid, asked = running.stdout.readline().split()
                assert (imported, asked) == ("True", "asked")
                forked = os.pidfd_open(int(pid))
                if running is one:
                    running.kill()
                else:
                    os.kill(int(pid), signal.SIGKILL)
                running.wait(50)
                assert select.select([forked], [], [], 50)[0]
                os.close(forked)
    finally:
        warm.close()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks /proc for the library")
def test_tests_compute_on_one_thread_of_blas_as_a_run_does() -> None:
    import numpy  # noqa: F401 - its BLAS is asked for

    lines = Path("/proc/self/maps").read_text().splitlines()
    found = {line.split()[-1] for line in lines if "libscipy_openblas64_" in line}
    if not found:
        pytest.skip("numpy's BLAS is not OpenBLAS here")
    for path in found:
        assert ctypes.CDLL(path).scipy_openblas_get_num_threads64_() == 1
