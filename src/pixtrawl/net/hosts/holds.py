"""The hosts that this process may contact, where several processes share them.

A host has one holder at a time. A request to a host held elsewhere (behind a redirect, say) first
asks the coordinator, which recalls the host from its holder and passes on its state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from pixtrawl.net.hosts.state import HostState

__all__ = ["HostHolds", "HostKeeper", "HostMovedError"]


class HostMovedError(Exception):
    """The host of a waiting request was recalled: the request has to ask for it again."""


class HostKeeper(Protocol):
    """The accounts of a process, as the hand-over of a host needs them."""

    def restore(self, state: HostState) -> None:
        """Take over a host as its last holder left it."""
        ...

    def hand_over(self, host: str) -> HostState | None:
        """Forget a host and return its state; None while requests to it are in progress."""
        ...


class HostHolds:
    """The hosts held by one process. Bound to one event loop."""

    def __init__(self, ask: Callable[[str], None], give_back: Callable[[HostState], None]) -> None:
        """`ask` requests a host from the coordinator, `give_back` returns one that was recalled."""
        self._ask = ask
        self._give_back = give_back
        self._keeper: HostKeeper
        self._held: set[str] = set()
        self._leaving: set[str] = set()
        self._awaited: dict[str, asyncio.Future[None]] = {}

    def bind(self, keeper: HostKeeper) -> None:
        """Set the accounts whose hosts these are; once, before any other call."""
        self._keeper = keeper

    def has(self, host: str) -> bool:
        """Return whether a request to the host may start."""
        return host in self._held and host not in self._leaving

    async def hold(self, host: str) -> None:
        """Wait until this process holds the host."""
        while not self.has(host):
            awaited = self._awaited.get(host)
            if awaited is None:
                awaited = self._awaited[host] = asyncio.get_running_loop().create_future()
                if host not in self._leaving:
                    self._ask(host)
            await asyncio.shield(awaited)  # a cancelled request must not cancel the others

    def granted(self, state: HostState) -> None:
        """Take a host over from the coordinator."""
        self._keeper.restore(state)
        self._held.add(state.host)
        awaited = self._awaited.pop(state.host, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)

    def recall(self, host: str) -> None:
        """Give a host back as soon as its requests in progress have ended."""
        if host in self._held:
            self._leaving.add(host)
            self._return(host)

    def released(self, host: str) -> None:
        """Register that a request to the host has ended."""
        if host in self._leaving:  # after the caller's own step: it may learn from the answer
            asyncio.get_running_loop().call_soon(self._return, host)

    def _return(self, host: str) -> None:
        if host not in self._leaving:
            return
        state = self._keeper.hand_over(host)
        if state is None:
            return
        self._held.discard(host)
        self._leaving.discard(host)
        self._give_back(state)
        if host in self._awaited:
            self._ask(host)

    def drop(self) -> None:
        """Drop all hosts without returning them: the coordinator counts them as lost."""
        for host in list(self._held):
            self._keeper.hand_over(host)
        self._held.clear()
        self._leaving.clear()
        for awaited in self._awaited.values():
            awaited.cancel()
        self._awaited.clear()
