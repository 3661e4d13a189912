"""The page of a job's live totals."""

from __future__ import annotations

from pixtrawl.cli.commands.cluster_page import job_page
from pixtrawl.cluster.beats import WorkerBeat
from pixtrawl.cluster.upkeep import JobStatus, WorkerStatus


def _status(committed: int) -> JobStatus:
    beats = [
        WorkerBeat(worker="a-1", host="a", shards=2, rows=1000, settled=1500, rate=150.0),
        WorkerBeat(worker="<b>-2", host="b", shards=1, rows=600, settled=600, rate=100.0),
    ]
    return JobStatus(
        shards=4, committed=committed, rows=4000, settled=1600, saved=1200,
        reasons={"saved": 1200, "not_found": 400}, fetched_bytes=5_000_000, stored_bytes=4_000_000,
        lost_shards=0, duplicates=None, attempts={},
        workers=[
            WorkerStatus(beat=beats[0], is_alive=True, age_s=1.0),
            WorkerStatus(beat=beats[1], is_alive=False, age_s=90.0),
        ],
    )  # fmt: skip


def test_it_shows_totals_reasons_and_the_rate_of_each_worker() -> None:
    page = job_page("s3://bucket/set", _status(3))
    assert "75.0% of the shards, 1 of 2 workers at work" in page
    for text in ("1,600 of 4,000", "not_found", "150.0", "lost, last heard of"):
        assert text in page
    assert "100.0</td>" not in page, "a lost worker has no rate"


def test_it_loads_itself_again_until_the_job_is_complete() -> None:
    assert 'http-equiv="refresh"' in job_page("set", _status(3))
    assert 'http-equiv="refresh"' not in job_page("set", _status(4))


def test_foreign_names_are_text() -> None:
    assert "<b>" not in job_page("<b>", _status(3))
