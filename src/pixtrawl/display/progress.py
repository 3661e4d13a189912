"""Progress on stderr: a live display on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

import datetime
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from pixtrawl import events
from pixtrawl.amounts import plural, span
from pixtrawl.display.lines import (
    WIDTH,
    decision_words,
    stage_lines,
    stopping_words,
    summary_line,
)
from pixtrawl.display.screen import clean, has_color, shorten
from pixtrawl.operations.tally import Tally
from pixtrawl.secrets import masked_text, shown_url

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PLAIN_EVERY_S: Final = 5.0
TOLD_FROM_S: Final = 3.0  # shorter rests of a source or host are not shown


class Progress:
    """A Listener that counts events and writes warnings, rests and decisions to stderr."""

    def __init__(
        self,
        *,
        verbose: int = 0,
        write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally()
        self.verbose = verbose
        self.clock = clock
        self._write = write or _to_stderr
        self._lock = threading.Lock()  # the live display reads from its own thread

    def __call__(self, event: events.Event, /) -> None:
        """Count one event and write its remark, if any; blocks only for that write."""
        with self._lock:
            self.tally.count(event, self.clock())
        if line := self._remark(event):
            self._write(line)
        self.tick(event)

    def tick(self, event: events.Event) -> None:
        """Do nothing; a hook after each event for displays that redraw on events."""

    def lines(self, width: int = WIDTH) -> list[str]:
        """Return the state: a line for each stage, then active queries and resting hosts."""
        with self._lock:
            return stage_lines(self.tally, self.clock(), width=width)

    def stopping(self) -> None:
        """Record that the user has asked to stop, and show it."""
        with self._lock:
            self.tally.stopping = True
            words = stopping_words(self.tally)
        self.say_stopping(words)

    def say_stopping(self, words: str) -> None:
        """Write the message once; the live display shows it in its lines instead."""
        self._write(words)

    def _remark(self, event: events.Event) -> str:
        match event:
            case events.Notice(level="warning"):
                return f"warning: {event.message}"
            case events.Notice():
                return event.message
            case events.SourceRests(seconds=seconds) if seconds >= TOLD_FROM_S:
                who = plural(event.waiting, "query waits", "queries wait")
                return f"{event.source} rests {span(seconds)}, {who} ({event.why})"
            case events.HostRests(seconds=seconds) if seconds >= TOLD_FROM_S:
                who = plural(event.waiting, "file waits", "files wait")
                return f"{event.host} rests {span(seconds)}, {who} ({event.why})"
            case events.SourceResumes(rested_s=seconds) if seconds >= TOLD_FROM_S:
                return f"{event.source} answers again after {span(seconds)}"
            case events.HostResumes(rested_s=seconds) if seconds >= TOLD_FROM_S:
                return f"{event.host} answers again after {span(seconds)}"
            case events.DecisionTaken():
                return decision_words(event)
            case events.SourceFinished() if self.verbose:
                return f"{event.query}: {event.source}: {event.outcome}, {event.found} found"
            case events.CandidateSettled() | events.RowSettled() if self.verbose > 1:
                reason = event.outcome.reason
                url = shown_url(event.candidate.url, reason)
                detail = f" ({event.outcome.detail})" if event.outcome.detail else ""
                return f"{reason}{masked_text(detail)}: {shorten(clean(url), 200)}"
            case _:
                return ""


class PlainProgress(Progress):
    """Progress for logs and pipes: at most one summary line every `PLAIN_EVERY_S` seconds."""

    _last: float | None = None
    wall: Callable[[], datetime.datetime] = staticmethod(datetime.datetime.now)

    def tick(self, event: events.Event) -> None:
        """Write a summary line if `PLAIN_EVERY_S` seconds have passed since the last."""
        now = self.clock()
        if self._last is None:
            self._last = now
        if now - self._last >= PLAIN_EVERY_S:
            self._last = now
            self._write(summary_line(self.tally, now, clock=self.wall()))


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"pixtrawl: {clean(line)}\n")
    sys.stderr.flush()


@contextmanager
def progress(
    *, quiet: bool = False, verbose: int = 0, live: bool = True, stream: TextIO | None = None
) -> Iterator[Progress]:
    """Yield a listener: quiet, live on a terminal, else plain. The display ends with the block."""
    stream = stream or sys.stderr
    if quiet:
        yield QuietProgress()
    elif live and stream.isatty():
        with _live(stream, verbose) as listener:
            yield listener
    else:
        yield PlainProgress(verbose=verbose)


class QuietProgress(Progress):
    """Shows and counts nothing."""

    def __call__(self, event: events.Event, /) -> None:
        """Ignore the event."""

    def say_stopping(self, words: str) -> None:
        """Write nothing; the exit code and the report show that the run was stopped."""


class LiveProgress(Progress):
    """Progress that a thread of rich's `Live` draws four times a second."""

    def say_stopping(self, words: str) -> None:
        """Write nothing; the live lines contain the message."""


@contextmanager
def _live(stream: TextIO, verbose: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream, no_color=not has_color(stream), highlight=False)

    def write(line: str) -> None:
        console.print(Text(clean(line)))

    listener = LiveProgress(verbose=verbose, write=write)
    with Live(
        get_renderable=lambda: _drawn(listener, console),
        console=console,
        refresh_per_second=4,
        transient=True,  # erased at the end; the verdict follows
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield listener


def _drawn(listener: Progress, console: Console) -> RenderableType:
    from rich.text import Text

    width = console.width - 1
    lines = [shorten(line, width) for line in listener.lines(width)]
    return Text("\n".join(lines[: max(1, console.height - 1)]), no_wrap=True)
