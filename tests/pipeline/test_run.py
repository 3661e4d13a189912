"""A run from start to end: exactly N, limits, budgets, events, cancellation, loops and threads."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.api.arguments import configured
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.events import (
    CandidateSettled,
    CandidatesFound,
    Event,
    FetchStarted,
    QueryFinished,
    RunFinished,
    RunStarted,
    SourceFinished,
    SourceStarted,
)
from pixtrawl.model import Reason, Status
from pixtrawl.playground import Playground

pytestmark = pytest.mark.timeout(120)

MIX = {"fault": 0.2, "exact_duplicate": 0.15, "near_duplicate": 0.1, "thumbnail": 0.1}
FAULTS = ("html-as-jpg", "short-body", "not-found", "forbidden", "reset", "truncated-file")


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=60, mix=MIX, faults=FAULTS, patience=0.02) as running:
        yield running
        assert running.errors == []


@pytest.fixture(scope="module")
def slow_site() -> Iterator[Playground]:
    with Playground(supply=40, latency_s=0.2) as running:
        yield running


def settings(site: Playground, output: Path, **more: Any) -> dict[str, Any]:
    return {
        "source": "bing", "settings": {"bing": {"base_url": site.url}}, "output": output,
        "allow_address": "127.0.0.0/24", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        {"settings": {"bing": {"base_url": "http://127.0.0.1:9/x"}}},
        {"settings": {"bing.base_url": "http://127.0.0.1:9/x"}},
        {"set": {"bing.base_url": "http://127.0.0.1:9/x"}},
        {"set": ["bing.base_url=http://127.0.0.1:9/x"]},
    ],
)
def test_settings_of_a_source_are_taken_in_every_form(given: dict[str, Any]) -> None:
    beside = {"config": None, "set": (), "settings": None}
    assert configured(beside | given).source("bing") == {"base_url": "http://127.0.0.1:9/x"}


def test_a_source_given_as_a_setting_is_reported_where_it_belongs() -> None:
    with pytest.raises(UsageError, match="settings="):
        pixtrawl.run("owl", bing={"base_url": "http://127.0.0.1:9"})  # type: ignore[call-arg]


def assert_adds_up(report: Any) -> None:
    totals = report["totals"]
    assert sum(totals[status] for status in Status) == totals["candidates"]
    assert sum(report["reasons"].values()) == totals["candidates"]
    assert totals["saved"] == sum(query["saved"] for query in report["queries"])


def test_exactly_n_distinct_images_with_faults_and_duplicates_on_the_way(
    site: Playground, tmp_path: Path
) -> None:
    queries = ["tabby cat", "red fox"]
    ds = pixtrawl.run(queries, limit=20, **settings(site, tmp_path / "images"))
    assert Counter(sample.label for sample in ds) == {"tabby cat": 20, "red fox": 20}
    assert len({(sample.label, sample.info.sha256) for sample in ds}) == 40
    for sample in ds:
        assert sample.path.read_bytes()
    assert_adds_up(ds.report)
    for query in queries:
        truth = {entry.url: entry for entry in site.expected_bing(query)}
        for sample in (s for s in ds if s.candidate.query == query):
            entry = truth[sample.candidate.url]
            assert "saved" in {entry.reason, *entry.also}, entry.role
    assert list(tmp_path.glob("images/.pixtrawl-staging-*")) == []


def test_two_queries_of_one_label_count_each_for_itself(site: Playground, tmp_path: Path) -> None:
    queries = tmp_path / "queries.csv"
    queries.write_text("query,label,limit\nred fox,fox,4\ngrey fox,fox,3\nowl,,2\n")
    ds = pixtrawl.run(str(queries), **settings(site, tmp_path / "images"))
    assert Counter(sample.label for sample in ds) == {"fox": 7, "owl": 2}
    assert [query["saved"] for query in ds.report["queries"]] == [4, 3, 2]
    assert sorted(s.path.stem for s in ds) == [f"{n:06}" for n in range(1, 10)]


def test_a_time_budget_ends_the_run_and_is_reported(slow_site: Playground, tmp_path: Path) -> None:
    ds = pixtrawl.run(
        "tabby cat", limit=40, per_host=1, delay=1,
        **settings(slow_site, tmp_path / "images", max_time=2),
    )  # fmt: skip
    report = ds.report
    assert report["end_reason"] == "budget"
    assert report["reasons"][Reason.BUDGET] > 0
    assert 0 < len(ds) < 40
    assert_adds_up(report)


def test_a_byte_budget_ends_the_run_near_it(slow_site: Playground, tmp_path: Path) -> None:
    ds = pixtrawl.run(
        "tabby cat", limit=30, concurrency=2,
        **settings(slow_site, tmp_path / "images", max_total_bytes="200K"),
    )  # fmt: skip
    assert ds.report["end_reason"] == "budget"
    assert 200_000 <= ds.report["bytes"] < 1_500_000
    assert 0 < len(ds) < 30
    more = pixtrawl.run("tabby cat", limit=30, **settings(slow_site, tmp_path / "images"))
    assert len(more) == 30, "what the budget left out comes with the next run"


def test_events_come_in_an_order_that_a_display_can_rely_on(
    site: Playground, tmp_path: Path
) -> None:
    events: list[Event] = []
    ds = pixtrawl.run(
        ["tabby cat", "owl"], limit=5, listener=events.append, **settings(site, tmp_path / "images")
    )
    kinds = [type(event) for event in events]
    assert (kinds[0], kinds[-1]) == (RunStarted, RunFinished)
    assert (kinds.count(RunStarted), kinds.count(RunFinished)) == (1, 1)
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.report == ds.report
    for text in ("tabby cat", "owl"):
        about = [type(e) for e in events if getattr(e, "query", None) == text]
        assert about[0] is SourceStarted
        assert CandidatesFound in about
        assert about.count(SourceFinished) == 1
        finished = [e for e in events if isinstance(e, QueryFinished) and e.query.text == text]
        assert [e.saved for e in finished] == [5]
    begun: set[str] = set()
    for event in events:
        if isinstance(event, FetchStarted):
            begun.add(event.candidate.url)
        elif isinstance(event, CandidateSettled):
            assert event.candidate.url in begun
    named = {e.file_name for e in events if isinstance(e, CandidateSettled) and e.file_name}
    assert {sample.file_name for sample in ds} <= named


def test_downloads_begin_while_others_are_still_being_found(
    slow_site: Playground, tmp_path: Path
) -> None:
    before = len(slow_site.requests)
    pixtrawl.run(
        [f"scene {n}" for n in range(6)], limit=3,
        **settings(slow_site, tmp_path / "images", settings={
            "bing": {"base_url": slow_site.url, "delay_s": "0.4"}
        }),
    )  # fmt: skip
    asked = slow_site.requests[before:]
    searches = [r.time for r in asked if r.path.startswith("/images/async")]
    pictures = [r.time for r in asked if r.path.startswith("/photo/")]
    assert len(searches) == 6
    assert min(pictures) < max(searches)


def test_a_cancelled_run_can_be_resumed(slow_site: Playground, tmp_path: Path) -> None:
    more = settings(slow_site, tmp_path / "images", limit=20)

    async def main() -> None:
        saved = asyncio.Event()

        def listen(event: Event) -> None:
            if isinstance(event, CandidateSettled) and event.file_name:
                saved.set()

        task = asyncio.create_task(
            pixtrawl.run_async("tabby cat", listener=listen, per_host=1, delay=0.5, **more)
        )
        await asyncio.wait_for(saved.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    kept = {sample.file_name: sample.info.sha256 for sample in pixtrawl.open(tmp_path / "images")}
    assert 0 < len(kept) < 20
    assert list(tmp_path.glob("images/.pixtrawl-staging-*")) == []
    ds = pixtrawl.run("tabby cat", **more)
    assert len(ds) == 20
    assert kept.items() <= {s.file_name: s.info.sha256 for s in ds}.items()


def test_it_runs_inside_a_running_loop_and_leaves_it_alone(
    site: Playground, tmp_path: Path
) -> None:
    async def cell() -> int:
        """A cell of a notebook: synchronous code while the loop is running."""
        ds = pixtrawl.run("owl", limit=2, **settings(site, tmp_path / "images"))
        await asyncio.sleep(0)
        return len(ds)

    assert asyncio.run(cell()) == 2


def test_it_runs_from_a_thread_and_two_on_one_folder_are_refused(
    site: Playground, slow_site: Playground, tmp_path: Path
) -> None:
    found: list[int] = []
    begun = threading.Event()

    def work() -> None:
        given = settings(slow_site, tmp_path / "one", limit=4, delay=0.3)
        found.append(len(pixtrawl.run("owl", listener=lambda _: begun.set(), **given)))

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    with pytest.raises(StorageError, match="in use"):
        pixtrawl.run("owl", limit=1, **settings(site, tmp_path / "one"))
    assert len(pixtrawl.run("owl", limit=1, **settings(site, tmp_path / "two"))) == 1
    thread.join()
    assert found == [4]


def test_a_hostile_label_of_a_manifest_stays_inside(site: Playground, tmp_path: Path) -> None:
    labels = [
        "../../out",
        "/etc",
        "..",
        "a/b\\c",
        "CON",
        "x\x00y",
        ".pixtrawl",
        "metadata.jsonl",
        "é" * 300,
    ]
    manifest = tmp_path / "m.jsonl"
    rows = [
        {"url": url, "label": label, "query": label}
        for label, url in zip(labels, site.image_urls(len(labels), "labels"), strict=True)
    ]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = tmp_path / "deep" / "images"
    ds = pixtrawl.download(manifest, output=output, allow_address="127.0.0.0/24")
    assert len(ds) == len(labels)
    assert len({sample.label for sample in ds}) == len(labels)
    for sample in ds:
        assert sample.path.resolve().is_relative_to(output.resolve())
        assert sample.path.parent.parent == output
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "m.jsonl"}
    assert (output / "metadata.jsonl").is_file()


def test_a_consent_page_is_answered_once_and_the_cookie_of_its_redirect_is_sent_on(
    site: Playground, tmp_path: Path
) -> None:
    before = len(site.requests)
    given = {"settings": {"bing": {"base_url": f"{site.url}/consent"}}, "limit": 2}
    ds = pixtrawl.run("owl", **settings(site, tmp_path / "images", **given))
    assert len(ds) == 2
    asked = [r for r in site.requests[before:] if r.path.startswith("/consent/")]
    assert sum(r.method == "POST" for r in asked) == 1
    assert all("SOCS=" not in r.headers.get("cookie", "") for r in site.requests[before:]
               if not r.path.startswith("/consent/"))  # fmt: skip


def test_no_more_than_per_host_at_once_and_delay_between(
    slow_site: Playground, tmp_path: Path
) -> None:
    host = slow_site.hosts[0]
    urls = [f"{host}/sound/pace.1/{n}.jpg" for n in range(12)]
    slow_site.render(urls)
    (tmp_path / "pace.txt").write_text("\n".join(urls))
    common: dict[str, Any] = {"allow_address": "127.0.0.0/24"}
    slow_site.log.high_water.clear()
    ds = pixtrawl.download(tmp_path / "pace.txt", output=tmp_path / "a", per_host=3, **common)
    assert len(ds) == 12
    assert slow_site.high_water[host.removeprefix("http://")] == 3
    before = len(slow_site.requests)
    ds = pixtrawl.download(
        tmp_path / "pace.txt", output=tmp_path / "b", limit=4, delay=0.25, **common
    )
    assert len(ds) == 4
    times = [r.time for r in slow_site.requests[before:]]
    assert min(b - a for a, b in pairwise(times)) > 0.2
