"""The process of `tests.warm_decoders`: imports what decoding needs, then forks zygotes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

PIXELS = 1 << 28  # more than any picture has on which the codecs are warmed up


def load_program(package: str) -> ModuleType:
    file = Path(package) / "images" / "decoders" / "worker_main.py"
    spec = importlib.util.spec_from_file_location("worker_main", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(worker: Any, control: socket.socket) -> None:
    """Be a zygote, as the program's `main` is after its imports."""
    told = control.recv(2**16)
    if not told:
        return
    settings = json.loads(told)
    if settings["transform"] is None:  # nothing is left to warm up
        worker.warmup = type("Warm", (), {"run": staticmethod(lambda *_: None)})
    worker.configure(settings)
    worker.sandbox.die_with_parent(worker.parent)
    worker.zygote(control)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = json.loads(sys.argv[1])
    worker = load_program(start["package"]).Program(start)
    asking = socket.socket(fileno=worker.control)
    worker.load()
    worker.warmup.run(PIXELS)
    parent = os.getpid()
    while True:
        message, fds, _, _ = socket.recv_fds(asking, 64, 2)
        if not message:
            return
        control, answer = (socket.socket(fileno=fd) for fd in fds)
        pid = os.fork()
        if pid == 0:
            asking.close()
            answer.close()
            os.setsid()
            worker.parent = parent
            try:
                serve(worker, control)
            finally:
                os._exit(1)
        pidfd = os.pidfd_open(pid)
        with control, answer:
            socket.send_fds(answer, [struct.pack("<I", pid)], [pidfd])
        os.close(pidfd)
        with suppress(ChildProcessError):  # all have ended
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main()
