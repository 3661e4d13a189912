"""A host has one account, however it is written and whatever leads to it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl import urls as urls_
from tests.politeness.recorder import (
    ROBOTS,
    RULES,
    Answer,
    Recorder,
    Rule,
    Seen,
    assert_paced,
    download,
    healthy,
    hosts,
    nothing,
    picture,
)

pytestmark = pytest.mark.timeout(120)

SPELLINGS = [
    ["localhost", "LOCALHOST", "LocalHost.", "localhost.", "%6cocalhost", "l%4Fcalhost"],
    ["bücher.localhost", "xn--bcher-kva.localhost", "BÜCHER.localhost.", "b%C3%BCcher.localhost"],
    ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "127.0.0.1."],
]


@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: names[0])
def test_all_spellings_of_a_host_share_pace_connections_and_robots_txt(
    tmp_path: Path, names: list[str]
) -> None:
    def slow(host: Recorder, seen: Seen) -> Answer:
        if seen.path != ROBOTS:
            time.sleep(0.05)
        return healthy(host, seen)

    host = Recorder(slow, "127.0.0.1")
    try:
        listed = [host.url(f"/{n}.jpg", name) for n, name in enumerate(names * 2)]
        reasons = download(listed, tmp_path, per_host=2, delay=0.3)
        assert set(reasons.values()) == {"saved"}, reasons
        assert len(host.asked(ROBOTS)) == 1
        assert host.high_water <= 2
        assert_paced(sorted(one.at for one in host.seen), 0.3)
    finally:
        host.shutdown()
        host.server_close()


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("http://a.test:80/x", "a.test"),
        ("https://a.test:443/x", "a.test"),
        ("https://A.TEST.:443", "a.test"),
        ("http://a.test:8080/x", "a.test:8080"),
        ("http://a.test.:8080/x", "a.test:8080"),
        ("http://user:word@a.test/x", "a.test"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[0:0:0:0:0:0:0:1]:81/", "[::1]:81"),
        ("http://b\u00fccher.test/", "xn--bcher-kva.test"),
        ("http://b\u00fccher\u3002test/", "xn--bcher-kva.test"),
        ("http://%62.test/", "b.test"),
        ("data:image/png;base64,AA==", ""),
    ],
)
def test_the_account_of_a_url(url: str, account: str) -> None:
    assert urls_.account_of(url) == account


def test_redirect_targets_count_at_their_host(tmp_path: Path) -> None:
    target: list[Recorder] = []

    def leads(host: Recorder, seen: Seen) -> Answer:
        if seen.path in RULES:
            return nothing()
        door = str(host.server_address[0])
        return 302, {"Location": target[0].url(f"/{door}{seen.path}")}, b""

    rules: list[Rule] = [healthy, *[leads] * 6]
    with hosts(*rules) as (goal, *doors):
        target.append(goal)
        reasons = download(
            [door.url(f"/{n}.jpg") for n in range(2) for door in doors], tmp_path, delay=0.1
        )
        assert set(reasons.values()) == {"saved"}
        assert len(goal.asked(ROBOTS)) == 1
        assert len(goal.files()) == 12
        times = [one.at for one in goal.seen]
        assert_paced(times, 0.1)


@pytest.mark.parametrize("depth", [0, 1])
def test_crawl_sitemap_and_files_ask_robots_txt_once(tmp_path: Path, depth: int) -> None:
    def site(host: Recorder, seen: Seen) -> Answer:
        if seen.path == ROBOTS:
            return 200, {}, f"User-agent: *\nSitemap: {host.url('/map.xml')}\n".encode()
        if seen.path.endswith(".jpg"):
            return picture(host, seen)
        if seen.path == "/map.xml":
            pages = "".join(f"<url><loc>{host.url(f'/p{n}')}</loc></url>" for n in range(3))
            return 200, {"Content-Type": "text/xml"}, f"<urlset>{pages}</urlset>".encode()
        images = "".join(f'<img src="{seen.path.strip("/")}-{n}.jpg">' for n in range(4))
        return 200, {"Content-Type": "text/html"}, f"<html><body>{images}".encode()

    with hosts(site) as (host,):
        pixtrawl.run(
            host.url("/"), source="page", limit=12, output=tmp_path / "out", dedup="off",
            allow_address="127.0.0.0/8", progress=False, set=[f"page.depth={depth}"],
        )  # fmt: skip
        assert len(host.asked(ROBOTS)) == 1, [one.path for one in host.seen]
        assert len([one for one in host.seen if one.path.endswith(".jpg")]) >= 4
        assert bool(host.asked("/map.xml")) is (depth > 0)
