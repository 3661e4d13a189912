"""Work of seconds or minutes on one data set: in a thread of its own, with its progress known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from pixtrawl.numeric import give_back

__all__ = ["LongWork", "OnProgress"]

T = TypeVar("T")

OnProgress = Callable[[float], None]  # the share that is done; it raises where the studio ends


class _Closed(Exception):  # noqa: N818 - ends the work, and is no error
    """The studio ends, or a person wants no result any more."""


class LongWork(Generic[T]):
    """One kind of work, whose last result is kept; its methods may be called by any thread."""

    def __init__(self, name: str, turn: threading.Lock, is_closing: Callable[[], bool]) -> None:
        """Begin nothing yet. Of all with one `turn` a single one is at work at a time."""
        self._name = name
        self._turn = turn
        self._is_closing = is_closing
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._key: Hashable = None
        self.result: T | None = None
        self.done = 0.0  # share of the work
        self.problem = ""

    def want(self, key: Hashable, make: Callable[[OnProgress], T]) -> None:
        """Begin to make the result unless it is there by this key, or any is being made."""
        with self._lock:
            at_work = self._thread is not None and self._thread.is_alive()
            if at_work or (key == self._key and (self.result is not None or self.problem)):
                return
            self.done, self.problem = 0.0, ""
            self._stopped.clear()
            # a daemon: `on_progress` ends it soon, but a person who presses Ctrl-C need not wait
            self._thread = threading.Thread(
                target=self._make, args=(key, make), name=self._name, daemon=True
            )
            self._thread.start()

    def wait(self, patience_s: float) -> T | None:
        """Return the result, after some waiting for the work at hand; None where it is not there.

        A former result is returned only where no newer one is being made.
        """
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(patience_s)
            if thread.is_alive():
                return None
        return self.result

    def stop(self) -> None:
        """End the work at hand soon, without a result; a former one stays."""
        self._stopped.set()

    def forget(self) -> None:
        """Make it anew when it is wanted next."""
        with self._lock:
            self._key = None

    def put(self, key: Hashable, result: T) -> None:
        """Take a result that was made before."""
        with self._lock:
            self._key, self.result = key, result

    def _make(self, key: Hashable, make: Callable[[OnProgress], T]) -> None:
        with self._turn:  # two of them at once would only take each other's processor
            give_back()
            try:
                result = make(self._on_progress)
            except _Closed:
                return
            except Exception as error:  # noqa: BLE001 - shown in the page, not on a thread's stderr
                self._key, self.problem = key, str(error) or repr(error)
                return
            finally:
                give_back()
        self._key, self.result = key, result

    def _on_progress(self, done: float) -> None:
        self.done = done
        if self._is_closing() or self._stopped.is_set():
            raise _Closed
