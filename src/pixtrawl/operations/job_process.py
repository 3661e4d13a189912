"""The program of a process that carries out one job and outlives whoever asked for it.

It reads a pickled job and its settings from standard input, answers one line, and then has no
terminal and no pipe any more. SIGTERM ends the run gracefully, as one that can go on.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from typing import Final

from pixtrawl.errors import PixtrawlError
from pixtrawl.operations.detached_job import READY
from pixtrawl.operations.job import RunJob

__all__ = ["main"]

_LOOK_S: Final = 1.0  # a signal is taken between two looks on Windows


def main() -> int:
    """Carry out the job. Return the exit code: 0 unless it could not begin."""
    record, config = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own parent wrote it
    try:
        job = RunJob(record, config)
        job.start()
    except PixtrawlError as error:
        _answer(f"{error}\n".encode())
        return error.exit_code
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: job.cancel(closing=True))
    _answer(READY)
    while job.is_at_work:
        job.join(_LOOK_S)
    return 0


def _answer(line: bytes) -> None:
    """Write the line, and let go of the pipe: the asker may end, and nothing more is read."""
    with contextlib.suppress(OSError):
        os.write(1, line)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    os.close(null)


if __name__ == "__main__":
    sys.exit(main())
