"""A host that refuses: an address is not its host. The clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, strategies as st
from msgspec import Struct, field
from tests.clock import run_jumping

from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.errors import FetchError
from pixtrawl.events import Event, HostRests, HostResumes
from pixtrawl.model import Reason
from pixtrawl.net.circuit_breaker import FailureVerdict
from pixtrawl.net.fetcher import Fetcher
from pixtrawl.net.hosts.trouble import FIRST_REST_S, HostTrouble
from pixtrawl.net.interface import Request, Response

HOST = "http://pictures.test"
Answer = tuple[int, Mapping[str, str]]


class HostOfPictures(Struct):
    """Answers each path as it is told, in a tenth of a second; notes when it was asked for what."""

    answer: Callable[[str, float], Answer]
    seen: list[tuple[float, str]] = field(default_factory=list)
    received_bytes: int = 0

    async def transfer(self, request: Request, **more: Any) -> Response:
        """As the client's."""
        now = asyncio.get_running_loop().time()
        path = urlsplit(request.url).path
        self.seen.append((now, path))
        await asyncio.sleep(0.1)
        if more.get("answered") is not None:
            more["answered"](0.1)
        status, headers = self.answer(path, now)
        return Response(url=request.url, status=status, headers=headers, size_bytes=9)

    def asked_between(self, start: float, end: float) -> list[str]:
        return [path for now, path in self.seen if start < now < end]


def fetch_all(
    host: HostOfPictures, paths: list[str], **politeness: Any
) -> tuple[dict[str, Reason], list[Event], float]:
    """What became of each path, what was told, and when it was over (seconds)."""
    told: list[Event] = []

    async def main() -> tuple[dict[str, Reason], list[Event], float]:
        fetcher = Fetcher(host, Politeness(**politeness), Fetch(), told.append)  # type: ignore[arg-type]

        async def one(path: str) -> Reason:
            try:
                await fetcher.fetch(Request(url=HOST + path))
            except FetchError as error:
                return error.reason
            return Reason.SAVED

        ends = await asyncio.gather(*(one(path) for path in paths))
        await fetcher.aclose()
        took_s = asyncio.get_running_loop().time()
        return dict(zip(paths, ends, strict=True)), told, took_s

    return run_jumping(main())


GOOD: list[str] = [f"/{n}.jpg" for n in range(20)]


def some_refused(*bad: str, told: str | None) -> Callable[[str, float], Answer]:
    headers = {} if told is None else {"retry-after": told}

    def answer(path: str, now: float) -> Answer:
        if path == "/robots.txt":
            return 404, {}
        return (429, headers) if path in bad else (200, {})

    return answer


@pytest.mark.parametrize("told", [None, "5", "60", "600"])
def test_one_refused_address_costs_no_other_of_its_host(told: str | None) -> None:
    paths = [GOOD[0], "/bad.jpg", *GOOD[1:]]
    host = HostOfPictures(some_refused("/bad.jpg", told=told))
    ends, _, took_s = fetch_all(host, paths, per_host=2)
    assert ends == {**dict.fromkeys(paths, Reason.SAVED), "/bad.jpg": Reason.RATE_LIMITED}
    assert took_s < 130


def test_the_host_rests_and_then_exactly_one_other_address_is_asked() -> None:
    host = HostOfPictures(some_refused("/bad.jpg", told="600"))
    _, told, _ = fetch_all(host, ["/bad.jpg", *GOOD], per_host=1)
    refused_at = next(now for now, path in host.seen if path == "/bad.jpg") + 0.1
    assert host.asked_between(refused_at, refused_at + FIRST_REST_S - 0.01) == []
    assert host.asked_between(refused_at, refused_at + FIRST_REST_S + 0.09) == ["/0.jpg"]
    (rest,) = (event for event in told if isinstance(event, HostRests))
    assert rest.seconds == pytest.approx(FIRST_REST_S)
    assert (rest.host, rest.waiting, rest.why) == ("pictures.test", 20, "it asks for the pause")
    assert [type(event) for event in told][-1] is HostResumes


@pytest.mark.parametrize("pause_s", [3, 30, 300])
def test_a_host_that_refuses_another_address_too_is_held_for_all_of_the_told_time(
    pause_s: int,
) -> None:
    good_from = 2 * pause_s

    def answer(path: str, now: float) -> Answer:
        if path == "/robots.txt":
            return 404, {}
        return (429, {"retry-after": str(pause_s)}) if now < good_from else (200, {})

    host = HostOfPictures(answer)
    ends, _, _ = fetch_all(host, GOOD, per_host=1)
    probe_at = host.seen[2][0]
    assert probe_at == pytest.approx(host.seen[1][0] + 0.1 + min(pause_s, FIRST_REST_S))
    assert host.asked_between(probe_at, probe_at + 0.1 + pause_s - 0.01) == []
    late = [path for path, end in ends.items() if end is not Reason.SAVED]
    assert len(late) <= (3 if pause_s > 120 else 0)  # asked again by a later run
    assert set(ends.values()) <= {Reason.SAVED, Reason.RATE_LIMITED}


