"""One slow line that all hosts lie behind: 2 Mbit/s, 80 ms, whoever asks first is served first.

A TCP proxy in a process of its own. What comes back occupies the line for its time, whichever
connection it belongs to, so that a hundred transfers at once have a hundredth of it each.

    python -m bench.slow_line PORT TARGET_PORT HOST...
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

LINE_BYTES_S = 250_000
_RTT_S = 0.08
_PIECE_BYTES = 16_384


class Line:
    """When the line is free again; one clock for all connections."""

    def __init__(self) -> None:
        self._free_at = 0.0

    async def carry(self, size_bytes: int) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + size_bytes / LINE_BYTES_S
        await asyncio.sleep(self._free_at - now)


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line | None
) -> None:
    with contextlib.suppress(OSError):  # either side may go away
        while data := await reader.read(_PIECE_BYTES):
            if line is not None:
                await line.carry(len(data))
            writer.write(data)
            await writer.drain()
    writer.close()


async def _main(port: int, target: int, hosts: list[str]) -> None:
    line = Line()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(_RTT_S)
        there = await asyncio.open_connection("127.0.0.1", target, limit=_PIECE_BYTES)
        await asyncio.gather(_hand_on(reader, there[1], None), _hand_on(there[0], writer, line))

    for host in hosts:
        await asyncio.start_server(connected, host, port, backlog=512)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
