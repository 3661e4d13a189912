"""The engine's side of one worker process: its pipes and its tasks."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from typing import Final, Protocol, cast

from pixtrawl.engines import wire
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.heartbeat import clock_s
from pixtrawl.errors import EngineError
from pixtrawl.model import Task

__all__ = ["LinkOwner", "WorkerLink"]

_KEPT_ERRORS: Final = 4096  # bytes of what a worker wrote to its standard error


class LinkOwner(Protocol):
    """The engine, as its links see it."""

    def reported(self, link: WorkerLink, report: wire.Report) -> None:
        """Take a message of a worker."""
        ...

    def ended(self, link: WorkerLink) -> None:
        """Take note that a worker has ended, after all its messages."""
        ...


class WorkerLink(asyncio.SubprocessProtocol):
    """A worker process that was started with `open`."""

    def __init__(self, number: int, owner: LinkOwner) -> None:
        self.number = number
        self.tasks: dict[int, Task] = {}  # in progress there
        self.is_ready = False
        self.closing = False
        self.last_message_at = clock_s()
        self.gone = asyncio.Event()
        self.cancelled: asyncio.Event | None = None  # set when it has cancelled its tasks
        self.rate_bytes_s: int | None = None
        self._owner = owner
        self._frames = wire.Frames()
        self._errors = b""
        self._transport: asyncio.SubprocessTransport | None = None
        self._given: list[Task] = []
        self._orders: list[wire.Order] = []
        self._flushing = True  # until the process is there

    async def open(self, spec: WorkerSpec) -> None:
        """Start the process and send it its settings. Raise EngineError."""
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: self,
                sys.executable,
                "-P",  # modules come from where ours do, never from the current folder
                "-m",
                "pixtrawl.engines.worker_process",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(one or "." for one in sys.path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # keep Ctrl-C in the terminal from reaching it
            )
        except OSError as error:
            raise EngineError(f"a worker process does not start: {error}") from error
        self._write(wire.frame(pickle.dumps(spec)))
        self._flush()

    # -- the process

    @property
    def pid(self) -> int:
        """Its process id; 0 before it has started."""
        return 0 if self._transport is None else self._transport.get_pid() or 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.last_message_at = clock_s()
        if fd == 2:
            self._errors = (self._errors + data)[-_KEPT_ERRORS:]
            return
        for content in self._frames.feed(data):
            self._owner.reported(self, wire.unpack_report(content))

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        if self.cancelled is not None:
            self.cancelled.set()
        self._owner.ended(self)
        if self._transport is not None:
            self._transport.close()

    @property
    def end(self) -> str:
        """How it ended, in words: its signal or exit code, and the last line of its errors."""
        code = self._transport.get_returncode() if self._transport is not None else None
        last_line = self._errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        how = "it ended" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {last_line}" if last_line else how

    def kill(self) -> None:
        """End the process at once."""
        if self._transport is not None and self._transport.get_returncode() is None:
            self._transport.kill()

    async def aclose(self, patience_s: float = 5.0) -> None:
        """Close its input, so that it ends; kill it after `patience_s`."""
        self.closing = True
        pipe = self._stdin()
        if pipe is not None:
            pipe.close()
        if self._transport is None:
            return
        try:
            await asyncio.wait_for(self.gone.wait(), patience_s)
        except TimeoutError:
            self.kill()
            await self.gone.wait()

    # -- messages

    def give(self, task: Task) -> None:
        """Give it a task; several of one moment go as one message."""
        self.tasks[task.id] = task
        self._given.append(task)
        self._flush_soon()

    def send(self, order: wire.Order) -> None:
        """Send an order; it arrives before tasks that are given in the same moment."""
        self._orders.append(order)
        self._flush_soon()

    def cancel(self) -> asyncio.Event:
        """Cancel its tasks. Return the event of its answer."""
        self.cancelled = asyncio.Event()
        self.send(wire.Cancel())
        return self.cancelled

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        orders, self._orders = self._orders, []
        given, self._given = self._given, []
        if given:
            last = orders.index(wire.Cancel()) if wire.Cancel() in orders else len(orders)
            orders.insert(last, wire.Give(given))
        self._write(wire.pack(orders))

    def _write(self, data: bytes) -> None:
        pipe = self._stdin()
        if pipe is not None and not pipe.is_closing():
            pipe.write(data)

    def _stdin(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        return cast("asyncio.WriteTransport | None", pipe)
