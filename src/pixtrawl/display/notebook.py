"""Progress in a notebook: one output, updated in place by a display handle."""

from __future__ import annotations

import contextvars
import html
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import Any, Final

from pixtrawl import events
from pixtrawl.display.lines import bars
from pixtrawl.display.progress import Progress
from pixtrawl.display.screen import clean
from pixtrawl.display.verdict import verdict

DRAWN_EVERY_S: Final = 0.3
_REMARKS: Final = 6  # the number of latest remarks shown


def shell() -> Any:
    """Return the shell of the notebook (Jupyter, Colab, VS Code); None outside of one.

    IPython in a terminal has no kernel and cannot update an output, so it yields None.
    """
    ipython = sys.modules.get("IPython")
    current = ipython.get_ipython() if ipython is not None else None
    return current if current is not None and hasattr(current, "kernel") else None


class NotebookProgress(Progress):
    """A Listener with one output of its own; at the end the verdict replaces the progress."""

    def __init__(
        self,
        *,
        things: str = "images",
        show: Callable[..., Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(write=self._remember, clock=clock)
        self._things = things
        self._show = show or _display()
        self._remarks: deque[str] = deque(maxlen=_REMARKS)
        self._handle: Any = None
        self._drawn = ""
        self._report: Any = None
        self._over = threading.Event()
        # Copy the context: it decides which cell the thread's outputs go to.
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._keep_drawn,),
            name="pixtrawl-notebook", daemon=True,
        )  # fmt: skip

    def __enter__(self) -> NotebookProgress:
        self._handle = self._show(_bundle("starting"), raw=True, display_id=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._draw()

    def tick(self, event: events.Event) -> None:
        """Keep the report for the last update."""
        if isinstance(event, events.RunFinished):
            self._report = event.report

    def text(self) -> str:
        """Return the text to show: the progress or, after the run, the verdict; then remarks."""
        if self._report is not None:
            shown = verdict(self._report, things=self._things)
        else:
            with self._lock:
                shown = "\n".join(bars(self.tally, self.clock()))
        return "\n".join([shown, *self._remarks])

    def _remember(self, line: str) -> None:
        self._remarks.append(clean(line))

    def _keep_drawn(self) -> None:
        while not self._over.wait(DRAWN_EVERY_S):
            self._draw()

    def _draw(self) -> None:
        text = self.text()
        if text != self._drawn:
            self._drawn = text
            self._handle.update(_bundle(text), raw=True)


def _bundle(text: str) -> dict[str, str]:
    style = "margin:0;line-height:1.3;white-space:pre-wrap"
    return {"text/plain": text, "text/html": f'<pre style="{style}">{html.escape(text)}</pre>'}


def _display() -> Callable[..., Any]:
    # imported by name: IPython is present in a notebook and is no dependency
    show: Callable[..., Any] = import_module("IPython.display").display
    return show
