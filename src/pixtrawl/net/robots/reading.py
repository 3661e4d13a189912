"""Reads the rules in an answer to a request for robots.txt: a large one beside the event loop."""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.net.interface import Response
from pixtrawl.net.robots.exclusion import ROBOTS_MAX_BYTES, parse_robots
from pixtrawl.net.robots.rules import AgentRules
from pixtrawl.net.side_thread import SideThread

__all__ = ["RobotsReading", "read_answer"]

_LARGE_BYTES: Final = 16 * 1024  # a longer file is parsed beside the event loop


class RobotsReading(Struct):
    """The rules read from an answer, packed ones, and the packed file itself."""

    rules: AgentRules | None = None
    packed: bytes = b""
    file: bytes = b""


async def read_answer(reading: RobotsReading, beside: SideThread, response: Response) -> Response:
    """Fill `reading` from a successful answer, and return the answer, a large one without body."""
    if not 200 <= response.status < 300:
        return response
    if len(response.body) <= _LARGE_BYTES:
        _digest(_packed(response.body), reading)
        return response
    # Packed while it waits for the thread that parses: a hundred others may be before it.
    packed = await asyncio.to_thread(_packed, response.body)
    response = replace(response, body=b"")
    await beside.run(_digest, packed, reading)
    return response


def _packed(body: bytes) -> bytes:
    return zlib.compress(body[:ROBOTS_MAX_BYTES], 1)


def _digest(packed: bytes, reading: RobotsReading) -> None:
    reading.rules = parse_robots(zlib.decompress(packed)).of()
    reading.packed = reading.rules.packed()
    reading.file = packed
