"""Runs commands in forked children of a Python into which `failing.c` is preloaded.

One request a line on standard input: JSON with the arguments of the command, the folder, and which
call is to fail; one JSON line answers. Forking saves the imports of each command.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import tempfile
from typing import Any, Final

_LIMIT_S: Final = 60


def serve() -> None:
    """Answer requests until the input ends."""
    from pixtrawl.cli import main as _  # noqa: F401 - imported before the forks
    from pixtrawl.pipeline.feeders import download as __  # noqa: F401

    shim = ctypes.CDLL(None)
    shim.failed.restype = ctypes.c_char_p
    shim.calls.restype = ctypes.c_long
    for line in sys.stdin:
        answer = _carry_out(shim, json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _carry_out(shim: ctypes.CDLL, request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as screen:
        child = os.fork()
        if child == 0:
            _be_the_command(shim, request, told.fileno(), screen.fileno())
        _, status = os.waitpid(child, 0)
        told.seek(0)
        screen.seek(0)
        said = screen.read().decode("utf-8", "replace")
        counted = json.loads(told.read() or b"{}")
        return {"code": os.waitstatus_to_exitcode(status), "said": said, **counted}


def _be_the_command(shim: ctypes.CDLL, request: dict[str, Any], told: int, screen: int) -> None:
    os.setsid()
    signal.alarm(_LIMIT_S)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.dup2(screen, 2)
    for name in ("LD_PRELOAD",):
        os.environ.pop(name, None)
    code = 99
    try:
        from pixtrawl.cli.main import main

        shim.arm(
            os.fsencode(request["root"]), *map(ctypes.c_long, request["calls"]),
            request["error"], request["short"],
        )  # fmt: skip
        code = main(request["words"])
    finally:
        counted = {"calls": shim.calls(), "failed": shim.failed().decode()}
        shim.arm(b"/nowhere/", ctypes.c_long(0), ctypes.c_long(0), 0, 0)
        os.write(told, json.dumps(counted).encode())
        os._exit(code)


if __name__ == "__main__":
    serve()