def test_a_pause_beyond_the_patience_puts_the_host_out_with_no_further_request() -> None:
    host = HostOfPictures(some_refused(*GOOD, told="3600"))
    ends, _, took_s = fetch_all(host, GOOD, per_host=1)
    own = ["/robots.txt", "/.well-known/tdmrep.json"]
    assert [path for _, path in host.seen] == [*own, *GOOD[:2]]
    assert [ends[path] for path in GOOD[:3]] == [
        Reason.RATE_LIMITED, Reason.RATE_LIMITED, Reason.HOST_OUT,
    ]  # fmt: skip
    assert took_s < 11


def test_requests_that_wait_for_a_place_are_not_sent_into_a_rest() -> None:
    host = HostOfPictures(some_refused("/0.jpg", told="30"))
    fetch_all(host, GOOD, per_host=8)
    refused_at = next(now for now, path in host.seen if path == "/0.jpg") + 0.1
    assert host.asked_between(refused_at, refused_at + FIRST_REST_S - 0.01) == []


def test_a_robots_txt_that_states_a_pause_holds_the_whole_host() -> None:
    def answer(path: str, now: float) -> Answer:
        if now < 40:
            return 503, {"retry-after": "45"}
        return (404, {}) if path == "/robots.txt" else (200, {})

    host = HostOfPictures(answer)
    ends, _, _ = fetch_all(host, GOOD, per_host=4)
    assert host.asked_between(0, 45) == []
    assert set(ends.values()) == {Reason.SAVED}


def test_a_redirect_leads_nobody_into_a_rest() -> None:
    def answer(path: str, now: float) -> Answer:
        if path.startswith("/go"):
            return 302, {"location": f"{HOST}/target{path}"}
        refuses = now < 8 and path.startswith("/target")
        return (429, {"retry-after": "8"}) if refuses else (404, {})

    host = HostOfPictures(answer)
    fetch_all(host, [f"/go/{n}" for n in range(6)], per_host=1, ignore_robots=True)
    first = next(now for now, path in host.seen if path.startswith("/target")) + 0.1
    assert host.asked_between(first, first + 7.99) == []


def test_refusals_without_a_time_are_met_with_growing_rests_until_the_host_is_out() -> None:
    host = HostOfPictures(some_refused(*GOOD, told=None))
    ends, told, took_s = fetch_all(host, GOOD, per_host=4, patience_s=100.0)
    rests = [event.seconds for event in told if isinstance(event, HostRests)]
    assert len(rests) >= 5
    assert all(1.5 * first <= second for first, second in pairwise(rests[:5]))
    assert set(ends.values()) <= {Reason.RATE_LIMITED, Reason.HOST_OUT}
    assert took_s < 110
    assert len(host.seen) < 20


def test_addresses_refused_after_their_pause_end_the_waiting_for_others() -> None:
    bad = [f"/bad{n}.jpg" for n in range(12)]
    host = HostOfPictures(some_refused(*bad, told="100"))
    mixed = [path for pair in zip(GOOD, bad, strict=False) for path in pair]
    ends, _, took_s = fetch_all(host, mixed, per_host=8)
    assert all((ends[path] is Reason.RATE_LIMITED) == (path in bad) for path in mixed)
    assert took_s < 500


def test_the_probe_is_the_address_least_like_the_refused_one() -> None:
    bad = [f"/thumb/{n}/88px.jpg" for n in range(4)]
    host = HostOfPictures(some_refused(*bad, told="600"))
    ends, _, took_s = fetch_all(host, [*bad, *GOOD], per_host=1)
    assert all(ends[path] is Reason.SAVED for path in GOOD)
    assert took_s < 50


def test_an_address_that_is_refused_twice_says_nothing_new_of_its_host() -> None:
    trouble = HostTrouble(patience_s=900.0)
    trouble.refused("a", 100.0, probe=False, now=0.0)
    trouble.circuit.begin()
    assert trouble.refused("a", 100.0, probe=True, now=100.0) is FailureVerdict.REST
    assert trouble.circuit.wait_s(100.0) == FIRST_REST_S
    assert trouble.held_s("a", 100.0) == 100


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([None, 0.0, 4.0, 50.0])), max_size=60
    ),
    st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_whatever_a_host_answers_it_is_held_or_out_and_has_one_probe(
    answers: list[tuple[str, float | None]], good: list[bool]
) -> None:
    trouble, now = HostTrouble(patience_s=120.0), 0.0
    for (address, pause_s), is_good in zip(answers, good, strict=False):
        wait_s = trouble.circuit.wait_s(now)
        assert wait_s is not None
        now += wait_s
        probe, known = trouble.circuit.begin(), trouble.was_refused(address)
        if probe:
            assert trouble.circuit.wait_s(now) is None
        if is_good:
            trouble.good(address, now)
            assert trouble.circuit.wait_s(now) == 0
        elif trouble.refused(address, pause_s, probe=probe, now=now) is not FailureVerdict.REST:
            assert now + (pause_s or 0) - trouble.circuit.since >= 120 - FIRST_REST_S
            return
        elif pause_s is not None:
            assert trouble.held_s(address, now) == pytest.approx(pause_s)
            if probe and not known:
                assert trouble.circuit.wait_s(now) == pytest.approx(pause_s)
