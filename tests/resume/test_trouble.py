"""Trouble on the way, as the command meets it: waited out, told, and asked again by a later run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests import warm_command
from tests.matrices import slow

from pixtrawl.cli.main import main
from pixtrawl.net.hosts import trouble as host_trouble
from pixtrawl.pipeline.scheduler.query_slots import QUERIES_AT_ONCE
from pixtrawl.playground import Playground
from pixtrawl.playground.faults.search import SearchOutage

pytestmark = pytest.mark.timeout(180)

FEW = 8


def queries(count: int) -> list[str]:
    return [f"tabby cat {number}" for number in range(count)]


def command(site: Playground, output: Path, *more: str, count: int = FEW) -> list[str]:
    return [
        *(sys.executable, "-m", "pixtrawl", "run", *queries(count), "-n", "1", "-s", "bing"),
        *("--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/8"),
        *("--set", "images.decoders=1", "-o", str(output), "--json", *more),
    ]


def run(
    site: Playground, output: Path, *more: str, count: int = FEW
) -> tuple[int, dict[str, Any], str]:
    words = command(site, output, *more, count=count)
    done = warm_command.run(words, capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout), done.stderr


# More than are asked at once are slow: tests/pipeline/test_outage.py has them by a clock of its own.
@pytest.mark.parametrize(
    ("status", "retry_after", "told", "count", "lasts_s"),
    [
        (503, "3", "queries wait (it asks for the pause)", FEW, 1.5),
        slow(503, "", "queries wait (status 503)", QUERIES_AT_ONCE + 1, 4.0),
        slow(429, "3", "it asks for the pause", QUERIES_AT_ONCE + 1, 4.0),
        slow(0, "", "bing answers again", QUERIES_AT_ONCE + 1, 4.0),
    ],
)
def test_an_outage_of_the_search_site_costs_no_query(
    status: int, retry_after: str, told: str, count: int, lasts_s: float, tmp_path: Path
) -> None:
    outage = SearchOutage(after=4, lasts_s=lasts_s, status=status, retry_after=retry_after)
    with Playground(supply=3, outages=[outage]) as site:
        code, report, screen = run(
            site, tmp_path / "images", "--set", "fetch.first_byte_timeout_s=3", count=count
        )
        assert site.errors == []
    assert [query["saved"] for query in report["queries"]] == [1] * count
    assert code == 0
    assert told in screen
    assert outage.asked
    # those under way when the first failure was noticed; then one at a time, ever more seldom
    # (tests/pipeline/test_outage.py counts them by a clock of its own)
    at_once = min(count, QUERIES_AT_ONCE)
    under_way = at_once if status else 2 * at_once  # silence is noticed late
    assert len(outage.asked) <= under_way + 10


def test_what_ended_for_want_of_patience_is_asked_again_by_the_same_command(
    tmp_path: Path,
) -> None:
    outage = SearchOutage(after=4, lasts_s=3600.0)
    with Playground(supply=3, outages=[outage]) as site:
        code, report, _ = run(site, tmp_path / "images", "--patience", "1")
        ends = [query["sources"]["bing"] for query in report["queries"] if not query["saved"]]
        assert code == 3
        assert ends
        assert {end["outcome"] for end in ends} == {"network_error"}
        assert all(end["detail"]["next_step"] for end in ends)
        assert len(outage.asked) <= FEW + 1  # each query once; a try may fall on the last instant
        outage.lasts_s = 0.0
        code, report, _ = run(site, tmp_path / "images", "--patience", "1")
    assert code == 0
    assert {query["saved"] for query in report["queries"]} == {1}


def test_ctrl_c_ends_a_wait_at_once(tmp_path: Path) -> None:
    outage = SearchOutage(after=0, lasts_s=3600.0, status=429, retry_after="600")
    with Playground(supply=3, outages=[outage]) as site:
        process = warm_command.Popen(
            command(site, tmp_path / "images"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert process.stderr is not None
        while "rests" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=50)  # the pause has ten minutes
    assert process.returncode == 130


@pytest.fixture
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts rest for a second instead of ten; tests/net/test_host_rest.py has the ten, by its clock."""
    monkeypatch.setattr(host_trouble, "FIRST_REST_S", 1.0)


def download(
    lines: list[str], output: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, str, str]:
    manifest = output.parent / "list.txt"
    manifest.write_text("\n".join(lines) + "\n")
    words = ["download", str(manifest), "-o", str(output), "--allow-address", "127.0.0.0/8"]
    code = main([*words, "--junk", "keep", "--dedup", "off", *more])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def at_host(host: str, url: str) -> str:
    """The same picture on another host: every host of the playground has them all."""
    return host + urlsplit(url).path


@pytest.mark.usefixtures("short_rest")
def test_one_refused_address_of_a_host_costs_none_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Playground(faults=["refused-address"], supply=12, mix={"fault": 0.0}) as site:
        assert site._line is not None
        bad = site._line.truth("refused-address").url
        host = bad.partition("/fault/")[0]
        good = [at_host(host, entry.url) for entry in site.expected("tabby cat")]
        lines = [good[0], bad, *good[1:]]
        code, out, _ = download(lines, tmp_path / "images", capsys, "--json")
    assert code == 0
    assert json.loads(out)["reasons"] == {"saved": 12, "rate_limited": 1}


@pytest.mark.usefixtures("short_rest")
def test_addresses_of_a_host_that_is_out_are_counted_and_nothing_is_called_complete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Playground(faults=["refused-address"], hosts=1) as site:
        assert site._line is not None
        bad = [site._line.truth("refused-address", "fault", number).url for number in range(6)]
        lines = [at_host(site.hosts[0], site.expected("tabby cat")[1].url), *bad]
        output = tmp_path / "images"
        given = ("--patience", "30", "--per-host", "1")
        code, screen, _ = download(lines, output, capsys, *given)
        asked = len(site.requests_to("/fault/refused-address/"))
        assert (code, asked) == (0, 2)
        assert "4 addresses not asked for" in screen
        assert "complete" not in screen
        strict, out, _ = download(lines, tmp_path / "other", capsys, *given, "--strict", "--json")
    assert strict == 3
    assert json.loads(out)["not_asked"] == 4
