"""Progress display of a call from Python: in a notebook, on a terminal, or none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from pixtrawl import events
from pixtrawl.config.groups import Config

__all__ = ["Watch", "together"]


class Watch(NamedTuple):
    """The receivers of a call's events: a display, a log file, the caller's listener.

    `progress`: whether to show progress; None: only in a notebook or on a terminal. `log`: file to
    append a line to for each event. `listener`: the caller's own. `things`: "images" or "URLs".
    """

    progress: bool | None
    log: Path | str | None
    listener: Callable[[events.Event], None]
    things: str = "images"

    @contextmanager
    def over(self, config: Config) -> Iterator[events.Listener]:
        """Yield the listener for a run. Raises UsageError if the log file cannot be opened."""
        listeners = [] if self.listener is events.ignore else [self.listener]
        with ExitStack() as stack:
            if self.log is not None:
                from pixtrawl.display.log import Log

                listeners.append(stack.enter_context(Log(Path(self.log), config)))
            if self.progress is not False:
                listeners += _shown(stack, self.things, asked=bool(self.progress))
            yield together(listeners)


def _shown(stack: ExitStack, things: str, *, asked: bool) -> Iterator[events.Listener]:
    if "IPython" in sys.modules:
        from pixtrawl.display.notebook import NotebookProgress, shell

        if shell() is not None:
            yield stack.enter_context(NotebookProgress(things=things))
            return
    if asked or sys.stderr.isatty():
        from pixtrawl.display.progress import progress

        end = _KeptVerdict(things)
        stack.callback(end.summarise)  # after the live display has ended
        yield stack.enter_context(progress())
        yield end


class _KeptVerdict:
    """A Listener that keeps the verdict, to write it to stderr after the display has ended."""

    def __init__(self, things: str) -> None:
        self._things = things
        self._text = ""

    def __call__(self, event: events.Event, /) -> None:
        if isinstance(event, events.RunFinished):
            from pixtrawl.display.screen import has_color
            from pixtrawl.display.verdict import verdict

            color = has_color(sys.stderr)
            self._text = verdict(event.report, things=self._things, color=color)

    def summarise(self) -> None:
        """Write the verdict; a run that failed has none."""
        if self._text:
            sys.stderr.write(f"{self._text}\n")


def together(listeners: list[events.Listener]) -> events.Listener:
    """Combine listeners into one that calls each in order."""
    if not listeners:
        return events.ignore
    if len(listeners) == 1:
        return listeners[0]

    def each(event: events.Event) -> None:
        for one in listeners:
            one(event)

    return each
