"""The process of `tests.warm_command`: imports the command, then forks one for each request."""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, TextIO, cast

import pixtrawl
from pixtrawl.cli.main import entry
from pixtrawl.errors import MissingExtraError
from pixtrawl.images.decoders import program
from tests import migrated_once
from tests.warm_command import STATUS
from tests.warm_decoders import WarmDecoders

# Those that import a package which is optional, large, or starts threads.
LEFT_OUT = (
    "pixtrawl.__main__", "pixtrawl.playground", "pixtrawl.mcp_server", "pixtrawl.studio", "pixtrawl.scoring",
    "pixtrawl.exporters.parquet", "pixtrawl.exporters.lance", "pixtrawl.browser.playwright_driver",
    "pixtrawl.dataset.torch_images", "pixtrawl.images.decoders.worker_main", "pixtrawl.cluster",
)  # fmt: skip


def load() -> None:
    for found in pkgutil.walk_packages(pixtrawl.__path__, "pixtrawl."):
        if not found.name.startswith(LEFT_OUT):
            # an optional package: the command says so when it is used
            with suppress(ImportError, MissingExtraError):
                importlib.import_module(found.name)
    migrated_once.use()


def text(fd: int, mode: str, errors: str) -> TextIO:
    buffering = 1 if os.isatty(fd) or fd == 2 else -1
    opened = open(fd, mode, buffering, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
    return cast("TextIO", opened)


def become(asked: dict[str, Any], fds: list[int], decoders: socket.socket) -> int:
    """Be the command in this process, or run the code, and return the exit code."""
    if asked["session"]:
        os.setsid()
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
    for fd in fds:
        os.close(fd)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.stdin, sys.stdout = text(0, "r", "strict"), text(1, "w", "strict")
    sys.stderr = text(2, "w", "backslashreplace")
    sys.path[0] = asked["cwd"]
    random.seed()
    program._spawn = WarmDecoders(decoders).spawn  # type: ignore[assignment]
    if asked["code"] is not None:
        sys.argv = ["-c", *asked["words"]]
        exec(compile(asked["code"], "<string>", "exec"), {"__name__": "__main__"})
        return 0
    sys.argv = [str(program.PROGRAM), *asked["words"]]
    return entry()


def end(code: int) -> None:
    """End as the interpreter does, but do not tear down every module first (0.1 s)."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
    os._exit(code)


def run(asked: dict[str, Any], fds: list[int], decoders: socket.socket) -> None:
    """Be the command, and end."""
    code = 1
    try:
        code = become(asked, fds, decoders)
    except SystemExit as ending:
        code = int(ending.code or 0)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        end(code)


def bury(alive: dict[int, socket.socket]) -> None:
    while alive:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with alive.pop(pid) as telling:
            try:
                telling.send(STATUS.pack(status))
            except OSError:
                continue  # nobody waits for it


def serve(asking: socket.socket, decoders: socket.socket) -> None:
    """Fork on request until the suite ends."""
    wake, waking = os.pipe()
    for fd in (wake, waking):
        os.set_blocking(fd, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    alive: dict[int, socket.socket] = {}
    poll = select.poll()
    poll.register(asking, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if wake in ready:
            os.read(wake, 4096)
            bury(alive)
        if asking.fileno() not in ready:
            continue
        message, fds, _, _ = socket.recv_fds(asking, 2**20, 4)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for fd in (wake, waking, fds[3], *(one.detach() for one in (asking, *alive.values()))):
                os.close(fd)
            run(json.loads(message), fds[:3], decoders)
        for fd in fds[:3]:
            os.close(fd)
        alive[pid] = socket.socket(fileno=fds[3])
        alive[pid].send(STATUS.pack(pid))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load()
    gc.collect()
    gc.freeze()
    own, others = (socket.socket(fileno=int(word)) for word in sys.argv[1:])
    serve(own, others)
