"""Supply standard streams and the like where a service or cron job lacks them."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

__all__ = ["give_up_stderr", "heed_sigterm", "open_streams", "speak_utf8"]

_MODES: Final = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)


def open_streams() -> None:
    """Open closed standard streams on the null device.

    Otherwise the next opened file, perhaps the catalog, gets such a number, and messages are
    written into it.
    """
    for number, mode in enumerate(_MODES):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def give_up_stderr() -> None:
    """Discard output that standard error refuses, so that Python does not exit with 120."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def heed_sigterm() -> None:
    """Let SIGTERM interrupt a command as Ctrl-C does, unless whoever started it has it ignored.

    By itself it ends the process at once, and temporary folders stay. A command with an event loop
    has its own handler (cli.loop).
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def speak_utf8() -> None:
    """Restart Python in UTF-8 mode where file names would be ASCII.

    Python does so by itself in the C locale, unless it is set not to: names on the disk are UTF-8
    all the same, and could not be written into any file of the data set.
    """
    if sys.getfilesystemencoding() != "ascii" or "utf8" in sys._xoptions or not sys.executable:
        return
    environment = {**os.environ, "PYTHONUTF8": "1"}
    words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    os.execve(sys.executable, words, environment)  # noqa: S606 - the same program once more
