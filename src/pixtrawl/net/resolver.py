"""Resolve names for connections that libcurl does not make: checked, then kept for a while.

A name is looked up once in five minutes; whoever connects uses the addresses returned here and
never the name again: a name that changes its address between check and connection gains nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from ipaddress import ip_address
from typing import Final

from pixtrawl.net.address import AddressGuard

__all__ = ["AddressRefusedError", "Resolver"]

_KEPT_S: Final = 300.0  # as long as the client keeps them
_MAX_NAMES: Final = 2_000
_MAX_LOOKUPS: Final = 16  # threads at once


class AddressRefusedError(OSError):
    """The guard refuses every address of a host."""


class Resolver:
    """Names to allowed addresses. Close it to forget lookups that still run."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._known: dict[str, tuple[float, asyncio.Task[tuple[str, ...]]]] = {}
        self._turns = asyncio.Semaphore(_MAX_LOOKUPS)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the allowed addresses of a host, in the order to try them.

        Raises AddressRefusedError if it has none that is allowed, OSError if it has none at all.
        """
        name = host.strip("[]").lower()
        found = (name,) if _is_address(name) else await self._found(name)
        allowed = tuple(one for one in found if not self._guard.refuses(one))
        if not allowed:
            raise AddressRefusedError(f"{host}: {', '.join(found[:4])} may not be connected to")
        return allowed

    async def _found(self, name: str) -> tuple[str, ...]:
        now = asyncio.get_running_loop().time()
        until, lookup = self._known.get(name, (0.0, None))
        if lookup is None or until < now or (lookup.done() and _failed(lookup)):
            lookup = asyncio.create_task(self._looked_up(name))
            self._known.pop(name, None)
            self._known[name] = now + _KEPT_S, lookup
            if len(self._known) > _MAX_NAMES:
                self._known.pop(next(iter(self._known)))[1].cancel()
        try:
            return await asyncio.shield(lookup)
        except asyncio.CancelledError:
            if lookup.cancelled():  # forgotten meanwhile, which ends nobody's own task
                raise OSError(f"{name}: not resolved") from None
            raise

    async def _looked_up(self, name: str) -> tuple[str, ...]:
        async with self._turns:
            return await _in_thread(name)

    def close(self) -> None:
        for _, lookup in self._known.values():
            lookup.cancel()
        self._known.clear()


def _failed(lookup: asyncio.Task[tuple[str, ...]]) -> bool:
    return lookup.cancelled() or lookup.exception() is not None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _in_thread(name: str) -> asyncio.Future[tuple[str, ...]]:
    """Look a name up on a thread of its own.

    Not on a pool: its threads are waited for at exit, and a name server may be silent for long.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def settle(found: tuple[str, ...] | OSError) -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def work() -> None:
        found: tuple[str, ...] | OSError
        try:
            rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
        except OSError as error:
            found = error
        except UnicodeError as error:  # a label of more than 63 characters
            found = OSError(f"{name[:80]}: {error}")
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=work, name="pixtrawl-resolve", daemon=True).start()
    return answer
