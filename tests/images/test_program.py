"""The decoder program's head start: used once, and by whoever asks for the same."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.cli.main import main
from pixtrawl.cli.running import prepare as prepare_command
from pixtrawl.config.groups import Config, Images, Job
from pixtrawl.images import record
from pixtrawl.images.decoders import program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are Linux's")


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    program.abandon()


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_head_start_is_used_once_and_for_whatever_settings_come(tmp_path: Path) -> None:
    program.head_start()
    program.head_start()
    (ahead,) = program._ahead
    program.prepare(Images(), tmp_path / "ours")
    elsewhere = program.start_zygote(
        program.PROGRAM, program.settings_of(Images(), tmp_path / "others")
    )
    settings = program.settings_of(Images(), tmp_path / "ours")
    first = program.start_zygote(program.PROGRAM, settings)
    second = program.start_zygote(program.PROGRAM, settings)
    started = [elsewhere, first, second]
    for zygote in started:
        zygote.end()
    assert first is ahead
    assert len({zygote.process.pid for zygote in started}) == 3
    assert not program._ahead
    assert not program._prepared


def forked_once(tmp_path: Path) -> program.Zygote:
    """Start a decoder parent and let it fork a decoder, which ends with its socket."""
    zygote = program.start_zygote(program.PROGRAM, program.settings_of(Images(), tmp_path))
    zygote.control.setblocking(True)
    zygote.control.settimeout(30)
    assert zygote.control.recv(64)[:4] == record.MAGIC
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(zygote.control, [b"F"], [theirs.fileno()])
        ours.settimeout(30)
        assert ours.recv(64)[:4] == record.MAGIC
    return zygote


def test_one_that_was_told_says_hello_and_forks(tmp_path: Path) -> None:
    program.head_start()
    zygote = forked_once(tmp_path)
    zygote.control.close()
    assert zygote.process.wait(60) == 0


def test_one_whose_parent_is_gone_before_it_reads_of_a_death_ends_in_order(tmp_path: Path) -> None:
    zygote = forked_once(tmp_path)
    assert zygote.control.recv(64, socket.MSG_PEEK)  # of the death; it stays unread
    zygote.control.close()
    assert zygote.process.wait(60) == 0


def test_nothing_is_kept_where_nothing_will_be_decoded(tmp_path: Path) -> None:
    program.head_start()
    (ahead,) = program._ahead
    program.prepare(Images(check="none"), tmp_path)
    assert not program._ahead
    assert not program._prepared
    assert is_gone(ahead.process.pid)


def test_one_that_is_never_asked_for_ends_with_its_process(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        from pixtrawl.images.decoders import program
        program.head_start()
        (zygote,) = program._ahead
        print(zygote.process.pid)
    """)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    pid = int(done.stdout)
    for _ in range(600):
        if is_gone(pid):
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail(f"process {pid} is still there")


@pytest.mark.parametrize(
    "arguments", [["run", "cats", "--no-such-option"], ["download", "no-such-file.jsonl"]]
)
def test_a_command_that_fails_leaves_none_behind(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started: list[program.Zygote] = []
    spawn = program._spawn

    def noted(path: Path) -> program.Zygote:
        started.append(spawn(path))
        return started[-1]

    monkeypatch.setattr(program, "_spawn", noted)
    assert main(arguments) == 2
    assert [is_gone(zygote.process.pid) for zygote in started] == [True]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("none.txt", [one]) for one in ("--help", "-h", "--dry-run", "--check=none")),
        ("none.txt", ["--engine", "processes"]),
        ("nowhere.txt", ["--engine=processes"]),  # ends before its workers start
    ],
)
def test_a_command_that_decodes_nothing_itself_starts_none(
    name: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(program, "_spawn", lambda _: pytest.fail("was started"))
    (tmp_path / "none.txt").touch()
    main(["download", name, *options])


def test_a_head_start_ends_where_the_settings_name_an_engine_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program.head_start()
    (ahead,) = program._ahead
    prepare_command(Config(job=Job(output=str(tmp_path / "set"), engine="processes")))
    assert not program._ahead
    assert not program._prepared
    assert is_gone(ahead.process.pid)
