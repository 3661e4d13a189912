"""The event loop and the settings of a process that fetches: the command and each worker."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

__all__ = ["SWITCH_S", "new_event_loop", "tune_process", "use_batch_scheduling"]

# A run makes few reference cycles: collecting every 700 objects takes 2 % of a run without checks.
_GC_AFTER: Final = 20_000  # objects
# The catalog's thread may hold the interpreter for so long while libcurl, which asks for it with
# every piece of a body, waits: with Python's 5 ms a download without checks takes 2 to 6 % longer,
# and 5 % less processor time; a full job is the same.
SWITCH_S: Final = 0.001


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop where it is installed (not on Windows), else asyncio's own loop."""
    import asyncio  # slow to import, and this module serves every command

    try:
        import uvloop
    except ImportError:
        if sys.platform == "win32":  # the proactor loop has no add_reader, which curl needs
            return asyncio.SelectorEventLoop()
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def tune_process() -> None:
    """Set garbage collection and the limit of open files; call it once all modules are loaded."""
    from pixtrawl.net.open_files import raise_limit

    # Objects of the start-up stay to the end: scanning them again and again takes 5 % of a run.
    gc.freeze()
    gc.set_threshold(_GC_AFTER)
    raise_limit()


def use_batch_scheduling() -> None:
    """Switch to SCHED_BATCH (Linux): a waking thread no longer preempts a running decoder.

    Otherwise the event loop preempts a decoder four times a picture for a few microseconds of
    work. A full job takes a third less kernel time and 1 to 4 % less in all; interactive programs
    get priority.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # a container may forbid it, and nothing depends on it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
