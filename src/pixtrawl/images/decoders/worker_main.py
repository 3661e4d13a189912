"""The decoder program: an interpreter that decodes files and can do nothing else.

Started as `python -I -S worker_main.py JSON` with a minimal environment and no inherited files. It
imports numpy and the image plugins, and then either

- serves as a zygote (Linux): reads its settings from a control socket, and for each socket that the
  parent sends there forks a decoder that sandboxes itself and serves that socket. A fork takes
  3 ms, a fresh interpreter 100 ms; the zygote never reads an image;
- or is the only decoder itself and serves stdin and stdout.

It imports only the modules of pixtrawl that inspection needs, so that a decoder's memory holds no
code for networks, catalogs or keys.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import types
import warnings
from pathlib import Path
from typing import Any

_MAX_FILE_BYTES = 2**31
_MAX_SETTINGS_BYTES = 2**16


class SocketTransport:
    """Requests over a socket, each with the descriptor of its file, opened for reading."""

    hands_over = True

    def __init__(self, transport: socket.socket) -> None:
        self._wire = transport
        self._fd = -1
        self.write = transport.sendall

    def read_head(self, count: int) -> bytes:
        head, fds, _, _ = socket.recv_fds(self._wire, count, 1)
        if fds:
            self._fd = fds[0]
        if not head or len(head) == count:
            return head
        return head + self.read(count - len(head))

    def read(self, count: int) -> bytes:
        return _receive(self._wire, count)

    def handed_over(self) -> int:
        """Return the descriptor sent with the last request. Raises OSError without one."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            raise OSError("the request came without its file")
        return fd


class PipeTransport:
    """Requests over stdin, answers over a pipe; files are given by name."""

    hands_over = False

    def __init__(self, answers: int) -> None:
        self._answers = answers

    def read_head(self, count: int) -> bytes:
        return _read_exactly(0, count)

    def read(self, count: int) -> bytes:
        return _read_exactly(0, count)

    def write(self, data: bytes) -> None:
        _write_all(self._answers, data)

    def handed_over(self) -> int:
        raise OSError("pipes hand over no files")


Transport = SocketTransport | PipeTransport


