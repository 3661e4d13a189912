"""The way to the web: 64 hosts behind 80 ms, slow start and 2.5 MB/s, one silent, one dead.

A TCP proxy in a process of its own, because not every kernel has netem. Each direction is delayed
by half a round trip; what comes back grows from ten segments a round trip, as TCP does, up to the
line's speed. The silent host accepts and never answers; the dead one does not even accept.

    python -m bench.delay_proxy PORT TARGET_PORT HOST...
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque

from bench.servers import DEAD_HOST, SILENT_HOST

RTT_S = 0.08
LINE_BYTES_S = 2_500_000
_FIRST_WINDOW = 14_600  # ten segments
_PIECE = 65_536


async def _later(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, shaped: bool
) -> None:
    """Hands on what comes, half a round trip later; shaped, no faster than the window allows."""
    loop = asyncio.get_running_loop()
    waiting: deque[tuple[float, bytes]] = deque()
    arrived, room = asyncio.Event(), asyncio.Semaphore(64)
    budget, window, refill_at = _FIRST_WINDOW, _FIRST_WINDOW, 0.0

    async def take() -> None:
        while data := await reader.read(_PIECE):
            waiting.append((loop.time() + RTT_S / 2, data))
            arrived.set()
            await room.acquire()
        waiting.append((loop.time() + RTT_S / 2, b""))
        arrived.set()

    taking = asyncio.create_task(take())
    try:
        while True:
            await arrived.wait()
            due, data = waiting.popleft()
            room.release()
            if not waiting:
                arrived.clear()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                return
            while data:
                if shaped and budget <= 0:
                    await asyncio.sleep(max(0.0, refill_at - loop.time()))
                    window = min(2 * window, int(LINE_BYTES_S * RTT_S))
                    budget = window
                if shaped and budget in {_FIRST_WINDOW, window}:
                    refill_at = loop.time() + RTT_S
                size = min(len(data), budget) if shaped else len(data)
                writer.write(data[:size])
                await writer.drain()
                data, budget = data[size:], budget - size
    finally:
        taking.cancel()


def _serve(target: int) -> object:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            await asyncio.sleep(RTT_S)  # the handshake of TCP, which loopback does at once
            if host == SILENT_HOST:
                await reader.read()
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
            there = asyncio.create_task(_later(reader, inner_writer, shaped=False))
            back = asyncio.create_task(_later(inner_reader, writer, shaped=True))
            await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
            for task in (there, back):
                task.cancel()
            inner_writer.close()
        except OSError:
            pass
        finally:
            writer.close()

    return connected


def _dead(port: int) -> list[socket.socket]:
    """A socket whose queue is full: further connections are neither taken nor refused."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((DEAD_HOST, port))
    listener.listen(0)
    kept = [listener]
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex((DEAD_HOST, port))
        kept.append(filler)
    return kept


async def _main(port: int, target: int, hosts: list[str]) -> None:
    kept = _dead(port)
    for host in [*hosts, SILENT_HOST]:
        await asyncio.start_server(_serve(target), host, port, backlog=512)  # type: ignore[arg-type]
    print("ready", flush=True)
    await asyncio.Event().wait()
    del kept


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
