"""The decoder program with a way in for attacks: stands for a hole in an image library.

A file that begins with ATTACK: makes the contained process do what is written behind it. A copy of
this program with "no-landlock" or "no-scopes" in its name runs as on a kernel without them.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

MARK = b"ATTACK:"


def load_program() -> ModuleType:
    file = Path(json.loads(sys.argv[1])["package"]) / "images" / "decoders" / "worker_main.py"
    spec = importlib.util.spec_from_file_location("worker_main", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def busy() -> None:
    while True:
        pass


def signal_by_fcntl(victim: str) -> None:
    """Have the kernel send SIGKILL to a process when data arrives at one of our descriptors."""
    for fd in range(16):
        try:
            fcntl.fcntl(fd, fcntl.F_SETOWN, int(victim))
            fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
        except OSError as error:
            if error.errno != 9:  # no such descriptor
                raise


def libc(name: str, *arguments: object) -> None:
    """Call a function of the C library; raise its error."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def exists(path: str) -> None:
    if not os.access(path, os.F_OK):
        raise PermissionError(path)


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
    "fcntl": signal_by_fcntl,
    "killer": lambda victim: os.kill(int(victim), signal.SIGKILL),
    "queue": lambda victim: libc("sigqueue", int(victim), 9, None),
    "pidfd": lambda victim: os.pidfd_open(int(victim)),
    "ptrace": lambda victim: libc("ptrace", 16, int(victim), None, None),
    "stat": lambda path: Path(path).stat(),
    "exists": exists,
    "link": lambda path: Path(path).readlink(),
    "list": lambda path: list(Path(path).iterdir()),
    "cwd": lambda _: Path.cwd(),
    "setown": lambda victim: fcntl.ioctl(0, 0x8901, struct.pack("i", int(victim))),
    "executable": lambda _: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "memfd": lambda _: os.memfd_create("x"),
    "unix": lambda path: socket.socket(socket.AF_UNIX).connect(path),
    "pair": lambda _: socket.socketpair(),
    "mount": lambda _: libc("mount", b"a", b"/tmp", b"tmpfs", 0, None),
    "namespace": lambda _: libc("unshare", 0x10000000),
    "limit": lambda _: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
}


def attack(what: str) -> bytes | None:
    """Bytes: a forged answer. None: the attack was survived, go on as usual."""
    verb, _, rest = what.partition(" ")
    got = ATTACKS[verb](rest)
    return got if isinstance(got, bytes) else None


def main() -> None:
    module = load_program()

    class Attacked(module.Program):  # type: ignore[misc, name-defined]
        def load(self) -> None:
            super().load()
            if "no-landlock" in sys.argv[0]:
                self.sandbox._landlock = lambda _: 0
            if "no-scopes" in sys.argv[0]:
                self.sandbox._SCOPE_BITS = 0

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
