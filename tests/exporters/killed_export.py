"""An export that ends its own process, as SIGKILL does, at a given point.

The points are counted over everything that reaches the disk: each write into a temporary file, and
each rename, before it and after it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

from pixtrawl.exporters.base import Sharding
from pixtrawl.exporters.export import ExportOptions, export
from pixtrawl.exporters.splits import Splitting, parse_shares
from tests.exporters import dataset

OPTIONS = ExportOptions(
    splitting=Splitting(shares=parse_shares("train=0.6,val=0.2,test=0.2")),
    sharding=Sharding(max_images=7),
)


def arm(point: int) -> None:
    left = point

    def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    rename, open_ = Path.replace, Path.open

    def replace(self: Path, goal: Path) -> Path:
        step()
        done = rename(self, goal)
        step()
        return done

    def counted(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        file = open_(self, mode, *rest, **more)
        if "w" not in mode or self.suffix != ".part":
            return file
        step()
        return _Counted(file, step)

    Path.replace = replace  # type: ignore[assignment, method-assign]
    Path.open = counted  # type: ignore[method-assign]


class _Counted:
    """A file whose every write is a point at which the process may end, half of it written."""

    def __init__(self, file: Any, step: Any) -> None:
        self._file, self._step = file, step

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: Any) -> int:
        self._file.write(bytes(data)[: len(data) // 2])
        self._file.flush()
        self._step()
        self._file.write(bytes(data)[len(data) // 2 :])
        return len(data)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)


def run(root: Path, out: Path, to: str, point: int) -> None:
    """Export; the process ends at the point."""
    samples = dataset.dataset(root, format_of=dataset.mixed)
    arm(point)
    export(samples, root, out, to, OPTIONS)


def killed(root: Path, out: Path, to: str, point: int) -> int | None:
    """Do so in a process that is forked from one with all imports done; return its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=run, args=(root, out, to, point))
    process.start()
    process.join()
    return process.exitcode
