"""The log of a run: a line an event, with times, without secrets."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from pixtrawl import events
from pixtrawl.config.groups import Config, Fetch, Job
from pixtrawl.display.log import Log
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.model import Candidate, Outcome, Query, Reason, SourceOutcome
from tests.display.reports import report_of

CAT = Query("tabby cat", "tabby cat", 10)
CANDIDATE = Candidate(
    url="https://me:pw@h.example/a.jpg?size=3&X-Amz-Signature=abc123&token=t0k",
    query="tabby cat", label="tabby cat", source="bing",
)  # fmt: skip
EVERYTHING: list[events.Event] = [
    events.RunStarted((CAT,), {}),
    events.SourceStarted("tabby cat", "bing"),
    events.CandidatesFound("tabby cat", "bing", 35, 30),
    events.FetchStarted(CANDIDATE),
    events.CandidateSettled(CANDIDATE, Outcome(reason=Reason.NOT_FOUND, http_status=404), None),
    events.SourceRests("bing", 43.0, 2, "status 503"),
    events.SourceResumes("bing", 44.0),
    events.HostRests("h.example", 10.0, 1, "status 429"),
    events.HostResumes("h.example", 11.0),
    events.SourceFinished("tabby cat", "bing", SourceOutcome.BLOCKED, 35, {"kind": "captcha"}),
    events.QueryFinished(CAT, 4),
    events.Notice("two\nlines", "warning"),
    events.Exporting(3, 3),
    events.RunFinished(report_of(totals={"saved": 4}, elapsed_s=3.2)),
]
LINE = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+( .*)?")


def test_every_event_is_one_line_with_its_time(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "run.log"
    with Log(file, Config()) as log:
        for event in EVERYTHING:
            log(event)
    lines = file.read_text("utf-8").splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    names = [line.split()[1] for line in lines]
    assert names == [
        "start", "run", "ask", "found", "url", "rests", "resumes", "rests", "resumes", "source",
        "query", "warning", "exported", "report", "end",
    ]  # fmt: skip
    assert "reason=not_found http=404" in lines[4]
    assert 'query="tabby cat"' in lines[4]
    assert 'message="two lines"' in lines[11]


def test_secrets_do_not_reach_it(tmp_path: Path) -> None:
    config = Config(
        fetch=Fetch(proxy="http://me:pr0xy@h:1"),
        job=Job(limit=7),
        sources={"searxng": {"base_url": "http://me:pr1vate@h/"}, "mine": {"bearer": "s3cret"}},
    )
    with Log(tmp_path / "log", config) as log:
        log(events.CandidateSettled(CANDIDATE, Outcome(reason=Reason.SAVED), "a/1.jpg"))
    text = (tmp_path / "log").read_text()
    for secret in ("pr0xy", "pr1vate", "s3cret", "pw@", "abc123", "t0k"):
        assert secret not in text
    assert "size=3" in text
    assert '"job.limit": 7' in text


def test_it_is_added_to_and_an_error_stands_in_it(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(StorageError), Log(tmp_path / "log", Config()):
            raise StorageError("the disk is full")
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["start", "error", "end"] * 2
    assert 'kind=StorageError message="the disk is full"' in lines[1]


def test_a_line_is_there_before_the_next_one_is_written(tmp_path: Path) -> None:
    log = Log(
        tmp_path / "log", Config(), now=lambda: datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    )
    log(EVERYTHING[0])
    assert (
        tmp_path / "log"
    ).read_text() == "2026-01-02T00:00:00.000Z run queries=1 already_saved=0\n"
    log.__exit__(None, None, None)


def test_one_that_cannot_be_written_is_reported_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--log"):
        Log(tmp_path, Config())


def test_a_full_disk_ends_the_log_and_not_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with Log(full, Config()) as log:
        for event in EVERYTHING:
            log(event)
    assert capfd.readouterr().err.count("no more is logged") == 1
