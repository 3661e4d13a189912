"""The process of `tests.warm_workers`: imports the tests, then forks a worker for each request."""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import pytest

from tests import warm_workers
from tests.warm_command_process import end, text
from tests.warm_workers_launcher import BEGUN

# Packages that tests of several files import when they run, most of a second each.
LARGE: Final = ("mcp", "pandas")


class ImportsAlone:
    """Collect no tests of a module, which is imported all the same, but those of properties.

    At one of these Hypothesis reads the constants of all modules.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, obj: object) -> list[Any] | None:
        from hypothesis import is_hypothesis_test  # pytest wants it not imported before

        return None if is_hypothesis_test(obj) else []


class Worker(NamedTuple):
    """A forked worker, and the launcher that has been started for it."""

    process: int  # a pidfd
    launcher: socket.socket


def load(arguments: list[str]) -> None:
    """Import what is collected; a module that cannot be imported is reported by the workers."""
    alone = ["--collect-only", "-p", "no:cacheprovider", "-p", "no:xdist"]
    pytest.main([*alone, *arguments], plugins=[ImportsAlone()])
    for name in LARGE:
        if find_spec(name) is not None:
            import_module(name)
    gc.collect()
    gc.freeze()
    gc.disable()  # as tests/conftest.py has it, until a worker has collected


def work(code: bytes, streams: list[int]) -> None:
    """Be the worker, and end."""
    ended = 1
    try:
        for stream, fd in enumerate(streams):
            os.dup2(fd, stream)
            os.close(fd)
        sys.stdin, sys.stdout = text(0, "r", "strict"), text(1, "w", "strict")
        sys.stderr = text(2, "w", "backslashreplace")
        sys.argv = ["-c"]
        exec(code, {"__name__": "__main__"})
        ended = 0
    except SystemExit as ending:
        ended = int(ending.code or 0)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        end(ended)


def fork(launcher: socket.socket, others: list[int]) -> Worker | None:
    """Fork the worker that the launcher asks for; `others` are no descriptors of the worker's."""
    code, streams, _, _ = socket.recv_fds(launcher, 2**16, 3)
    if not code:  # it has been ended
        launcher.close()
        return None
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for fd in (*others, launcher.detach()):
            os.close(fd)
        work(code, streams)
    for fd in streams:
        os.close(fd)
    launcher.send(BEGUN)
    return Worker(os.pidfd_open(pid), launcher)


def serve(asking: socket.socket, run: socket.socket) -> None:
    """Fork on request until the run has ended; end a worker whose launcher was ended."""
    waiting = selectors.PollSelector()
    for one in (asking, run):
        waiting.register(one, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is run:
                return
            if key.fileobj is asking:
                others = [one.fd for one in waiting.get_map().values()]
                worker = fork(asking.accept()[0], others)
                if worker is not None:
                    for fd in (worker.process, worker.launcher.fileno()):
                        waiting.register(fd, selectors.EVENT_READ, worker)
            elif key.fd in waiting.get_map():
                bury(key, waiting)


def bury(key: selectors.SelectorKey, waiting: selectors.BaseSelector) -> None:
    """Let worker and launcher end together, whichever has ended."""
    process, launcher = key.data
    if key.fd != process:
        signal.pidfd_send_signal(process, signal.SIGKILL)
    os.waitid(os.P_PIDFD, process, os.WEXITED)
    for fd in (process, launcher.fileno()):
        waiting.unregister(fd)
    os.close(process)
    launcher.close()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = json.loads(sys.argv[1])
    asking, run = (socket.socket(fileno=fd) for fd in start["fds"])
    warm_workers.shared = warm_workers.processes()
    warm_workers.shared.commands.start()  # while this one imports, too
    os.chdir(start["folder"])
    load(start["arguments"])
    serve(asking, run)


if __name__ == "__main__":
    main()
