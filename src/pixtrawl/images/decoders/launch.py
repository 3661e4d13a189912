"""Start decoder processes: forked from a clean zygote where possible, else one by one.

Either way a decoder inherits no file, environment or terminal of the parent, and so neither the
data set's lock nor API keys. Its exit is reported once, after all its output.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final, Protocol, cast

from pixtrawl.errors import EngineError
from pixtrawl.images import record
from pixtrawl.images.decoders.program import Settings, command, environment, start_zygote

__all__ = ["ExecLauncher", "Launcher", "Link", "Receiver", "Settings", "ZygoteLauncher", "launcher"]

START_TIMEOUT_S: Final = 30.0
# Neither follow a link nor block on a pipe that was put in the file's place.
_READING: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


class Receiver(Protocol):
    """The owner of a decoder: receives its output and its exit."""

    def received(self, data: bytes) -> None: ...

    def ended(self, exit_code: int | None) -> None:
        """Handle the end of the process; the last call. A negative code is a signal."""
        ...


class Link(Protocol):
    """One running decoder."""

    def send(self, data: bytes, path: str) -> None:
        """Send a request for a staged file. Raises OSError where the file cannot be opened."""
        ...

    def kill(self) -> None: ...

    def close(self) -> None:
        """Close its input: it exits after the last request."""
        ...


class Launcher(Protocol):
    """A way of starting decoders."""

    async def launch(self, receiver: Receiver) -> Link:
        """Start a decoder. Raises EngineError."""
        ...

    def renew(self) -> None:
        """Kill what starts decoders, if that is a process, and so its decoders: it hangs."""
        ...

    async def aclose(self) -> None: ...


def launcher(program: Path, settings: Settings, platform: str = sys.platform) -> Launcher:
    """Return the best launcher for this system. macOS cannot fork safely after loading BLAS."""
    kind = ZygoteLauncher if platform == "linux" else ExecLauncher
    return kind(program, settings)


class ZygoteLauncher:
    """Forks decoders on demand (3 ms) from one fresh, single-threaded interpreter (100 ms)."""

    def __init__(self, program: Path, settings: Settings) -> None:
        self._program = program
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: list[subprocess.Popen[bytes]] = []
        self._control: socket.socket | None = None
        self._starting = asyncio.Lock()
        self._links: dict[int, _ForkLink] = {}  # by process id

    async def launch(self, receiver: Receiver) -> Link:
        async with self._starting:
            control = self._control or await self._start()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(control, [b"F"], [theirs.fileno()])
            ours.setblocking(False)
            link = _ForkLink(self, receiver, ours)
            await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=ours)
        except OSError as error:
            ours.close()
            raise EngineError(f"no decoder could be started: {error}") from error
        return link

    async def _start(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        try:
            zygote = start_zygote(self._program, self.settings)
        except OSError as error:
            raise EngineError(f"the decoder program does not start: {error!r}") from error
        self._process, ours = zygote.process, zygote.control
        try:
            hello = await asyncio.wait_for(loop.sock_recv(ours, 4096), START_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            ours.close()
            await self._reap()
            raise EngineError(f"the decoder program does not start: {error!r}") from error
        except asyncio.CancelledError:
            ours.close()  # the program then ends; `aclose` waits for it
            raise
        if hello[:4] != record.MAGIC:
            ours.close()
            await self._reap()
            problem = hello[1:].decode("utf-8", "replace") or "it ended at once"
            raise EngineError(f"the decoder program does not start: {problem}")
        self._control = ours
        loop.add_reader(ours.fileno(), self._heard)
        return ours

    def _heard(self) -> None:
        """Read the zygote's reports of exited decoders; all exit when the zygote does."""
        assert self._control is not None
        try:
            message = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if message:
            pid, status = record.DIED.unpack(message)
            link = self._links.pop(pid, None)
            if link:
                link.died(status)
            return
        self._drop_control()
        if self._process is not None:
            self._ended.append(self._process)  # reaped later: it may still be about to exit
            self._process = None
        for link in list(self._links.values()):
            link.died(None)
        self._links.clear()

    def _drop_control(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None

    def renew(self) -> None:
        """Kill the zygote, which may be stopped and then carries out no command.

        Its decoders die with it. `_heard` learns of it, and the next launch starts another one.
        """
        if self._process is not None:
            self._process.kill()

    def adopt(self, pid: int, link: _ForkLink) -> None:
        self._links[pid] = link

    def kill(self, pid: int) -> None:
        if self._control is not None:
            try:
                self._control.send(b"K" + struct.pack("<I", pid))
            except OSError:
                self._heard()

    async def aclose(self) -> None:
        self._drop_control()
        for link in list(self._links.values()):
            link.died(None)
        self._links.clear()
        await self._reap()

    async def _reap(self) -> None:
        """Wait for the zygotes, which exit when their control socket is closed; else kill them."""
        if self._process is not None:
            self._ended.append(self._process)
            self._process = None
        while self._ended:
            process = self._ended.pop()
            try:
                await asyncio.to_thread(process.wait, 5)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)


