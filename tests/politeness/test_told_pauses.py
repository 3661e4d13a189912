"""No request reaches a host in a pause that it has told."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from pixtrawl.net.hosts import trouble as host_trouble
from tests.matrices import slow
from tests.politeness.recorder import (
    ROBOTS,
    Answer,
    Recorder,
    Rule,
    Seen,
    assert_paced,
    download,
    healthy,
    hosts,
    in_told_pauses,
    nothing,
    picture,
)

pytestmark = pytest.mark.timeout(180)


def refuses_first(status: int, told_s: int) -> Rule:
    """The first file is refused with a pause, all others are there."""

    def rule(host: Recorder, seen: Seen) -> Answer:
        if seen.path == ROBOTS:
            return nothing()
        if host.files()[0] is seen:
            return status, {"Retry-After": str(told_s)}, b""
        return picture(host, seen)

    return rule


@pytest.fixture(params=[2.0, slow(host_trouble.FIRST_REST_S)])
def first_rest_s(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """The longest first rest; tests/net/test_host_rest.py has the ten seconds, by its own clock."""
    longest_s: float = request.param
    monkeypatch.setattr(host_trouble, "FIRST_REST_S", longest_s)
    return longest_s


@pytest.mark.parametrize("number", [2, slow(8)])
def test_no_request_reaches_a_host_in_its_told_pause(
    tmp_path: Path, first_rest_s: float, number: int
) -> None:
    refusing = [refuses_first(429, 2)] * number + [refuses_first(503, 3600)] * number
    with hosts(*refusing, *[healthy] * 2 * number) as made:
        urls = [host.url(f"/{n}.jpg") for n in range(9) for host in made]
        reasons = download(urls, tmp_path)
        wrong = [(host.server_address, in_told_pauses(host, first_rest_s)) for host in made]
        assert [one for one in wrong if one[1]] == []
        assert sum(reason == "saved" for reason in reasons.values()) == len(urls) - number
        # Those that are refused for an hour are asked for once, and told as refused.
        for host in made[number : 2 * number]:
            refused = host.files()[0].path
            assert len(host.asked(refused)) == 1
            assert reasons[host.url(refused)] in {"rate_limited", "server_error"}


def test_a_host_that_refuses_its_probe_is_left_alone_for_all_of_the_pause(
    tmp_path: Path, first_rest_s: float
) -> None:
    def rule(_host: Recorder, seen: Seen) -> Answer:
        return nothing() if seen.path == ROBOTS else (429, {"Retry-After": "3600"}, b"")

    with hosts(rule) as (host,):
        reasons = download([host.url(f"/{n}.jpg") for n in range(6)], tmp_path)
        assert in_told_pauses(host, first_rest_s) == []
        assert len(host.files()) <= 3  # two at once, and the probe after the first rest
        assert "saved" not in reasons.values()


@pytest.mark.slow  # tests/net/test_host_rest.py has it by its own clock
def test_rests_without_a_stated_pause_grow_and_differ(tmp_path: Path) -> None:
    def rule(host: Recorder, seen: Seen) -> Answer:
        if seen.path == ROBOTS:
            return nothing()
        if seen.at - host.files()[0].at < 5:
            return 429 if int(seen.path[1]) % 2 else 503, {}, b""
        return picture(host, seen)

    with hosts(*[rule] * 4) as made:
        download([host.url(f"/{n}.jpg") for n in range(9) for host in made], tmp_path)
        firsts = []
        for host in made:
            refused = [one.at for one in host.files() if one.status != 200]
            gaps = [later - earlier for earlier, later in pairwise(refused)]
            rests = [gap for gap in gaps if gap > 0.5]  # between rounds, not within one
            assert 2 <= len(rests) <= 3, gaps
            assert all(later > 1.1 * earlier for earlier, later in pairwise(rests)), gaps
            assert rests[0] >= 0.98
            firsts.append(rests[0])
        assert max(firsts) - min(firsts) > 0.005, "jitter: not all at the same moment"


@pytest.mark.parametrize(("status", "asked"), [slow(429, 6), (503, 2)])
def test_a_robots_txt_that_refuses_is_asked_once_a_pause(
    tmp_path: Path, status: int, asked: int
) -> None:
    def rule(host: Recorder, seen: Seen) -> Answer:
        if seen.path == ROBOTS:
            return status, {"Retry-After": "1"}, b""
        return picture(host, seen)

    with hosts(*[rule] * 4) as made:
        reasons = download([host.url(f"/{n}.jpg") for n in range(10) for host in made], tmp_path)
        for host in made:
            times = [one.at for one in host.asked(ROBOTS)]
            assert len(times) <= asked
            assert all(later - earlier >= 0.98 for earlier, later in pairwise(times))
            assert host.files() == []
        assert set(reasons.values()) == {"rate_limited" if status == 429 else "robots_unavailable"}


def test_a_crawl_delay_is_kept_and_one_beyond_the_bound_is_reported(tmp_path: Path) -> None:
    def wants(delay: str) -> Rule:
        def rule(host: Recorder, seen: Seen) -> Answer:
            if seen.path == ROBOTS:
                return 200, {}, f"User-agent: *\nCrawl-delay: {delay}\n".encode()
            return picture(host, seen)

        return rule

    with hosts(wants("1"), wants("61"), wants("3")) as (kept, beyond, bounded):
        urls = [host.url(f"/{n}.jpg") for n in range(3) for host in (kept, beyond)]
        reasons = download(urls, tmp_path / "a")
        assert len(kept.files()) == 3
        assert_paced([one.at for one in kept.seen], 1)
        assert beyond.files() == []
        assert [reasons[url] for url in urls] == ["saved", "crawl_delay"] * 3
        reasons = download([bounded.url("/a.jpg")], tmp_path / "b", max_crawl_delay=2)
        assert list(reasons.values()) == ["crawl_delay"]
