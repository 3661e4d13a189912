"""Servers of other projects as child processes: started, waited for, ended with all they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    port: int | Path,
    log: Path,
    env: Mapping[str, str],
    *,
    within_s: float = 20,
) -> Iterator[None]:
    """Runs it, from its listening at a port or a socket file on, until the end.

    In a process group of its own: php's workers outlive their parent.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            env={**os.environ, **env}, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(port, process, log, within_s)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)


def _listens(at: int | Path) -> bool:
    with suppress(OSError):
        if isinstance(at, int):
            with socket.create_connection(("127.0.0.1", at), 1):
                return True
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(at))
            return True
    return False


def _wait_for(
    port: int | Path, process: subprocess.Popen[bytes], log: Path, within_s: float
) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"it ended at once: {log.read_text(errors='replace')[-2000:]}")
        if _listens(port):
            return
        time.sleep(0.05)
    raise AssertionError(f"it does not listen: {log.read_text(errors='replace')[-2000:]}")
