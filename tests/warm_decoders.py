"""Decoder zygotes that are forked from one process with all imports done, instead of started each.

Nearly every test with images starts a zygote of its own, and most of what such a test costs is the
half second of processor time in which a fresh interpreter imports numpy and Pillow. A fork of one
that has imported them takes some milliseconds. From its settings on a zygote is the same program;
tests of the decoders themselves (tests/images) start theirs as users do.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from pixtrawl.images.decoders import program

PROGRAM: Final = Path(__file__).with_name("warm_decoders_process.py")
SPAWN: Final[Callable[[Path], program.Zygote]] = program._spawn
ANSWER_S: Final = 60.0


class WarmProcess:
    """What the product uses of `subprocess.Popen`, for a process that is no child of this one."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd: int | None = pidfd
        self.returncode: int | None = None

    def kill(self) -> None:
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self._pidfd is not None:
            waiting = select.poll()
            waiting.register(self._pidfd, select.POLLIN)
            if not waiting.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("zygote", timeout or 0)
            os.close(self._pidfd)
            self._pidfd, self.returncode = None, 0
        return 0

    def __del__(self) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)


class WarmDecoders:
    """The process that zygotes are forked from; several processes may ask it."""

    def __init__(self, asking: socket.socket | None = None) -> None:
        self._zygote: program.Zygote | None = None
        self._asking = asking

    @property
    def asking(self) -> socket.socket:
        """Where it is asked; it starts at the first use."""
        if self._asking is None:
            self._zygote = SPAWN(PROGRAM)
            self._asking = self._zygote.control
            self._asking.setblocking(True)
        return self._asking

    def spawn(self, path: Path) -> program.Zygote:
        """Stand in for `program._spawn`."""
        if path != program.PROGRAM:
            return SPAWN(path)
        try:
            return self._forked()
        except OSError:  # it was ended from outside: as users start it
            return SPAWN(path)

    def _forked(self) -> program.Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        hearing, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        hearing.settimeout(ANSWER_S)
        try:
            with hearing:
                with theirs, answering:
                    socket.send_fds(self.asking, [b"F"], [theirs.fileno(), answering.fileno()])
                answer, fds, _, _ = socket.recv_fds(hearing, 64, 1)
            if not answer:
                raise ConnectionError("the process that forks zygotes has ended")
        except OSError:
            ours.close()
            raise
        (pid,) = struct.unpack("<I", answer)
        process = WarmProcess(pid, fds[0])
        return program.Zygote(cast("subprocess.Popen[bytes]", process), ours)

    def close(self) -> None:
        if self._zygote is not None:
            self._zygote.end()
            self._zygote = self._asking = None
