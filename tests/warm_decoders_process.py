"""The process of `tests.warm_decoders`: imports what decoding needs, then forks zygotes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

DEFAULT_PIXELS = 1 << 28


def load_program(package: str) -> ModuleType:
    file = Path(package) / "images" / "worker_main.py"
    spec = importlib.util.spec_from_file_location("worker_main", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(zygote: Any, control: socket.socket) -> None:
    """Be a zygote, as the program's `main` is after its imports."""
    worker = zygote
    told = control.recv(2**16)
    if not told:
        return
    settings = json.loads(told)
    if settings["transform"] is None:
        worker.warmup = type("Warm", (), {"run": staticmethod(lambda *_: None)})
    worker.tell(settings)
    worker.sandbox.die_with_parent(worker.parent)
    worker.zygote(control)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = json.loads(sys.argv[1])
    worker = load_program(start["package"]).Program(start)
    asking = socket.socket(fileno=worker.control)
    worker.load()
    worker.warmup.run(DEFAULT_PIXELS)
    parent = os.getpid()
    while True:
        message, fds, _, _ = socket.recv_fds(asking, 64, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            asking.close()
            os.setsid()
            worker.parent = parent
            try:
                serve(worker, socket.socket(fileno=fds[0]))
            finally:
                os._exit(1)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(asking, [struct.pack("<I", pid)], [pidfd])
        os.close(pidfd)
        os.close(fds[0])
        while os.waitpid(-1, os.WNOHANG)[0]:  # the one just forked keeps it from raising
            pass


if __name__ == "__main__":
    main()
