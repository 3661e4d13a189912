"""The status of a job tells what its workers do now, in lines, as metrics and on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from pixtrawl import events
from pixtrawl.cli.commands.cluster_page import job_page
from pixtrawl.cli.commands.cluster_status import job_metrics
from pixtrawl.cli.main import main
from pixtrawl.cluster.beats import Beats, RecentRate, WorkerBeat
from pixtrawl.cluster.job.description import read_job
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import JobStatus, status
from pixtrawl.display.prometheus import RunMetrics, rendered
from pixtrawl.model import Candidate, Outcome, Reason, SourceOutcome

LEASE_S = 60.0
BEAT = WorkerBeat(
    worker="m-1", host="m", leases=3, settled=9_000, rows=8_800, shards=9, open_rows=25, rate=2.5,
    elapsed_s=9_000,
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A job of 100 rows, at which two workers are."""
    manifest = tmp_path / "urls.txt"
    manifest.write_text("\n".join(f"http://a{n}.test/{n}.jpg" for n in range(100)))
    place = tmp_path / "set"
    assert main(["cluster", "prepare", str(manifest), "-o", str(place), "-q"]) == 0
    store = Store(place)
    for name in ("m-1", "n-2"):
        Beats(store, LEASE_S).write(replace(BEAT, worker=name))
    return store


def found_in(store: Store) -> JobStatus:
    return status(store, read_job(store))


def test_a_rate_is_that_of_late_and_not_of_the_whole_time() -> None:
    rate = RecentRate(3, started_s=0)
    assert [rate.add(at, count) for at, count in ((10, 100), (20, 200), (30, 300))] == [10, 10, 10]
    assert [rate.add(at, 300) for at in (40, 50, 60)] == pytest.approx([20 / 3, 10 / 3, 0])


def test_a_worker_is_shown_with_its_rate_of_late(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cluster", "status", store.url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "0 of 100 rows settled, 0 saved; 0 B fetched, 0 B stored" in lines
    assert "50 more rows have an outcome in open shards; 5.0 rows/s of all workers" in lines
    assert "m-1: at work; 9 shards, 9,000 rows, 2.5/s, 3 shards at work" in lines


def test_rows_of_open_shards_are_never_more_than_there_are(store: Store) -> None:
    Beats(store, LEASE_S).write(replace(BEAT, open_rows=90))
    assert found_in(store).open_rows == 100


def test_the_page_has_totals_and_each_worker(store: Store) -> None:
    page = job_page(store.url, found_in(store))
    for text in ("rows with an outcome in open shards", "m-1", "n-2", ">2.5<", ">5.0<"):
        assert text in page
    assert "Rows by reason" not in page  # nothing is committed yet


def test_metrics_are_named_as_prometheus_asks(store: Store) -> None:
    run = RunMetrics()
    candidate = Candidate(url="http://a.test/", query="q", label="q", source="bing")
    for event in (
        events.CandidatesFound("q", "bing", 1, 1),
        events.SourceFinished("q", "bing", SourceOutcome.OK, 1, {}),
        events.CandidateSettled(candidate, Outcome(reason=Reason.SAVED)),
        events.HostRests("h", 3.0, 2, "status 503"),
    ):
        run(event)
    found = replace(found_in(store), reasons={"saved": 3})
    for metrics in (run.read(), job_metrics(found)):
        for one in metrics:
            assert one.kind == ("counter" if one.name.endswith("_total") else "gauge"), one.name
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", one.name)
            assert one.help.endswith(".")
            assert len(one.help.split()) > 2
            assert f"# TYPE pixtrawl_{one.name} {one.kind}\n".encode() in rendered(metrics)
        names = {one.name for one in metrics}
        assert not [name for name in names if re.search(r"(_ms|_kb|_mb|_s|_time)$", name)]
