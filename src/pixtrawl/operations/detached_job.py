"""Starts a run in a process of its own, which outlives the one that asked for it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import IO, Any, Final

from pixtrawl.config.groups import Config
from pixtrawl.errors import EngineError, UsageError
from pixtrawl.operations.job import JobRecord, RunJob
from pixtrawl.operations.job_request import JobRequest

__all__ = ["READY", "DetachedJob", "start_detached"]

READY: Final = b"ready\n"
_MOST_TOLD_BYTES: Final = 4096


class DetachedJob:
    """A started process; `record` finds its job again after this process has ended."""

    def __init__(self, record: JobRecord, process: subprocess.Popen[bytes]) -> None:
        self.record = record
        self._process = process

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended; to be asked now and then, so that no zombie is left."""
        return self._process.poll() is not None


def start_detached(request: JobRequest, config: Config) -> DetachedJob:
    """Start a run and return once its process has taken the job over: a second or two.

    The settings go to the process through a pipe: they may hold keys, which belong neither into a
    file nor into a command line.

    Raises:
        UsageError: the request cannot be carried out.
        EngineError: the process does not start.
    """
    record = RunJob.new(request, config).record
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pixtrawl.operations.job_process"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(one or "." for one in sys.path)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            **_apart(),
        )  # fmt: skip
    except OSError as error:
        raise EngineError(f"the process of the job does not start: {error}") from error
    answer = _handed_over(process, pickle.dumps((record, config)))
    if answer != READY:
        process.wait()
        message = answer.decode("utf-8", "replace").strip()
        if message:
            raise UsageError(message)
        raise EngineError(
            "the process of the job ended at once; run the same job on the command line to see why"
        )
    return DetachedJob(record, process)


def _handed_over(process: subprocess.Popen[bytes], message: bytes) -> bytes:
    """Send the message, and return the first line of the answer; b"" where there is none."""
    streams: tuple[IO[bytes] | None, IO[bytes] | None] = (process.stdin, process.stdout)
    to, answer = streams
    if to is None or answer is None:
        raise EngineError("the process of the job has no pipes")
    with answer:
        try:
            with to:
                to.write(message)
        except BrokenPipeError:  # it has ended already; its answer says why
            return b""
        return answer.readline(_MOST_TOLD_BYTES)


def _apart() -> dict[str, Any]:
    """Return the options that keep the end of this process, and Ctrl-C, from the new one."""
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        return {
            "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.CREATE_NO_WINDOW
            | subprocess.CREATE_BREAKAWAY_FROM_JOB
        }
    return {"start_new_session": True}
