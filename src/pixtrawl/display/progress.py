"""Progress on stderr: a live display on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from pixtrawl import events
from pixtrawl.display.screen import clean, has_color, plural, shorten, size, span
from pixtrawl.display.tally import QueryTally, Tally
from pixtrawl.model import Status

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PLAIN_EVERY_S: Final = 5.0
TOLD_FROM_S: Final = 3.0  # shorter rests of a source or host are nobody's concern
LIVE_QUERIES: Final = 6  # lines for queries that are being worked on


class Progress:
    """A Listener that counts, and says on stderr what a person wants to know at once."""

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
        """Takes one event; never blocks on more than a terminal's write."""
        with self._lock:
            self.tally.hear(event, self.clock())
        if line := self._remark(event):
            self._write(line)
        self.tick(event)

    def tick(self, event: events.Event) -> None:
        """Called after each event; a display that is drawn by events does it here."""

    def lines(self) -> list[str]:
        """The state: a line for each stage, then the queries being worked on."""
        with self._lock:
            return stage_lines(self.tally, self.clock())

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
            case events.SourceFinished() if self.verbose:
                return f"{event.query}: {event.source}: {event.outcome}, {event.found} found"
            case events.CandidateSettled() if self.verbose > 1:
                reason, url = event.outcome.reason, event.candidate.url
                detail = f" ({event.outcome.detail})" if event.outcome.detail else ""
                return f"{reason}{detail}: {shorten(clean(url), 200)}"
            case _:
                return ""


class PlainProgress(Progress):
    """For logs and pipes: one line at most every `PLAIN_EVERY_S` seconds."""

    _last: float | None = None

    def tick(self, event: events.Event) -> None:
        """Writes when it is time, and once at the end."""
        now = self.clock()
        if self._last is None:
            self._last = now
        if now - self._last >= PLAIN_EVERY_S:
            self._last = now
            self._write(summary_line(self.tally, now))


def summary_line(tally: Tally, now: float) -> str:
    """The state in one line."""
    if tally.exporting is not None:
        return "exporting: {:,} of {:,} images".format(*tally.exporting)
    of = f"/{tally.wanted:,}" if tally.wanted is not None else ""
    rate = tally.settling.per_second(now)
    eta = tally.eta_s(now)
    parts = [
        f"{tally.saved:,}{of} saved",
        f"{tally.found:,} found",
        f"{tally.done:,} done",
        f"{rate:.1f}/s",
        f"{size(tally.bytes.per_second(now))}/s",
    ]
    if eta is not None:
        parts.append(f"ETA {span(eta)}")
    parts += [f"{clean(name)} x{count}" for name, count in tally.troubled.items()]
    return ", ".join(parts)


def stage_lines(tally: Tally, now: float) -> list[str]:
    """Finding, downloading, checking; then some of the queries."""
    done = tally.done
    wanted = f" of {tally.wanted:,}" if tally.wanted is not None else ""
    lost = done - tally.statuses[Status.SAVED]
    eta, speed = tally.eta_s(now), size(tally.bytes.per_second(now))
    ready = f" · ETA {span(eta)}" if eta is not None else ""
    over = f"{tally.finished:,} of {plural(len(tally.queries), 'query', 'queries')} over"
    trouble = "".join(f" · {clean(name)} x{count}" for name, count in tally.troubled.items())
    lines = [
        f"finding      {tally.found:,} URLs · {tally.finding.per_second(now):.1f}/s{trouble}",
        f"downloading  {done:,} done · {tally.settling.per_second(now):.1f}/s · {speed}/s",
        f"checking     {tally.saved:,}{wanted} saved · {lost:,} not kept · {over}{ready}",
    ]
    if tally.exporting is not None:
        lines.append("exporting    {:,} of {:,} images".format(*tally.exporting))
    active = [query for query in list(tally.queries.values()) if query.is_active]
    lines += [_query_line(query) for query in active[:LIVE_QUERIES]]
    if rest := active[LIVE_QUERIES:]:
        lines.append(f"  … and {plural(len(rest), 'query', 'queries')} more at work")
    return lines


def _query_line(query: QueryTally) -> str:
    of = f"/{query.wanted}" if query.wanted is not None else ""
    asking = [name for name, outcome in list(query.sources.items()) if outcome == "asking"]
    tail = f" · asking {clean(', '.join(asking))}" if asking else ""
    name = shorten(clean(query.text), 32)
    return f"  {name}: {query.saved}{of} saved, {query.found} found{tail}"


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"pixtrawl: {clean(line)}\n")
    sys.stderr.flush()


@contextmanager
def progress(
    *, quiet: bool = False, verbose: int = 0, live: bool = True, stream: TextIO | None = None
) -> Iterator[events.Listener]:
    """The listener that suits the terminal; the live display ends with the block."""
    stream = stream or sys.stderr
    if quiet:
        yield events.ignore
    elif live and stream.isatty():
        with _live(stream, verbose) as listener:
            yield listener
    else:
        yield PlainProgress(verbose=verbose)


@contextmanager
def _live(stream: TextIO, verbose: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream, no_color=not has_color(stream), highlight=False)

    def write(line: str) -> None:
        console.print(Text(clean(line)))

    listener = Progress(verbose=verbose, write=write)
    with Live(
        get_renderable=lambda: _drawn(listener, console),
        console=console,
        refresh_per_second=4,
        transient=True,  # the verdict takes its place
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield listener


def _drawn(listener: Progress, console: Console) -> RenderableType:
    from rich.text import Text

    lines = [shorten(line, console.width - 1) for line in listener.lines()]
    return Text("\n".join(lines), no_wrap=True)
