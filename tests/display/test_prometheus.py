"""Metrics for Prometheus: served on loopback, or in a file that is never half there."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

import pytest

from pixtrawl import events
from pixtrawl.display.prometheus import Metric, RunMetrics, exposed, rendered
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.model import Candidate, Outcome, Reason, SourceOutcome

CANDIDATE = Candidate(url="http://127.0.0.1/a.jpg", query="cats", label="cats", source="bing")
LINE = re.compile(r"(# (HELP|TYPE) pixtrawl_\w+ .+|pixtrawl_\w+(\{.+\})? -?[0-9.e+-]+)")


def _counted() -> RunMetrics:
    metrics = RunMetrics()
    saved = Outcome(reason=Reason.SAVED, size_bytes=1_000, elapsed_s=0.5)
    for event in (
        events.CandidatesFound("cats", "bing", 20, 18),
        events.SourceFinished("cats", "bing", SourceOutcome.OK, 20, {}),
        events.CandidateSettled(CANDIDATE, saved),
        events.RowSettled(CANDIDATE, saved),
        events.RowSettled(CANDIDATE, Outcome(reason=Reason.NOT_FOUND)),
        events.RowSettled(CANDIDATE, Outcome(reason=Reason.INTERRUPTED)),
        events.ShardCommitted("s1", "w", 3, {"saved": 3}, 500, rows_reported=True),
        events.ShardCommitted("s2", "w", 3, {"saved": 2, "not_found": 1}, 700, rows_reported=False),
        events.HostRests("h", 3.0, 2, "status 503"),
        events.Notice("no containment", level="warning"),
    ):
        metrics(event)
    return metrics


def test_events_of_every_engine_are_counted() -> None:
    lines = rendered(_counted().read()).decode().splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    for line in (
        'pixtrawl_urls_total{status="saved",reason="saved"} 4',
        'pixtrawl_urls_total{status="failed",reason="not_found"} 2',
        "pixtrawl_fetched_bytes_total 2700",
        'pixtrawl_candidates_total{source="bing"} 20',
        'pixtrawl_source_answers_total{source="bing",outcome="ok"} 1',
        'pixtrawl_rests_total{kind="host"} 1',
        "pixtrawl_shards_committed_total 2",
        "pixtrawl_warnings_total 1",
        "pixtrawl_finished 0",
    ):
        assert line in lines


def test_untrusted_labels_do_not_break_the_format() -> None:
    odd = Metric("odd", "gauge", "Odd.", {(("source", 'a"b\\c\nd'),): 1.5})
    assert rendered([odd]).decode().splitlines()[-1] == 'pixtrawl_odd{source="a\\"b\\\\c\\nd"} 1.5'


def test_metrics_are_served_on_loopback_while_the_run_is_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with exposed("0", _counted().read):
        url = capsys.readouterr().err.split()[-1]
        place = url.removeprefix("http://").removesuffix("/metrics")
        assert place.startswith("127.0.0.1:")
        status, kind, body = _asked(place, "/metrics")
        assert (status, kind.partition(" charset")[0]) == (200, "text/plain; version=0.0.4;")
        assert b"pixtrawl_urls_total" in body
        assert _asked(place, "/other")[0] == 404
        with pytest.raises(UsageError, match="--metrics"), exposed(place, _counted().read):
            pass
    with pytest.raises(ConnectionRefusedError):
        _asked(place, "/metrics")


def test_a_page_is_served_beside_the_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    shown = iter(["<p>first", "<p>second"])
    with exposed("0", _counted().read, lambda: next(shown)):
        place = capsys.readouterr().err.split()[-1].removeprefix("http://").split("/")[0]
        assert _asked(place, "/") == (200, "text/html; charset=utf-8", b"<p>first")
        assert _asked(place, "/?again")[2] == b"<p>second"
        assert b"pixtrawl_urls_total" in _asked(place, "/metrics")[2]


def _asked(place: str, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(place, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("place", ["nine", "127.0.0.1:", "127.0.0.1:99999999", ""])
def test_a_place_that_is_none_is_reported(place: str) -> None:
    with pytest.raises(UsageError, match="--metrics"), exposed(place, list):
        pass


def test_a_file_has_the_metrics_at_the_start_and_at_the_end(tmp_path: Path) -> None:
    file, metrics = tmp_path / "run.prom", RunMetrics()
    with exposed(str(file), metrics.read):
        assert "pixtrawl_fetched_bytes_total 0" in file.read_text()
        metrics(events.RowSettled(CANDIDATE, Outcome(reason=Reason.SAVED, size_bytes=7)))
    assert "pixtrawl_fetched_bytes_total 7" in file.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["run.prom"]
    with pytest.raises(StorageError), exposed(str(tmp_path / "no/run.prom"), metrics.read):
        pass
