"""How the command ends: errors of every kind, signals, and the doctor's verdict."""

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pixtrawl.cli import main as main_module
from pixtrawl.cli.loop import Stop, run_loop
from pixtrawl.cli.main import main
from pixtrawl.errors import ExportError, PixtrawlError, StorageError, UsageError


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Makes `pixtrawl report` end with an error of the test's choice."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def set_up(error: BaseException) -> None:
        def fail(arguments: object) -> int:
            raise error

        from pixtrawl.cli.commands import report

        monkeypatch.setattr(report, "main", fail)

    return set_up


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("queries.csv:3: two columns"), 2, "pixtrawl: queries.csv:3: two columns\n"),
        (StorageError("in use"), 5, "pixtrawl: in use\n"),
        (ExportError("two\nlines \x1b[2J"), 1, "pixtrawl: two lines [2J\n"),
        (KeyboardInterrupt(), 130, "pixtrawl: interrupted\n"),
        (ExceptionGroup("tasks", [ValueError("x"), StorageError("full")]), 5, "pixtrawl: full\n"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(
    raising: Any,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    raising(error)
    assert main(["report", "x"]) == code
    assert capsys.readouterr() == ("", line)


def test_a_full_disk_is_one_line_with_the_next_step(
    raising: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(OSError(errno.ENOSPC, "No space left"))
    assert main(["report", "x"]) == 5
    said = capsys.readouterr().err
    assert said.startswith("pixtrawl: the disk is full: ")
    assert said.count("\n") == 1
    assert "free" in said
    assert "make room" in said


def test_an_unexpected_error_is_one_line_and_its_trace_is_kept(
    raising: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(RuntimeError("impossible"))
    assert main(["report", "x"]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert message.startswith("pixtrawl: unexpected RuntimeError: impossible (trace in ")
    kept = Path(message.partition("trace in ")[2].strip().removesuffix(")"))
    assert "RuntimeError: impossible" in kept.read_text()
    assert "Traceback" in kept.read_text()


def test_very_verbose_shows_the_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> int:
        raise RuntimeError("impossible")

    monkeypatch.setattr(main_module, "_dispatch", fail)
    assert main(["run", "cat", "-vv"]) == 1
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert message.endswith("(trace above)\n")


def test_every_error_class_has_a_documented_exit_code() -> None:
    from pixtrawl.cli.exit_codes import EXIT_CODES

    classes: list[type[PixtrawlError]] = [PixtrawlError, *PixtrawlError.__subclasses__()]
    assert {one.exit_code for one in classes} <= set(EXIT_CODES)


def test_a_coroutine_returns_its_value_and_that_nobody_stopped_it() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert run_loop(work()) == (7, False)


def test_the_second_signal_leaves_at_once() -> None:
    left: list[int] = []
    cancelled: list[bool] = []
    loop = SimpleNamespace(call_soon_threadsafe=lambda call: call())
    task: Any = SimpleNamespace(cancel=lambda: cancelled.append(True), get_loop=lambda: loop)
    stop = Stop(task, left.append)
    stop(signal.SIGINT, None)
    assert (cancelled, left) == ([True], [])
    stop(signal.SIGINT, None)
    assert (cancelled, left) == ([True], [130])


_GRACEFUL = """
    import asyncio, sys
    from pixtrawl.cli.loop import run_loop
    async def work():
        print("ready", flush=True)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "report"
    print(run_loop(work()))
"""
_BARE = """
    import asyncio, sys
    from pixtrawl.cli.loop import run_loop
    async def work():
        print("ready", flush=True)
        await asyncio.sleep(60)
    try:
        run_loop(work())
    except KeyboardInterrupt:
        print("nothing to show")
"""
_STUBBORN = """
    import asyncio, sys
    from pixtrawl.cli.loop import run_loop
    async def work():
        print("ready", flush=True)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("not yet", flush=True)
    run_loop(work())
"""


_HELD_UP = """
    import asyncio, sys
    from pixtrawl.cli.loop import run_loop
    async def work():
        print("ready", flush=True)
        while sys.maxsize:
            pass
    run_loop(work())
"""


def _start(program: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("program", "said"), [(_GRACEFUL, "('report', True)\n"), (_BARE, "nothing to show\n")]
)
def test_the_first_signal_cancels_and_what_there_is_comes_back(
    number: signal.Signals, program: str, said: str
) -> None:
    process = _start(program)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, said)
    assert "Ctrl-C again ends at once" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX's")
def test_the_second_signal_ends_a_process_that_does_not_want_to() -> None:
    process = _start(_STUBBORN)
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "not yet\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


@pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX's")
def test_the_second_signal_ends_a_process_whose_event_loop_is_held_up() -> None:
    process = _start(_HELD_UP)
    while process.poll() is None:  # the kernel may make one signal of two
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130


@pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_without_a_loop_leaves_no_temporary_folder_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    os.mkfifo(tmp_path / "endless.jsonl")
    process = subprocess.Popen(
        [sys.executable, "-m", "pixtrawl", "cluster", "prepare", "endless.jsonl", "-o", "store"],
        cwd=tmp_path, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    writing = -1
    while writing < 0:  # until the list is being opened, which comes after the temporary folder
        assert process.poll() is None, process.communicate()
        try:
            writing = os.open(tmp_path / "endless.jsonl", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # ENXIO: nobody reads it
                raise
            time.sleep(0.02)
    assert len(list(temporary.iterdir())) == 1
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    os.close(writing)
    assert (process.returncode, err) == (130, "pixtrawl: interrupted\n")
    assert list(temporary.iterdir()) == []


def _doctor(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, dict[str, str]]]:
    code = main(["doctor", "--json", *arguments])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return code, {check["name"]: check for check in checks}


def test_the_doctor_tells_each_check_and_the_next_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXTRAWL_CHROME", str(tmp_path / "no-chrome"))
    code, checks = _doctor(capsys, "-s", "google", "-o", str(tmp_path / "set"), "--no-network")
    assert code == 5
    assert checks["browser"]["status"] == "fail"
    assert "PIXTRAWL_CHROME" in checks["browser"]["detail"]
    assert checks["browser"]["next_step"]
    assert checks["disk"]["status"] in {"ok", "warn"}
    assert checks["pycurl"]["status"] == "ok"
    assert checks["decoders"]["status"] in {"ok", "warn"}
    assert not any(name.startswith("network") for name in checks)
    assert not (tmp_path / "set").exists()


def test_the_doctor_sees_a_data_set_in_use_and_a_dead_server(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from pixtrawl.catalog.database import Catalog
    from pixtrawl.folder.dataset_folder import DatasetLock, Folder

    folder = Folder(tmp_path / "set")
    folder.create()
    Catalog(folder.catalog).close()
    own = ["-s", "google", "-o", str(folder.root), "--set", "google.base_url=http://127.0.0.1:1"]
    with DatasetLock(folder):
        code, checks = _doctor(capsys, *own)
    assert code == 5
    assert checks["data set"]["status"] == "fail"
    assert checks["network google"]["status"] == "fail"
    code, checks = _doctor(capsys, *own)
    assert checks["data set"]["status"] == "ok"


def test_the_doctor_sees_a_folder_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    code, checks = _doctor(
        capsys, "-s", "google", "-o", str(tmp_path / "file" / "set"), "--no-network"
    )
    assert code == 5
    assert checks["disk"]["status"] == "fail"


def test_sources_tells_all_that_is_known_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "google", "--json"]) == 0
    (google,) = json.loads(capsys.readouterr().out)["sources"]
    assert google["needs"] == ["browser"]
    assert "terms" in google["terms"]
    keys = [setting["key"] for setting in google["settings"]]
    assert {"base_url", "delay_s", "enabled"} <= set(keys)
    assert len(keys) == len(set(keys))
    assert main(["sources", "google"]) == 0
    assert "forbid automated access" in capsys.readouterr().out
    assert main(["sources", "gogle"]) == 2
