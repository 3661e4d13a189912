"""The tasks of lost workers: which run again, how many at once, and which one ends workers.

Any of them may have ended the worker. They are given to a separate worker, fewer at once after each
loss and at last one at a time, so that a task that kills workers is found and costs no other task.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from pixtrawl.model import Task

__all__ = ["MOST_LOSSES", "Suspects"]

MOST_LOSSES: Final = 4  # the last two alone
_AT_ONCE: Final = {1: 16}  # by losses; alone from the second one on


class Suspects:
    """Tasks to be tried again apart from others. Pure."""

    def __init__(self) -> None:
        self._losses: dict[int, int] = {}  # by id of the task
        self._waiting: dict[bool, deque[Task]] = {False: deque(), True: deque()}  # by alone
        self._running: dict[int, bool] = {}  # id: alone

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values())) + len(self._running)

    def lost(self, tasks: Iterable[Task]) -> list[Task]:
        """Register that a worker was lost with these tasks; return those that end with it."""
        ended = []
        for task in tasks:
            self._running.pop(task.id, None)
            losses = self._losses[task.id] = self._losses.get(task.id, 0) + 1
            if losses >= MOST_LOSSES:
                del self._losses[task.id]
                ended.append(task)
            else:
                self._waiting[losses not in _AT_ONCE].append(task)
        return ended

    def again(self, task: Task) -> None:
        """Put a task back that was cancelled for another reason."""
        alone = self._running.pop(task.id, self._losses.get(task.id, 0) not in _AT_ONCE)
        self._waiting[alone].appendleft(task)

    def next(self) -> Task | None:
        """Return a task that may run now beside those that run, or None."""
        if True in self._running.values():
            return None
        crowd, alone = self._waiting[False], self._waiting[True]
        if crowd and len(self._running) < _AT_ONCE[1]:
            task = crowd.popleft()
            self._running[task.id] = False
            return task
        if alone and not crowd and not self._running:
            task = alone.popleft()
            self._running[task.id] = True
            return task
        return None

    def settled(self, task: Task) -> None:
        """Register that a task has its outcome."""
        self._running.pop(task.id, None)
        self._losses.pop(task.id, None)

    def clear(self) -> list[Task]:
        """Give up all tasks that do not run, and return them."""
        found = [task for waiting in self._waiting.values() for task in waiting]
        for waiting in self._waiting.values():
            waiting.clear()
        return found
