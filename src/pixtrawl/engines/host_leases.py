"""Host leases of a coordinator: the worker that holds each host, and the state of free hosts.

A host has one holder. Other workers queue for it; the host is recalled, but stays with its holder
for at least `KEEP_S`, so that it is not handed over for every request. The hosts of a lost worker
rest, so that a worker that was only cut off has stopped before the next holder begins.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.engines.lease import REST_AFTER_LOSS_S
from pixtrawl.net.hosts.state import HostState

__all__ = ["HostLeases"]

KEEP_S: Final = 0.5
_IDLE_HOSTS: Final = 20_000  # known without a task, before the least lately used are called back
_IDLE_S: Final = 60.0  # a host may be forgotten that had no task for so long


class _Place(Struct):
    """A host that was ever given out."""

    holder: int | None = None
    since: float = 0.0
    recalled: bool = False
    wanted_by: deque[int] = field(default_factory=deque)
    state: HostState | None = None  # between two holders
    left_at: float = 0.0  # when it was returned
    rests_until: float = 0.0
    tasks: int = 0  # in progress


class HostLeases:
    """The hosts of a run and their holders, numbered. Pure but for `now`, seconds of a clock."""

    def __init__(
        self,
        now: Callable[[], float],
        grant: Callable[[int, HostState], None],
        recall: Callable[[int, str], None],
        rest_s: float = REST_AFTER_LOSS_S,
    ) -> None:
        """`grant` gives a holder a host, `recall` calls one back; `rest_s` is after a loss."""
        self._now = now
        self._grant = grant
        self._recall = recall
        self._rest_s = rest_s
        self._places: dict[str, _Place] = {}
        self._wanted: set[str] = set()  # hosts with someone in line
        self._idle: OrderedDict[str, float] = OrderedDict()  # without tasks, since when

    def __len__(self) -> int:
        return len(self._places)

    def holder(self, host: str) -> int | None:
        """Return the worker that holds a host or will hold it next; None if it is free."""
        place = self._places.get(host)
        if place is None:
            return None
        if place.wanted_by:
            return place.wanted_by[-1]
        return place.holder

    def begun(self, host: str) -> None:
        """Count a task of the host that has begun."""
        self._place(host).tasks += 1
        self._idle.pop(host, None)

    def ended(self, host: str) -> None:
        """Count a task of the host that has ended."""
        place = self._places[host]
        place.tasks -= 1
        if not place.tasks:
            self._idle[host] = self._now()

    def _place(self, host: str) -> _Place:
        place = self._places.get(host)
        if place is None:
            place = self._places[host] = _Place()
        return place

    def wants(self, holder: int, host: str) -> None:
        """Give a host to a worker now, or as soon as its present holder has returned it."""
        place = self._place(host)
        if place.holder == holder and not place.recalled:
            return  # granted already: the wish and the grant have crossed
        if holder not in place.wanted_by:
            place.wanted_by.append(holder)
        self._wanted.add(host)
        self._serve(host, place)

    def returned(self, holder: int, state: HostState) -> None:
        """Take a host with its state back from its holder."""
        place = self._places.get(state.host)
        if place is None or place.holder != holder:
            return
        place.holder, place.recalled = None, False
        place.state, place.left_at = state, self._now()
        self._serve(state.host, place)

    def lost(self, holder: int) -> None:
        """Let all hosts of a lost worker rest; it waits for none any more."""
        until = self._now() + self._rest_s
        for host, place in self._places.items():
            if holder in place.wanted_by:
                place.wanted_by.remove(holder)
            if place.holder == holder:
                place.holder, place.recalled, place.state = None, False, None
                place.rests_until = until
            if not place.wanted_by:
                self._wanted.discard(host)

    def look(self) -> None:
        """Grant due hosts to the workers in their queues, and forget idle hosts; call it often."""
        for host in list(self._wanted):
            self._serve(host, self._places[host])
        now = self._now()
        while len(self._idle) > _IDLE_HOSTS:
            host, since = next(iter(self._idle.items()))
            place = self._places[host]
            if now - since < _IDLE_S or place.wanted_by:
                return
            del self._idle[host]
            self._let_go(host, place)

    def _let_go(self, host: str, place: _Place) -> None:
        """Forget a host without tasks, unless its state still means something."""
        if place.holder is not None:
            place.recalled = True
            self._recall(place.holder, host)
            self._idle[host] = self._now()  # forgotten when it is back
        elif _is_plain(place.state) and not place.rests_until > self._now():
            del self._places[host]

    def _serve(self, host: str, place: _Place) -> None:
        if not place.wanted_by:
            self._wanted.discard(host)
            return
        now = self._now()
        if place.holder is not None:
            if not place.recalled and now - place.since >= KEEP_S:
                place.recalled = True
                self._recall(place.holder, host)
        elif now >= place.rests_until:
            holder = place.wanted_by.popleft()
            state = _aged(place.state or HostState(host=host), now - place.left_at)
            place.holder, place.since, place.recalled, place.state = holder, now, False, None
            if not place.wanted_by:
                self._wanted.discard(host)
            self._grant(holder, state)


def _is_plain(state: HostState | None) -> bool:
    return state is None or (state.out is None and state.trouble is None and not state.delay_s)


def _aged(state: HostState, elapsed_s: float) -> HostState:
    """Return the state of a host after some seconds without a holder."""
    trouble = state.trouble
    if trouble is not None:
        trouble = replace(
            trouble,
            since_s=trouble.since_s + elapsed_s,
            rest_s=max(0.0, trouble.rest_s - elapsed_s),
            held_s={url: left_s - elapsed_s for url, left_s in trouble.held_s.items()},
        )
    elif not state.wait_s:
        return state
    return replace(state, wait_s=max(0.0, state.wait_s - elapsed_s), trouble=trouble)
