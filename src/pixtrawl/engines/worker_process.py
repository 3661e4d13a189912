"""A worker process: the shard worker's fetch loop over two pipes, started by `ProcessesEngine`.

It carries out tasks as they come, for hosts that the engine grants it. It ends with its parent: at
the end of its input it cancels all work. After `SILENCE_S` without a message it cancels its work
too, since another worker may hold its hosts by then, and reports that once messages arrive again.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from pixtrawl.engines import wire
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.event_loop import (
    SWITCH_S,
    new_event_loop,
    tune_process,
    use_batch_scheduling,
)
from pixtrawl.engines.heartbeat import Heartbeat, clock_s
from pixtrawl.engines.lease import BEAT_S
from pixtrawl.engines.node import WorkerNode
from pixtrawl.errors import PixtrawlError
from pixtrawl.events import Event
from pixtrawl.model import Outcome, Reason, Task
from pixtrawl.net.hosts.holds import HostHolds

__all__ = ["main"]

# Outcomes wait so long for others: each write wakes the parent up.
_TOGETHER_S: Final = 0.025
_LOOK_S: Final = 0.5  # between two looks for silence


class WorkerProcess(asyncio.Protocol):
    """The input of the process, and the tasks that it carries out."""

    def __init__(self, output: asyncio.WriteTransport) -> None:
        self._spec: asyncio.Future[WorkerSpec | None] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.heartbeat = Heartbeat(clock_s)
        self.holds = HostHolds(
            lambda host: self._send(wire.Wants(host)),
            lambda state: self._send(wire.Returned(state)),
        )
        self._output = output
        self._frames = wire.Frames()
        self._node: WorkerNode | None = None
        self._early: list[wire.Order] = []  # until the node is there
        self._running: set[asyncio.Task[None]] = set()
        self._done: list[tuple[int, Outcome]] = []
        self._away = False  # work was abandoned; orders do not count until `Renew`

    # -- what comes in

    def data_received(self, data: bytes) -> None:
        self.heartbeat.register_beat()
        for content in self._frames.feed(data):
            if not self._spec.done():
                self._spec.set_result(pickle.loads(content))  # noqa: S301 - our own parent wrote it
            elif self._node is None:
                self._early.append(wire.unpack_order(content))
            else:
                self._obey(wire.unpack_order(content))

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        if not self._spec.done():
            self._spec.set_result(None)
        for task in self._running:
            task.cancel()

    async def settings(self) -> WorkerSpec | None:
        """Wait for the settings; None where the parent ends before it has sent them."""
        return await self._spec

    def begin(self, node: WorkerNode) -> None:
        """Take tasks from now on."""
        self._node = node
        self._send(wire.WorkerReady())
        early, self._early = self._early, []
        for order in early:
            self._obey(order)

    def _obey(self, order: wire.Order) -> None:
        if isinstance(order, wire.Renew):
            self._away = False
            self.heartbeat.renew()
        elif self._away or self.heartbeat.is_silent():
            return  # of the time before: whoever gave it knows, or will learn
        elif isinstance(order, wire.Give):
            for task in order.tasks:
                self._start(task)
        elif isinstance(order, wire.Grant):
            self.holds.granted(order.state)
        elif isinstance(order, wire.Recall):
            self.holds.recall(order.host)
        elif isinstance(order, wire.SetRate):
            assert self._node is not None
            self._node.hosts.client.set_rate(order.bytes_s)
        elif isinstance(order, wire.Cancel):
            self._start_abandoning(silence=False)

    # -- tasks

    def _start(self, task: Task) -> None:
        self._keep(asyncio.create_task(self._carry_out(task)))

    def _keep(self, running: asyncio.Task[None]) -> None:
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _carry_out(self, task: Task) -> None:
        assert self._node is not None
        try:
            outcome = await self._node.work(task)
        except Exception as error:  # noqa: BLE001 - the parent raises it
            self._fail(error)
            return
        if outcome.reason is Reason.INTERRUPTED and self.heartbeat.is_silent():
            return
        self._done.append((task.id, outcome))
        if len(self._done) == 1:
            asyncio.get_running_loop().call_later(_TOGETHER_S, self._flush)

    def _flush(self) -> None:
        if self._done:
            done, self._done = self._done, []
            self._send(wire.Settle(done))

    def _start_abandoning(self, *, silence: bool) -> None:
        self._away = silence
        cancelled = list(self._running)
        for task in cancelled:
            task.cancel()
        self._abandoning = asyncio.create_task(self._abandon(cancelled, silence=silence))

    async def _abandon(self, cancelled: list[asyncio.Task[None]], *, silence: bool) -> None:
        await asyncio.gather(*cancelled, return_exceptions=True)
        if silence:
            self.holds.drop()
        self._flush()
        self._send(wire.Abandoned(silence))

    async def watch(self) -> None:
        """Beat, and abandon all work after silence."""
        beaten_at = 0.0
        while True:
            now = clock_s()
            if now - beaten_at >= BEAT_S:
                beaten_at = now
                self._send(wire.Beat())
            if self.heartbeat.is_silent() and not self._away:
                self._start_abandoning(silence=True)
            await asyncio.sleep(_LOOK_S)

    # -- what goes out

    def emit(self, event: Event) -> None:
        """Pass an event on to the listeners of the run; the engine itself reports starts."""
        if (message := wire.ForwardedEvent.of(event)) is not None:
            self._send(message)

    def _fail(self, error: Exception) -> None:
        known = isinstance(error, PixtrawlError)
        message = str(error) if known else "".join(traceback.format_exception(error))
        self._send(wire.Failed(type(error).__name__ if known else "", message))

    def failed(self, error: Exception) -> None:
        """Tell the parent that the worker cannot be built."""
        self._fail(error)

    def _send(self, report: wire.Report) -> None:
        if not self.ended.is_set():
            self._output.write(wire.pack([report]))


async def _serve(read_fd: int, write_fd: int) -> None:
    loop = asyncio.get_running_loop()
    output, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(write_fd, "wb", 0))
    worker = WorkerProcess(output)
    await loop.connect_read_pipe(lambda: worker, os.fdopen(read_fd, "rb", 0))
    spec = await worker.settings()
    if spec is None:
        return
    spec = replace(spec, name=str(os.getpid()))
    try:
        node = await WorkerNode.open(
            spec, emit=worker.emit, holds=worker.holds, is_silent=worker.heartbeat.is_silent
        )
    except Exception as error:  # noqa: BLE001 - the parent raises it
        worker.failed(error)
        await worker.ended.wait()
        return
    tune_process()
    watching = asyncio.create_task(worker.watch())
    worker.begin(node)
    await worker.ended.wait()
    watching.cancel()
    await node.aclose()


def main() -> None:
    """Serve the parent until it closes the input or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it cancels in order
    use_batch_scheduling()
    sys.setswitchinterval(SWITCH_S)
    output = os.dup(1)
    os.dup2(2, 1)  # whatever prints must not get between the messages
    with asyncio.Runner(loop_factory=new_event_loop) as runner, suppress(BrokenPipeError):
        runner.run(_serve(os.dup(0), output))


if __name__ == "__main__":
    main()