class _ForkLink(asyncio.Protocol):
    """The socket of one forked decoder; its exit is reported once socket and process are gone."""

    def __init__(self, owner: ZygoteLauncher, receiver: Receiver, wire: socket.socket) -> None:
        self._owner = owner
        self._wire = wire
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._pid = 0
        self._lost = False
        self._dead = False
        self._has_ended = False
        self._exit_code: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._pid and len(data) >= record.HELLO.size:
            _, self._pid, _ = record.HELLO.unpack_from(data)
            self._owner.adopt(self._pid, self)
        self._receiver.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._pid and not self._dead:
            self._owner.kill(self._pid)  # a decoder that closed its socket is of no more use
        else:
            self._dead = True
        self._end_once()

    def died(self, exit_code: int | None) -> None:
        self._dead = True
        self._exit_code = exit_code
        self._end_once()

    def _end_once(self) -> None:
        if self._lost and self._dead and not self._has_ended:
            self._has_ended = True
            self._receiver.ended(self._exit_code)

    def send(self, data: bytes, path: str) -> None:
        """Send a request with the opened file's descriptor: the decoder can open no file itself.

        Writes to the socket directly, as asyncio transports cannot send descriptors. The few
        requests queued at a decoder never fill its buffer.
        """
        file = os.open(path, _READING)
        try:
            if self._transport is not None and not self._lost:
                socket.send_fds(self._wire, [data], [file])
        except BlockingIOError:
            self.kill()
        except OSError:
            return  # it has exited, which is reported separately
        finally:
            os.close(file)

    def kill(self) -> None:
        if self._pid:
            self._owner.kill(self._pid)
        elif self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        if self._transport is not None and not self._lost:
            self._transport.close()


class ExecLauncher:
    """Starts a fresh interpreter for each decoder, over pipes: works on every system."""

    def __init__(self, program: Path, settings: Settings) -> None:
        self._program = program
        self.settings = settings

    async def launch(self, receiver: Receiver) -> Link:
        loop = asyncio.get_running_loop()
        try:
            _, link = await loop.subprocess_exec(
                lambda: _PipeLink(receiver),
                *command(self._program, self.settings, -1),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
                start_new_session=os.name == "posix",
            )
        except OSError as error:
            raise EngineError(f"no decoder could be started: {error}") from error
        return link

    def renew(self) -> None:
        """Do nothing: each decoder is a process of its own, and `Link.kill` ends it."""

    async def aclose(self) -> None:
        """Do nothing: these decoders share no process."""


class _PipeLink(asyncio.SubprocessProtocol):
    """Both pipes of one decoder; asyncio reports the exit after both are drained."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._receiver.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        code = self._transport.get_returncode() if self._transport else None
        if self._transport:
            self._transport.close()
        self._receiver.ended(code)

    def _stdin(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        return cast("asyncio.WriteTransport | None", pipe)

    def send(self, data: bytes, path: str) -> None:
        pipe = self._stdin()
        if pipe is not None and not pipe.is_closing():
            pipe.write(data)

    def kill(self) -> None:
        if self._transport is not None and self._transport.get_returncode() is None:
            self._transport.kill()

    def close(self) -> None:
        pipe = self._stdin()
        if pipe is not None:
            pipe.close()
