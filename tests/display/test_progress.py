"""Counting events, and what is said on stderr while a run is under way."""

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr

import pytest

from pixtrawl import events
from pixtrawl.display.lines import stage_lines, summary_line
from pixtrawl.display.progress import PLAIN_EVERY_S, PlainProgress, progress
from pixtrawl.display.tally import Rate, Tally
from pixtrawl.model import Candidate, Outcome, Query, Reason, SourceOutcome

CAT = Query("cat", "cat", 10)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _settled(reason: Reason = Reason.SAVED, size: int = 1024) -> events.CandidateSettled:
    candidate = Candidate(url="http://h/\x1b[2Ji.jpg", query="cat", label="cat", source="bing")
    return events.CandidateSettled(candidate, Outcome(reason=reason, size_bytes=size))


def _story() -> list[events.Event]:
    return [
        events.RunStarted((CAT, Query("dog", "dog", 10)), {"dog": 10}),
        events.SourceStarted("cat", "bing"),
        events.CandidatesFound("cat", "bing", 35, 30),
        *[_settled() for _ in range(4)],
        _settled(Reason.NOT_FOUND, 0),
        events.SourceFinished("cat", "bing", SourceOutcome.BLOCKED, 35, {"kind": "captcha"}),
    ]


def test_events_add_up() -> None:
    tally = Tally()
    for event in _story():
        tally.hear(event, 1.0)
    assert (tally.saved, tally.wanted, tally.found) == (14, 20, 30)
    assert tally.fetched_bytes == 4 * 1024
    assert tally.troubled == {"bing blocked": 1}
    assert tally.queries["cat"].settled == 5
    tally.hear(events.QueryFinished(CAT, 9), 2.0)
    assert tally.finished == 1
    assert tally.saved == 19


def test_a_rate_forgets_what_is_past_its_window() -> None:
    rate = Rate()
    for second in range(5):
        rate.add(float(second), 10)
    assert rate.per_second(5.0) == pytest.approx(10)
    assert rate.per_second(100.0) == 0


def test_the_eta_follows_the_rate_of_saving_and_may_be_unknown() -> None:
    tally = Tally()
    assert tally.eta_s(0.0) is None
    tally.hear(events.RunStarted((CAT,), {}), 0.0)
    assert tally.eta_s(0.0) is None
    for second in (0.0, 1.0, 2.0):
        tally.hear(_settled(), second)
    assert tally.eta_s(3.0) == pytest.approx(7.0, rel=0.05)


def test_there_is_a_line_for_each_stage_and_each_active_query() -> None:
    tally = Tally()
    for event in _story():
        tally.hear(event, 1.0)
    lines = stage_lines(tally, 2.0)
    assert [line.split()[0] for line in lines[:3]] == ["finding", "downloading", "checking"]
    assert "30 URLs" in lines[0]
    assert "5 done" in lines[1]
    assert "14 of 20 saved" in lines[2]
    assert lines[3:] == ["  cat: 4/10 saved · 30 found"]


def test_many_active_queries_are_counted_not_listed() -> None:
    tally = Tally()
    for number in range(40):
        tally.hear(events.SourceStarted(f"q{number}", "bing"), 0.0)
    lines = stage_lines(tally, 1.0)
    assert len(lines) <= 12
    assert "34 queries more" in lines[-1]


def test_plain_lines_come_at_most_every_few_seconds() -> None:
    clock, lines = Clock(), list[str]()
    listener = PlainProgress(write=lines.append, clock=clock)
    for event in _story():
        listener(event)
    assert lines == []
    for _ in range(10):
        clock.now += PLAIN_EVERY_S / 2
        listener(_settled())
    assert len(lines) == 5
    assert lines[-1].endswith(summary_line(listener.tally, clock.now))
    assert re.match(r"\d\d:\d\d:\d\d 25.0 s: 20 of 20 saved, ", lines[-1])


@pytest.mark.parametrize(("verbose", "count"), [(0, 1), (1, 2), (2, 7)])
def test_more_is_said_the_more_is_asked(verbose: int, count: int) -> None:
    lines: list[str] = []
    listener = PlainProgress(verbose=verbose, write=lines.append, clock=Clock())
    for event in [*_story(), events.Notice("a filter is not passed on", "warning")]:
        listener(event)
    assert len(lines) == count
    assert "warning: a filter is not passed on" in lines
    assert not any("\x1b" in line for line in lines)


def _heard(make: Callable[[], object]) -> str:
    stream = io.StringIO()
    with redirect_stderr(stream):
        make()
    return stream.getvalue()


def test_quiet_is_silent_and_a_pipe_gets_no_escapes() -> None:
    def play(quiet: bool) -> None:
        with progress(quiet=quiet, verbose=1) as listener:
            for event in [*_story(), events.Notice("hello")]:
                listener(event)

    assert _heard(lambda: play(True)) == ""
    heard = _heard(lambda: play(False))
    assert "pixtrawl: hello\n" in heard
    assert "\x1b" not in heard


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_live_display_that_leaves_remarks_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with progress(stream=stream) as listener:
        for event in [*_story(), events.Notice("hello")]:
            listener(event)
    written = stream.getvalue()
    assert "hello" in written
    assert "finding" in written
    assert "\x1b[2Ji.jpg" not in written
    assert "\x1b[3" not in written  # no colours
