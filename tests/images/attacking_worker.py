"""The decoder program with a way in for attacks: stands for a hole in an image library.

A file that begins with ATTACK: makes the contained process do what is written behind it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

MARK = b"ATTACK:"


def load_program() -> ModuleType:
    file = Path(json.loads(sys.argv[1])["package"]) / "images" / "worker_main.py"
    spec = importlib.util.spec_from_file_location("worker_main", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def busy() -> None:
    while True:
        pass


ATTACKS: dict[str, Callable[[str], object]] = {
    "segv": lambda _: ctypes.memset(0, 1, 1),
    "sleep": lambda _: time.sleep(1000),
    "loop": lambda _: busy(),
    "socket": lambda _: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "exec": lambda _: os.execv("/bin/true", ["true"]),
    "fork": lambda _: os.fork(),
    "write": lambda path: os.open(path, os.O_WRONLY | os.O_CREAT),
    "memory": lambda _: bytearray(4 << 30),
    "exit": lambda _: os._exit(3),
    "kill": lambda _: os.kill(os.getppid(), 9),
    "forge": lambda _: os.urandom(4096),
    "read": lambda path: Path(path).read_bytes(),
}


def attack(what: str) -> bytes | None:
    """Bytes: a forged answer. None: the attack was survived, go on as usual."""
    verb, _, rest = what.partition(" ")
    got = ATTACKS[verb](rest)
    return got if isinstance(got, bytes) else None


def main() -> None:
    module = load_program()

    class Attacked(module.Program):  # type: ignore[misc, name-defined]
        def answer(self, kind: int, task: int, data: bytes) -> bytes:
            if not data.startswith(MARK):
                return super().answer(kind, task, data)  # type: ignore[no-any-return]
            verdict = self.inspect.Verdict
            reason = self.record.Reason.CORRUPT
            try:
                forged = attack(data[len(MARK) :].decode())
            except (OSError, MemoryError) as error:
                forged = self.record.pack_verdict(task, verdict(None, reason, repr(error)))
            if forged is None:
                forged = self.record.pack_verdict(task, verdict(None, reason, "survived"))
            return bytes(forged)

    module.main(Attacked)


if __name__ == "__main__":
    main()
