"""Progress on a notebook's page, with a display that records in place of a real kernel's."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import pytest

from pixtrawl import events
from pixtrawl.config.groups import Config
from pixtrawl.display import notebook
from pixtrawl.display.notebook import NotebookProgress
from pixtrawl.display.watch import Watch
from pixtrawl.model import Candidate, Outcome, Query, Reason
from tests.display.reports import report_of


class Handle:
    """One output: every text that it has shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.pages: list[str] = []
        self.changed = threading.Event()

    def __call__(self, data: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        self.update(data, raw=True)
        return self

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data["text/plain"])
        self.pages.append(data["text/html"])
        self.changed.set()


def _saved(query: str, number: int) -> events.CandidateSettled:
    candidate = Candidate(url=f"http://h/{number}", query=query, label=query, source="bing")
    return events.CandidateSettled(candidate, Outcome(reason=Reason.SAVED, size_bytes=9), "x")


def test_a_line_for_each_query_moves_in_one_output_and_ends_as_the_verdict() -> None:
    handle = Handle()
    with NotebookProgress(show=handle) as listener:
        listener(events.RunStarted((Query("<b>cat", "cat", 10), Query("dog", "dog", 10)), {}))
        listener(events.SourceStarted("<b>cat", "bing"))
        for number in range(5):
            listener(_saved("<b>cat", number))
        listener(events.SourceRests("bing", 43.0, 2, "status 503"))
        handle.changed.clear()
        assert handle.changed.wait(60)
        report = {"queries": [{"query": "<b>cat", "label": "cat", "wanted": 10, "saved": 5}]}
        middle = handle.shown[-1]
        listener(events.RunFinished(report_of(**report)))
    assert "<b>cat  ██████████░░░░░░░░░░ 5/10" in middle
    assert "bing rests" in middle
    assert "2 queries wait" in middle
    assert handle.shown[-1].startswith("1 of 1 query short: 5 of 10 images")
    assert not any("<b>" in page for page in handle.pages)
    assert threading.active_count() < 20


def test_an_error_ends_the_drawing_too() -> None:
    handle = Handle()
    with pytest.raises(ValueError, match="x"), NotebookProgress(show=handle):
        raise ValueError("x")
    count = len(handle.shown)
    time.sleep(2 * notebook.DRAWN_EVERY_S)
    assert len(handle.shown) == count


class _Shell:
    kernel = object()


class _Terminal:
    """IPython in a terminal has no kernel."""


@pytest.mark.parametrize(
    ("shell", "progress", "drawn"),
    [
        (_Shell(), None, True),
        (_Shell(), True, True),
        (_Shell(), False, False),
        (_Terminal(), None, False),
        (None, None, False),
    ],
)
def test_a_notebook_is_drawn_on_without_being_asked(
    monkeypatch: pytest.MonkeyPatch, shell: object, progress: bool | None, drawn: bool
) -> None:
    handle = Handle()
    module: Any = type(sys)("IPython")
    module.get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setattr(notebook, "_display", lambda: handle)
    heard: list[events.Event] = []
    with Watch(progress, None, heard.append).over(Config()) as listener:
        listener(events.Notice("hello"))
    assert bool(handle.shown) == drawn
    assert heard == [events.Notice("hello")]
