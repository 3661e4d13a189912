"""The turn of decisions on one data set, and the files that follow from them."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pixtrawl.catalog.decisions import recorded as noted
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.folder.decisions import applying as taken, journal
from pixtrawl.pipeline.curating import deciding

__all__ = ["Settling"]

_QUIET_S: Final = 3.0  # after the last decision, until metadata.jsonl and others are written
_MOST_QUIET_S: Final = 60.0
_LEFT_S: Final = 1.0  # a command that records a decision carries it out sooner than that

Read = Callable[[Callable[[sqlite3.Connection], bool]], bool]


class _Interrupted(Exception):  # noqa: N818 - no error: a decision comes first
    """A decision is waiting."""


class Settling:
    """One decision at a time, each before any writing of derived files; thread-safe."""

    def __init__(self, folder: Folder, read: Read) -> None:
        """Begin with nothing to write. `read` calls a function with a connection to read by."""
        self._folder = folder
        self._read = read
        self._writing = threading.Lock()
        self._waiting = 0  # decisions that are being taken, or are to be
        self._counting = threading.Lock()
        self._decided_at_s = 0.0  # monotonic; 0: the derived files are as they should be
        self._is_own = False  # whether it is a decision of this studio that they lack
        self._left_since_s = 0.0  # monotonic; 0: no decision is left to be carried out
        self._quiet_s = _QUIET_S

    @property
    def is_at_work(self) -> bool:
        """Whether it is this very studio that writes the data set."""
        return self._writing.locked()

    def expect(self) -> None:
        """Write the derived files after a quiet time, though nothing was decided here.

        A studio that ends before leaves them to the next command.
        """
        self._decided_at_s = time.monotonic()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Hold the right to decide."""
        with self._counting:
            self._waiting += 1
        try:
            with self._writing:
                yield
                self._decided_at_s, self._is_own = time.monotonic(), True
        finally:
            with self._counting:
                self._waiting -= 1

    @contextmanager
    def following(self) -> Iterator[None]:
        """Hold the right to bring the catalog up to date with the disk: decisions wait for it."""
        with self._writing:
            yield

    def settle(self, *, closing: bool = False) -> None:
        """Carry out what is only recorded, and write the derived files after a quiet time.

        A decision taken while a command of the shell held the data set is carried out by nobody
        else. The derived files of 100,000 images take 15 s to write, hence not at each decision,
        and a decision ends the writing, which begins again after a longer quiet time.
        """
        if not self._writing.acquire(blocking=False):
            return
        try:
            waited_s = time.monotonic() - self._decided_at_s
            ready = self._is_own if closing else waited_s >= self._quiet_s
            due = self._decided_at_s > 0 and ready
            if (due or self._is_left(closing=closing)) and not in_use(self._folder):
                self._derive()
        finally:
            self._writing.release()

    def _is_left(self, *, closing: bool) -> bool:
        """Return whether a decision is recorded that nobody carries out: its command has ended."""
        if not self._read(self._is_pending):
            self._left_since_s = 0.0
            return False
        self._left_since_s = self._left_since_s or time.monotonic()
        return closing or time.monotonic() - self._left_since_s >= _LEFT_S

    def _is_pending(self, db: sqlite3.Connection) -> bool:
        if journal.size(self._folder) == noted.read_to(db):
            return False
        return taken.is_pending(db, self._folder)

    def _derive(self) -> None:
        begun_s = time.monotonic()
        try:
            deciding.derive(self._folder, self._go_on)
        except _Interrupted:
            self._quiet_s = min(2 * self._quiet_s, _MOST_QUIET_S)
            return
        except StorageError:  # no room, say: tried again, later each time
            self._quiet_s = min(2 * self._quiet_s, _MOST_QUIET_S)
            self._decided_at_s = time.monotonic()
            raise
        self._quiet_s = min(max(time.monotonic() - begun_s, _QUIET_S), _MOST_QUIET_S)
        self._decided_at_s, self._is_own = 0.0, False

    def _go_on(self) -> None:
        if self._waiting:
            raise _Interrupted
