"""Sockets that libcurl waits for, watched by one epoll or by the event loop: the same either way."""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Callable

import pycurl
import pytest

from pixtrawl.net.curl import watch
from pixtrawl.net.curl.watch import Act, Watcher

Make = Callable[[asyncio.AbstractEventLoop, Act], Watcher]

KINDS = [
    pytest.param(
        watch._EpollWatcher,
        id="epoll",
        marks=pytest.mark.skipif(not hasattr(select, "epoll"), reason="no epoll on this system"),
    ),
    pytest.param(watch._LoopWatcher, id="loop"),
]


async def _told(make: Make, what: list[int], *, send: bool) -> list[tuple[int, int]]:
    """What is heard of one socket after each word of `what`, a turn of the loop later."""
    heard: list[tuple[int, int]] = []
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    if send:
        theirs.send(b"x")
    watcher = make(asyncio.get_running_loop(), lambda fd, events: heard.append((fd, events)))
    for word in what:
        heard.clear()
        watcher.watch(ours.fileno(), word)
        await asyncio.sleep(0.02)
    watcher.close()
    ours.close()
    theirs.close()
    return list(dict.fromkeys((0, events) for _, events in heard))


@pytest.mark.parametrize("make", KINDS)
def test_a_readable_socket_is_reported_as_readable(make: Make) -> None:
    assert asyncio.run(_told(make, [pycurl.POLL_IN], send=True)) == [(0, pycurl.CSELECT_IN)]


@pytest.mark.parametrize("make", KINDS)
def test_a_silent_socket_is_reported_only_when_writing_is_asked_for(make: Make) -> None:
    assert asyncio.run(_told(make, [pycurl.POLL_IN], send=False)) == []
    told = asyncio.run(_told(make, [pycurl.POLL_IN, pycurl.POLL_OUT], send=False))
    assert told == [(0, pycurl.CSELECT_OUT)]


@pytest.mark.parametrize("make", KINDS)
def test_a_socket_that_is_no_longer_watched_is_not_told(make: Make) -> None:
    assert asyncio.run(_told(make, [pycurl.POLL_IN, pycurl.POLL_NONE], send=True)) == []


@pytest.mark.parametrize("make", KINDS)
def test_a_descriptor_closed_before_it_is_let_go_harms_nothing(make: Make) -> None:
    async def close_first() -> None:
        watcher = make(asyncio.get_running_loop(), lambda fd, events: None)
        ours, theirs = socket.socketpair()
        fd = ours.fileno()
        watcher.watch(fd, pycurl.POLL_IN)
        ours.close()
        theirs.close()
        watcher.watch(fd, pycurl.POLL_NONE)
        again, other = socket.socketpair()  # takes the same number, usually
        watcher.watch(again.fileno(), pycurl.POLL_INOUT)
        watcher.watch(again.fileno(), pycurl.POLL_NONE)
        watcher.close()
        again.close()
        other.close()

    asyncio.run(close_first())


@pytest.mark.parametrize("make", KINDS)
def test_a_socket_is_heard_again_after_it_rested(make: Make) -> None:
    words = [pycurl.POLL_IN, pycurl.POLL_NONE, pycurl.POLL_IN]
    assert asyncio.run(_told(make, words, send=True)) == [(0, pycurl.CSELECT_IN)]


@pytest.mark.parametrize("make", KINDS)
def test_a_socket_under_the_number_of_a_closed_one_is_heard(make: Make) -> None:
    async def reuse() -> list[int]:
        heard: list[int] = []
        watcher = make(asyncio.get_running_loop(), lambda fd, events: heard.append(fd))
        first, other = socket.socketpair()
        fd = first.fileno()
        watcher.watch(fd, pycurl.POLL_IN)
        watcher.watch(fd, pycurl.POLL_NONE)
        first.close()
        second, far = socket.socketpair()
        assert second.fileno() == fd  # the lowest free number
        watcher.watch(fd, pycurl.POLL_IN)
        far.send(b"x")
        await asyncio.sleep(0.02)
        watcher.close()
        for end in (other, second, far):
            end.close()
        return heard

    assert asyncio.run(reuse())


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="no epoll on this system")
@pytest.mark.parametrize("each_s", [0.001, 0.003])  # a turn ends within the sockets of one look
def test_many_slow_sockets_leave_turns_to_others_and_none_of_them_waits_for_ever(
    each_s: float,
) -> None:
    async def busy() -> tuple[list[int], int]:
        heard: list[int] = []
        pairs = [socket.socketpair() for _ in range(100)]
        turns_of_others = 0

        def slow(fd: int, _events: int) -> None:
            heard.append(fd)
            time.sleep(each_s)

        watcher = watch._EpollWatcher(asyncio.get_running_loop(), slow)
        for ours, theirs in pairs:
            theirs.send(b"x")  # never read: each stays ready
            watcher.watch(ours.fileno(), pycurl.POLL_IN)
        while len(set(heard)) < len(pairs):
            await asyncio.sleep(0)
            turns_of_others += 1
        watcher.close()
        for pair in pairs:
            pair[0].close()
            pair[1].close()
        return heard, turns_of_others

    heard, turns_of_others = asyncio.run(busy())
    assert turns_of_others >= 5  # one if all hundred were handled in one turn
    assert len(heard) <= 3 * 100
