"""The pixtrawl command as a process, forked from one that has imported it instead of started anew.

`run` and `Popen` are those of `subprocess`, for tests that need a process of the command (signals,
kills, streams, two at once), but not its start; `[sys.executable, "-c", code, ...]` is forked from
the same process. Tests of the start itself use `subprocess`. Whatever is neither, or asks for more
than is done here, is started anew.
"""

from __future__ import annotations

import inspect
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.warm_decoders import WarmDecoders

COMMAND: Final = [sys.executable, "-m", "pixtrawl"]
CODE: Final = [sys.executable, "-c"]
ROOT: Final = Path(__file__).parent.parent
STATUS: Final = struct.Struct("<i")
_LINES: Final = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")


class CommandServer:
    """The process that commands are forked from; started at the first one."""

    def __init__(self, decoders: WarmDecoders) -> None:
        self._decoders = decoders
        self._process: subprocess.Popen[bytes] | None = None
        self._ours: socket.socket | None = None
        self._one = threading.Lock()

    def fork(self, asked: dict[str, Any], fds: list[int]) -> tuple[int, socket.socket]:
        """Return a new command's process id and the socket on which its end will be said."""
        hearing, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with self._one, telling:
            if self._ours is None:
                self.start()
            assert self._ours is not None
            socket.send_fds(self._ours, [json.dumps(asked).encode()], [*fds, telling.fileno()])
        (pid,) = STATUS.unpack(hearing.recv(STATUS.size))
        return pid, hearing

    def start(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        decoders = self._decoders.asking
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm_command_process",
                 str(theirs.fileno()), str(decoders.fileno())],
                cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
                pass_fds=(theirs.fileno(), decoders.fileno()),
            )  # fmt: skip

    def close(self) -> None:
        if self._ours is not None and self._process is not None:
            self._ours.close()
            self._process.wait(60)


_server: CommandServer | None = None


@contextmanager
def ready(server: CommandServer) -> Iterator[None]:
    """Let commands be forked; outside of it they are started anew."""
    global _server  # noqa: PLW0603 - one for each process of the suite
    _server = server
    try:
        yield
    finally:
        _server = None


class Popen(subprocess.Popen[Any]):
    """A process of the command; everything about pipes and waiting is `subprocess.Popen`'s."""

    _hearing: socket.socket | None = None

    def _execute_child(self, *given: Any) -> None:
        names = inspect.signature(super()._execute_child).parameters  # type: ignore[misc]
        asked = dict(zip(names, given, strict=True))
        words = [os.fspath(word) for word in asked["args"]] if not asked["shell"] else []
        environment = {**(os.environ if asked["env"] is None else asked["env"])}
        here = environment.get("PYTHONPATH") == os.environ.get("PYTHONPATH")
        plain = asked["preexec_fn"] is None and not asked["pass_fds"]
        code = words[2] if words[:2] == CODE else None
        known = words[:3] == COMMAND or code is not None
        if _server is None or not (known and here and plain):
            super()._execute_child(*given)  # type: ignore[misc]
            return
        lines = [asked[name] for name in _LINES]
        streams = [lines[0] if lines[0] != -1 else 0, lines[3] if lines[3] != -1 else 1,
                   lines[5] if lines[5] != -1 else 2]  # fmt: skip
        self.pid, self._hearing = _server.fork(
            {
                "code": code,
                "words": words[3:],
                "cwd": os.fspath(asked["cwd"] or Path.cwd()),
                "environment": environment,
                "session": asked["start_new_session"],
            },
            streams,
        )
        self._child_created = True
        self._close_pipe_fds(*lines)  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._hearing is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc, no-any-return]
        if wait_flags & os.WNOHANG and not select.select([self._hearing], [], [], 0)[0]:
            return 0, 0
        status = self._hearing.recv(STATUS.size)
        self._hearing.close()
        return self.pid, STATUS.unpack(status)[0]

    def _internal_poll(self, *given: Any, **more: Any) -> int | None:
        if self._hearing is None:
            return super()._internal_poll(*given, **more)  # type: ignore[misc, no-any-return]
        if self.returncode is None and self._waitpid_lock.acquire(False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None:
                    pid, status = self._try_wait(os.WNOHANG)
                    if pid == self.pid:
                        self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def run(
    words: list[Any], *, input: Any = None, capture_output: bool = False,
    timeout: float | None = None, check: bool = False, **more: Any,
) -> subprocess.CompletedProcess[Any]:  # fmt: skip
    """`subprocess.run`."""
    if input is not None:
        more["stdin"] = subprocess.PIPE
    if capture_output:
        more["stdout"] = more["stderr"] = subprocess.PIPE
    with Popen(words, **more) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(words, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done
