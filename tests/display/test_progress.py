"""Counting events, and what is said on stderr while a run is under way."""

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr

import pytest

from pixtrawl import events
from pixtrawl.amounts import span
from pixtrawl.display.lines import stage_lines, summary_line
from pixtrawl.display.progress import PLAIN_EVERY_S, PlainProgress, progress
from pixtrawl.display.screen import cells
from pixtrawl.model import Candidate, Outcome, Query, Reason, SourceOutcome
from pixtrawl.operations.tally import Rate, Tally

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
        tally.count(event, 1.0)
    assert (tally.saved, tally.wanted, tally.found) == (14, 20, 30)
    assert tally.fetched_bytes == 4 * 1024
    assert tally.troubled == {"bing blocked": 1}
    assert tally.queries["cat"].settled == 5
    tally.count(events.QueryFinished(CAT, 9), 2.0)
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
    tally.count(events.RunStarted((CAT,), {}), 0.0)
    assert tally.eta_s(0.0) is None
    for second in (0.0, 1.0, 2.0):
        tally.count(_settled(), second)
    assert tally.eta_s(3.0) == pytest.approx(7.0, rel=0.05)


def test_there_is_a_line_for_each_stage_and_each_active_query() -> None:
    tally = Tally()
    for event in _story():
        tally.count(event, 1.0)
    lines = stage_lines(tally, 2.0)
    assert [line.split()[0] for line in lines[:3]] == ["finding", "downloading", "checking"]
    assert "30 URLs" in lines[0]
    assert "5 done" in lines[1]
    assert "14 of 20 saved" in lines[2]
    assert lines[3:] == ["  cat: 4/10 saved · 30 found"]


def test_many_active_queries_are_counted_not_listed() -> None:
    tally = Tally()
    for number in range(40):
        tally.count(events.SourceStarted(f"q{number}", "bing"), 0.0)
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


def _long_story() -> Tally:
    tally = Tally()
    for event in _story():
        tally.count(event, 1.0)
    tally.count(
        events.RunStarted((Query("a query of a great many words " * 3, "q", 5_000),), {}), 0.0
    )
    for number in range(16):
        candidate = Candidate(url=f"http://h/{number}", query="cat", label="cat", source="bing")
        tally.count(events.FetchStarted(candidate), 1.0)
    tally.count(events.SourceRests("bing", 43.0, 2, "it asks for the pause, twice as long"), 2.0)
    tally.count(events.HostRests("a-long-host-name.of.some.example.org", 9.0, 1, "status 429"), 2.0)
    tally.stopping = True
    return tally


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit_narrow_terminals_without_cutting_a_word_or_the_eta(width: int) -> None:
    tally = _long_story()
    lines = stage_lines(tally, 10.0, width=width)
    assert all(cells(line) <= width for line in lines), lines
    text = " ".join(" ".join(lines).split())
    eta = tally.eta_s(10.0)
    assert eta is not None
    assert f"ETA {span(eta)}" in lines[2]
    assert "16 under way" in lines[1]
    assert "bing rests 35 s" in text
    assert "Ctrl-C again ends at once" in text
    wide = " ".join(" ".join(stage_lines(tally, 10.0, width=400)).split())
    words = set(wide.replace("…", " ").split())
    cut = [word for line in lines if "…" not in line for word in line.split() if word not in words]
    assert cut == []


def test_nothing_done_yet_is_reported_with_what_is_under_way() -> None:
    tally = Tally()
    tally.count(events.RunStarted((CAT,), {}), 0.0)
    for number in range(16):
        candidate = Candidate(url=f"http://h/{number}", query="cat", label="cat", source="bing")
        tally.count(events.FetchStarted(candidate), 0.0)
    line = summary_line(tally, 5.0)
    assert line == "5.0 s: 0 of 10 saved, 0 found, 0 done, 16 under way"


def test_the_eta_of_a_bursty_run_stays_calm() -> None:
    tally, etas = Tally(), []
    tally.count(events.RunStarted((Query("cat", "cat", 1_000),), {}), 0.0)
    now = 0.0
    for burst in range(40):  # ten at once, then eight seconds of nothing: 1.25 a second
        for _ in range(10):
            tally.count(_settled(), now)
        for _ in range(8):
            now += 1.0
            if burst >= 10:
                etas.append((tally.eta_s(now) or 0) + now)  # when it says that all will be there
    true = 1_000 / 1.25
    assert max(etas) < 1.25 * true
    assert min(etas) > 0.75 * true


def test_what_finished_queries_lack_is_not_waited_for() -> None:
    tally = Tally()
    tally.count(events.RunStarted((CAT, Query("dog", "dog", 10)), {}), 0.0)
    for second in range(5):
        tally.count(_settled(), float(second))
    tally.count(events.QueryFinished(Query("dog", "dog", 10), 0), 5.0)
    assert tally.eta_s(5.0) == pytest.approx(5.0, rel=0.1)


def test_a_rest_is_counted_down_and_forgotten() -> None:
    tally = Tally()
    tally.count(events.SourceRests("bing", 43.0, 2, "status 503"), 100.0)
    tally.count(events.HostRests("h", 5.0, 1, "status 429"), 100.0)
    assert list(tally.rests(101.0)) == ["h", "bing"]
    assert list(tally.rests(106.0)) == ["bing"]
    tally.count(events.SourceResumes("bing", 44.0), 107.0)
    assert tally.rests(107.0) == {}


def test_the_word_after_ctrl_c_stays_in_the_live_lines_and_is_said_once_elsewhere() -> None:
    lines: list[str] = []
    plain = PlainProgress(write=lines.append, clock=Clock())
    plain.stopping()
    assert lines == ["stopping: what is saved is put in order; Ctrl-C again ends at once"]
    with progress(stream=Terminal()) as live:
        live.stopping()
        for event in _story():
            live(event)
        assert "stopping:" in live.lines()[-1]
    assert _heard(lambda: PlainProgress().stopping()).count("stopping") == 1
