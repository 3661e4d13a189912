"""Defects of the usual scraping script that show in a run of their own: the real command against the playground."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pixtrawl.playground import Playground
from tests import warm_command
from tests.script_defects.script_runs import QUERIES, Ran, alive, pixtrawl

pytestmark = pytest.mark.timeout(180)


def bing(site: Playground, variant: str = "") -> list[str]:
    return ["-s", "bing", "--set", f"bing.base_url={site.url}{variant}"]


@pytest.mark.browser
def test_defect_03_a_query_with_few_results_keeps_them(site: Playground, ran: Ran) -> None:
    good = {e.sha256 for e in site.expected("rare bird") if e.role in {"photo", "exact_duplicate"}}
    answer = ran.query("rare bird")["sources"]["google"]
    assert (answer["outcome"], answer["found"]) == ("ok", 6)
    saved = {row["sha256"] for row in ran.rows() if row["query"] == "rare bird"}
    assert saved <= good
    assert len(saved) == len(good) > 2
    assert ran.code == 3
    assert alive(ran.browsers) == []


@pytest.mark.browser
def test_defect_20_queries_are_downloaded_side_by_side(ran: Ran) -> None:
    pictures = [r for r in ran.requests if r.path.split("/")[1] in {"photo", "mirror", "fault"}]
    spans: dict[str, list[float]] = {}
    for r in pictures:
        spans.setdefault(r.path.split("/")[-2], []).append(r.time)
    first_begun = sorted((times[0], times[-1]) for times in spans.values())
    assert len(spans) == len(QUERIES)
    assert any(later[0] < earlier[1] for earlier, later in itertools.pairwise(first_begun))
    # and the first picture is fetched while searches are still being asked
    searches = [r.time for r in ran.requests if "/search?" in r.target]
    assert pictures[0].time < max(searches)


@pytest.mark.browser
def test_defect_21_keyword_urls_is_read_from_where_it_was_written(ran: Ran, tmp_path: Path) -> None:
    again = pixtrawl(
        "download", str(ran.folder / "keyword_urls.txt"), "-n", "1", folder=tmp_path / "images"
    )
    assert again.code == 0
    assert {query["query"]: query["saved"] for query in again.report["queries"]} == dict.fromkeys(
        QUERIES, 1
    )
    labels = {query["label"] for query in ran.report["queries"]}
    assert {query["label"] for query in again.report["queries"]} == labels


def test_defect_22_what_was_found_survives_a_kill_and_is_not_fetched_again(
    tmp_path: Path,
) -> None:
    with Playground(supply=16, latency_s=0.1) as slow:
        folder = tmp_path / "images"
        arguments = [
            *(sys.executable, "-m", "pixtrawl", "run", "red fox", *bing(slow), "-n", "12"),
            *("-o", str(folder), "--allow-address", "127.0.0.0/24", "--per-host", "1", "-q"),
        ]
        running = warm_command.Popen(arguments, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(folder.glob("red fox/*"))) < 3:
            time.sleep(0.005)
        assert running.poll() is None, "killed while it works"
        running.kill()
        running.wait()
        table = ast.literal_eval((folder / "keyword_urls.txt").read_text("utf-8"))
        assert len(table["red fox"]) == 16
        kept = {file.name: file.read_bytes() for file in folder.glob("red fox/*")}
        before = len(slow.requests)
        again = pixtrawl("run", "red fox", *bing(slow), "-n", "12", folder=folder)
        assert again.code == 0
        assert again.query("red fox")["saved"] == 12
        assert (
            kept.items()
            <= {file.name: file.read_bytes() for file in folder.glob("red fox/*")}.items()
        )
        asked = Counter(r.target for r in slow.requests[before:])
        places = {urlsplit(row["url"]).path for row in again.rows() if _leaf(row) in kept}
        assert not places & set(asked)


def _leaf(row: dict[str, Any]) -> str:
    return str(row["file_name"]).rpartition("/")[2]


def test_defect_24_a_search_page_that_never_answers_is_an_outcome(
    site: Playground, tmp_path: Path
) -> None:
    origin = site.fault("silent").url.split("/fault/")[0]
    run = pixtrawl(
        "run", "tabby cat", "-s", "bing", "--set", f"bing.base_url={origin}/fault/silent/x",
        "--set", "fetch.first_byte_timeout_s=0.5", "--patience", "3", folder=tmp_path / "images",
    )  # fmt: skip
    assert run.code == 4
    answer = run.query("tabby cat")["sources"]["bing"]
    assert answer["outcome"] == "network_error"
    assert "first_byte_timeout" in answer["detail"]["message"]


@pytest.mark.parametrize(
    ("variant", "outcome", "kind"),
    [
        ("consent-stays", "consent", None),
        ("captcha", "blocked", "captcha"),
        ("soft-block", "blocked", "soft_block"),
        ("changed", "changed", None),
        ("no-results", "no_results", None),
    ],
)
def test_defect_25_a_wall_is_told_from_an_empty_answer(
    site: Playground, tmp_path: Path, variant: str, outcome: str, kind: str | None
) -> None:
    run = pixtrawl("run", "tabby cat", *bing(site, f"/{variant}"), folder=tmp_path / "images")
    answer = run.query("tabby cat")["sources"]["bing"]
    assert (run.code, answer["outcome"], answer["detail"].get("kind")) == (4, outcome, kind)
    if outcome != "no_results":
        assert answer["detail"]["evidence"]


def test_defect_26_many_queries_at_once_lose_nothing(site: Playground, tmp_path: Path) -> None:
    queries = [f"scene {number}" for number in range(6)]
    run = pixtrawl("run", *queries, *bing(site), "-n", "2", folder=tmp_path / "images")
    assert run.code == 0
    table = run.keyword_urls()
    assert list(table) == queries
    for query in queries:
        saved = [row["url"] for row in run.rows() if row["query"] == query]
        assert len(saved) == 2
        assert table[query][:2] == saved
        assert len(table[query]) == len(set(table[query]))


def test_defect_27_importing_does_nothing(tmp_path: Path) -> None:
    watching = (
        "import sys, threading, pixtrawl, pixtrawl.cli.main\n"
        "assert threading.active_count() == 1\n"
        "assert not {'playwright', 'pycurl', 'sqlite3'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watching], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
