"""The lock on a data set holds, and dies with its process, on file systems without record locks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import DatasetLock, Folder, in_use
from pixtrawl.folder.locks import file_lock
from tests import warm_command
from tests.matrices import crossed

fcntl = pytest.importorskip("fcntl", reason="POSIX record locks")

UNKNOWN = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EACCES, errno.EIO]
PATCH = """
import fcntl, os, sys
def failing(code):
    def call(*_):
        raise OSError(code, os.strerror(code))
    return call
for name in sys.argv[2].split(","):
    setattr(fcntl, name, failing(int(sys.argv[3])))
from pixtrawl.folder.dataset_folder import Folder, DatasetLock
try:
    with DatasetLock(Folder(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
except Exception as error:
    print(error, flush=True)
"""


@contextmanager
def other(root: Path, calls: str, code: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Another process that takes the lock, where some calls fail; and the first line it says."""
    command = [sys.executable, "-c", PATCH, str(root), calls, str(code)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with warm_command.Popen(command, **pipes) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()


@pytest.mark.parametrize(("calls", "code"), crossed(["lockf", "lockf,flock"], UNKNOWN))
def test_two_processes_are_kept_apart_without_record_locks(
    tmp_path: Path, calls: str, code: int
) -> None:
    with other(tmp_path, calls, code) as (said, first):
        assert said == "held"
        with other(tmp_path, calls, code) as (refused, _):
            assert f"is in use (process {first.pid})" in refused
        first.kill()
        first.wait()
        with other(tmp_path, calls, code) as (taken, _):  # the first left its name behind
            assert taken == "held"


def test_a_number_given_to_another_process_holds_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    folder = Folder(tmp_path)
    monkeypatch.setattr(fcntl, "lockf", fail)
    monkeypatch.setattr(fcntl, "flock", fail)
    with other(tmp_path, "lockf,flock", errno.ENOLCK) as (said, _):
        assert said == "held"
        assert in_use(folder)
        text = folder.lock_file.read_text().splitlines()
        folder.lock_file.write_text(f"{text[0]}\n{text[1]}\n{int(text[2] or 0) + 1}\n")
        assert not in_use(folder)


def test_two_threads_are_told_apart_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    ready = threading.Barrier(4)

    def take() -> None:
        ready.wait()
        try:
            with DatasetLock(Folder(tmp_path)):
                ended.wait(60)
        except StorageError as error:
            said.append(str(error))
            if len(said) == 3:
                ended.set()

    ended = threading.Event()
    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 3
    assert all("in use by this very process" in one for one in said)


def test_a_look_while_a_thread_takes_the_lock_does_not_free_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing any handle of a file drops the record locks that the process has on it."""
    acquire, taken, go_on = file_lock.acquire, threading.Event(), threading.Event()

    def slow(path: Path, root: Path) -> Any:
        file = acquire(path, root)
        taken.set()
        go_on.wait(60)
        return file

    def hold() -> None:
        with DatasetLock(Folder(tmp_path)):
            left.wait(60)

    left = threading.Event()
    monkeypatch.setattr(file_lock, "acquire", slow)
    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert taken.wait(60)
        assert in_use(Folder(tmp_path))
        go_on.set()
        assert in_use(Folder(tmp_path))
        with other(tmp_path, "nothing", 0) as (said, _):
            assert f"is in use (process {os.getpid()})" in said
    finally:
        go_on.set()
        left.set()
        thread.join()
    assert not in_use(Folder(tmp_path))


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot"), DatasetLock(Folder(tmp_path / "file")):
        pass