class Program:
    """The program's settings and main loops; all its input but the files comes from the parent."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.paths = [str(path) for path in start["paths"]]
        self.package = str(start["package"])
        self.parent = int(start["parent"])
        self.control = int(start["control"])  # fd, or -1: serve stdin and stdout
        self.settings: dict[str, Any] | None = start["settings"]  # None: `configure` is yet to come

    def load(self) -> None:
        """Import everything that decoding will ever need, before any limit."""
        sys.path[:0] = self.paths
        # The package without its __init__: that one imports the product's public interface.
        package = types.ModuleType("pixtrawl")
        package.__path__ = [self.package]
        sys.modules["pixtrawl"] = package
        warnings.simplefilter("ignore")
        from pixtrawl.images import inspect, record
        from pixtrawl.images.appearance import pdq, portrait
        from pixtrawl.images.decoders import cpu_clock, sandbox, warmup
        from pixtrawl.images.formats import cost_limits
        from pixtrawl.images.metadata import rights

        self.cost_limits, self.cpu_clock = cost_limits, cpu_clock
        self.inspect, self.record, self.rights, self.sandbox = inspect, record, rights, sandbox
        self.pdq, self.portrait = pdq, portrait
        self.warmup = warmup
        self.filters = sandbox.load_filter_library()

    def configure(self, settings: dict[str, Any]) -> None:
        """Apply the settings; the process is then ready to fork."""
        self.staging = str(settings["staging"])
        self.memory_bytes = int(settings["memory_bytes"])
        self.max_pixels = int(settings["max_pixels"])
        self.timeout_s = float(settings["timeout_s"])
        self.limits = self.cost_limits.CostLimits(**settings["limits"])
        self.transform = None
        if settings["transform"] is not None:
            from pixtrawl.transform import Transform

            self.transform = Transform(**settings["transform"])
        self.warmup.run(self.max_pixels, self.transform)
        gc.freeze()  # keep the collector from writing to pages shared with the decoders
        gc.enable()

    # -- one decoder ---------------------------------------------------------------------------

    def answer(self, kind: int, task: int, data: bytes) -> bytes:
        if kind == self.record.RIGHTS:
            return self.record.pack_rights(task, self.rights.read_rights(data))
        if kind == self.record.PDQ:
            return self.record.pack_pdq(task, self.pdq.pdq_of(data, self.max_pixels))
        if kind == self.record.PORTRAIT:
            return self.record.pack_portrait(task, self.portrait.portrait(data, self.max_pixels))
        verdict = self.inspect.inspect_bytes(data, self.max_pixels, self.transform, self.limits)
        answer = self.record.pack_verdict(task, verdict)
        if kind == self.record.RENDER:
            answer += self.record.pack_rendition(verdict.rendition)
        return answer

    def serve(self, parent: int, transport: Transport) -> None:
        """Sandbox this process, send HELLO, and answer until the parent closes its end."""
        held = self.sandbox.PARENT_DEATH if self.sandbox.die_with_parent(parent) else 0
        folder = None if transport.hands_over else self.staging
        held |= self.sandbox.contain(folder, self.memory_bytes, self.filters)
        record, write = self.record, transport.write
        write(record.HELLO.pack(record.MAGIC, os.getpid(), held))
        while head := transport.read_head(record.REQUEST.size):
            kind, task, length = record.REQUEST.unpack(head)
            name = transport.read(length).decode()
            try:
                data = self.file(name) if folder is not None else _whole(transport.handed_over())
            except (OSError, ValueError) as error:
                write(record.pack_failure(kind, task, str(error)))
                continue
            except MemoryError:
                write(record.pack_failure(kind, task, "", memory=True))
                continue
            if folder is not None:  # started where the parent may be unable to read our CPU time
                self.limit_cpu(len(data))
            write(self.answer(kind, task, data))

    def limit_cpu(self, size_bytes: int) -> None:
        """Let the system end this process at a file of this size that costs too much CPU time."""
        self.cpu_clock.limit_own_cpu(self.cpu_clock.allowance_s(self.timeout_s, size_bytes))

    def file(self, name: str) -> bytes:
        """Return the bytes of one staged file; names cannot lead out of the folder."""
        if not name or name in (".", "..") or set(name) & set("/\\\0"):
            raise ValueError("not a file name")
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        return _whole(os.open(Path(self.staging) / name, flags))

    # -- the zygote ----------------------------------------------------------------------------

    def zygote(self, control: socket.socket) -> None:
        """Fork a decoder for each socket received; report each death; end with the parent."""
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        control.send(self.record.HELLO.pack(self.record.MAGIC, os.getpid(), 0))
        alive: set[int] = set()
        poll = select.poll()
        poll.register(control, select.POLLIN)
        poll.register(wake_read, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if wake_read in ready:
                os.read(wake_read, 4096)
                self.bury(control, alive)
            if control.fileno() in ready and not self.command(
                control, alive, (wake_read, wake_write)
            ):
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                os._exit(0)  # nothing to clean up, and the parent waits for the exit

    def command(self, control: socket.socket, alive: set[int], private: tuple[int, int]) -> bool:
        """Carry out one command of the parent; return False when the parent is gone."""
        try:
            message, fds, _, _ = socket.recv_fds(control, 64, 1)
        except ConnectionResetError:  # the parent closed its end before it had read of a death
            return False
        if not message:
            return False
        if message[:1] == b"K":  # only an own child not yet reaped, so its id is not reused
            (pid,) = struct.unpack("<I", message[1:5])
            if pid in alive:
                os.kill(pid, signal.SIGKILL)
            return True
        zygote = os.getpid()
        pid = os.fork()
        if pid:
            alive.add(pid)
            os.close(fds[0])
            return True
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in private:
            os.close(fd)
        control.close()
        status = 1
        try:
            self.serve(zygote, SocketTransport(socket.socket(fileno=fds[0])))
            status = 0
        finally:
            os._exit(status)

    def bury(self, control: socket.socket, alive: set[int]) -> None:
        while alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            alive.discard(pid)
            try:
                control.send(self.record.DIED.pack(pid, os.waitstatus_to_exitcode(status)))
            except OSError:  # the parent is gone: the next poll reports it
                return


def _whole(fd: int) -> bytes:
    """Read an open file completely and close it."""
    try:
        size = os.lseek(fd, 0, os.SEEK_END)  # `fstat` takes a path in some C libraries: refused
        os.lseek(fd, 0, os.SEEK_SET)
        if size > _MAX_FILE_BYTES:
            raise ValueError("larger than the decoder's limit")
        return _read_all(fd, size)
    finally:
        os.close(fd)


def _read_all(fd: int, size: int) -> bytes:
    parts = []
    while size > 0 and (part := os.read(fd, size)):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _receive(transport: socket.socket, count: int) -> bytes:
    data = transport.recv(count)
    while data and len(data) < count:
        more = transport.recv(count - len(data))
        if not more:
            return b""
        data += more
    return data


def _read_exactly(fd: int, count: int) -> bytes:
    data = _read_all(fd, count)
    return data if len(data) == count else b""


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def main(program: type[Program] = Program) -> None:
    """Load, then serve until the parent exits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    gc.disable()  # imports leave no cycles: collecting takes 11 of the 137 ms of the start
    worker = program(json.loads(sys.argv[1]))
    if worker.control >= 0:
        control = socket.socket(fileno=worker.control)
        try:
            worker.load()
            settings_ = control.recv(_MAX_SETTINGS_BYTES)
            if not settings_:  # the parent closed the socket: not needed
                return
            worker.configure(json.loads(settings_))
        except BaseException as error:
            text = f"{type(error).__name__}: {error}".encode()[:2000]
            control.send(b"E" + text)
            raise
        worker.sandbox.die_with_parent(worker.parent)
        worker.zygote(control)
        return
    # Keep anything that a library prints out of the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    assert worker.settings is not None
    worker.load()
    worker.configure(worker.settings)
    worker.serve(worker.parent, PipeTransport(answers))


if __name__ == "__main__":
    main()
