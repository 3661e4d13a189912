"""An engine of two child processes: spec, tasks and outcomes cross a pipe, files by their names."""

from __future__ import annotations

import asyncio
import pickle
import struct
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

from msgspec.structs import replace

from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.base import Feed, WorkerSpec, shard_of
from pixtrawl.engines.node import WorkerNode, pieces_of
from pixtrawl.engines.task_runner import TaskRunner
from pixtrawl.events import Event
from pixtrawl.model import Outcome, Reason, Task
from pixtrawl.net.client import Client
from pixtrawl.net.host_accounts import HostAccounts

NODES = 2
_SIZE = struct.Struct("<I")


class Node:
    """One child, and the tasks that it has."""

    def __init__(self, process: asyncio.subprocess.Process, spec: WorkerSpec) -> None:
        self.process = process
        self.spec = spec
        self.hosts: set[str] = set()
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._reader = asyncio.create_task(self._read())
        send(process.stdin, spec)

    async def work(self, task: Task) -> Outcome:
        self.hosts.add(task.host)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[task.id] = future
        send(self.process.stdin, task)
        return await future

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while (answer := await receive(self.process.stdout)) is not None:
            task_id, outcome = answer
            future = self._waiting.pop(task_id)
            if not future.done():
                future.set_result(outcome)
        for future in self._waiting.values():  # lost: a later run tries them again
            if not future.done():
                future.set_result(Outcome(reason=Reason.INTERRUPTED))

    async def fetch(self, name: str) -> AsyncIterator[bytes]:
        for piece in pieces_of(self.spec, name):
            yield piece

    async def aclose(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()
        await self._reader


class ProcessEngine:
    """`Engine` over `NODES` children, each with a staging folder of its own."""

    opened: list[ProcessEngine]

    def __init__(
        self, nodes: list[Node], spec: WorkerSpec, arrivals: Arrivals, hosts: HostAccounts
    ) -> None:
        self.nodes = nodes
        self.hosts = hosts
        self._arrivals = arrivals
        self._runner = TaskRunner(self._work, spec.fetch.concurrency)

    @classmethod
    async def open(
        cls, spec: WorkerSpec, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> Self:
        nodes = []
        for _ in range(NODES):
            own = replace(spec, staging=Path(tempfile.mkdtemp(prefix="pixtrawl-node-")))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.engines.processes",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            )  # fmt: skip
            nodes.append(Node(process, own))
        hosts = HostAccounts(Client(spec.fetch), spec.politeness, spec.fetch, emit)
        engine = cls(nodes, spec, arrivals, hosts)
        ProcessEngine.opened.append(engine)
        return engine

    @property
    def idle(self) -> bool:
        return self._runner.idle

    async def _work(self, task: Task) -> Outcome:
        node = self.nodes[shard_of(task.host, NODES)]
        return await self._arrivals.take(await node.work(task), node.fetch)

    async def run(self, feed: Feed) -> None:
        await self._runner.run(feed)

    async def aclose(self) -> None:
        await self._runner.aclose()
        await asyncio.gather(*(node.aclose() for node in self.nodes))
        await self.hosts.aclose()
        await self.hosts.client.aclose()


ProcessEngine.opened = []


def send(stream: asyncio.StreamWriter | None, value: object) -> None:
    assert stream is not None
    data = pickle.dumps(value)
    stream.write(_SIZE.pack(len(data)) + data)


async def receive(stream: asyncio.StreamReader) -> Any:
    try:
        (size,) = _SIZE.unpack(await stream.readexactly(_SIZE.size))
        return pickle.loads(await stream.readexactly(size))
    except asyncio.IncompleteReadError:
        return None


async def serve() -> None:
    """The child: builds everything from the spec, then answers tasks until its input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    node = await WorkerNode.open(await receive(reader))
    working: set[asyncio.Task[None]] = set()

    async def one(task: Task) -> None:
        data = pickle.dumps((task.id, await node.work(task)))
        sys.stdout.buffer.write(_SIZE.pack(len(data)) + data)
        sys.stdout.buffer.flush()

    while (task := await receive(reader)) is not None:
        job = asyncio.create_task(one(task))
        working.add(job)
        job.add_done_callback(working.discard)
    for job in list(working):
        job.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    await node.aclose()


if __name__ == "__main__":
    asyncio.run(serve())
