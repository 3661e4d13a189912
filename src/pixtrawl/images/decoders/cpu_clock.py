"""CPU time of a decoder process: the measure of how much work a file causes.

Wall-clock time says nothing about a file: a busy, paused or suspended machine makes every file
slow. On Linux and Windows the parent reads the process's clock, which a decoder that a file has
taken over cannot influence. Elsewhere (macOS) the decoder sets itself a timer of the same length.
Imports nothing of pixtrawl: the decoder program loads it, too.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

__all__ = ["CpuClock", "allowance_s", "cpu_clock", "limit_own_cpu"]

CpuClock = Callable[[], float | None]
"""Returns the CPU seconds that a process has used, or None when it is gone."""

_BYTES_PER_SECOND: Final = 4 * 2**20  # each so many bytes of a file allow one second more
_QUERY_LIMITED: Final = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_FILETIME_HZ: Final = 1e7


def allowance_s(timeout_s: float, size_bytes: int) -> float:
    """Return the CPU seconds that a file of this size may cost."""
    return timeout_s + size_bytes / _BYTES_PER_SECOND


def cpu_clock(pid: int, platform: str = sys.platform) -> CpuClock | None:
    """Return the clock of a running process; None where this system lets no other process read it.

    A read takes 0.4 microseconds on Linux.
    """
    try:
        if platform == "linux":
            return _posix_clock(pid)
        if platform == "win32":
            return _windows_clock(pid)
    except (OSError, AttributeError):  # a C library or kernel without these calls
        return None
    return None


def limit_own_cpu(seconds: float) -> None:
    """Let the system end this process after so much more CPU time; 0 lifts the limit. POSIX only.

    A new limit replaces the one before.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _posix_clock(pid: int) -> CpuClock:
    clock = ctypes.c_int()
    number = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
    if number:
        raise OSError(number, os.strerror(number))

    def read() -> float | None:
        try:
            return time.clock_gettime(clock.value)
        except OSError:
            return None

    if read() is None:
        raise ProcessLookupError(f"no process {pid}")
    return read


def _windows_clock(pid: int) -> CpuClock:
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(_QUERY_LIMITED, False, pid)
    if not handle:
        raise ProcessLookupError(f"no process {pid}")
    held = _Handle(kernel, handle)
    times = [ctypes.c_uint64() for _ in range(4)]  # creation, exit, kernel, user

    def read() -> float | None:
        process = ctypes.c_void_p(held.handle)
        if not kernel.GetProcessTimes(process, *(ctypes.byref(one) for one in times)):
            return None
        return (times[2].value + times[3].value) / _FILETIME_HZ

    return read


class _Handle:
    """A Windows process handle, closed with the clock that holds it."""

    def __init__(self, kernel: object, handle: int) -> None:
        self._kernel = kernel
        self.handle = handle

    def __del__(self) -> None:
        self._kernel.CloseHandle(ctypes.c_void_p(self.handle))  # type: ignore[attr-defined]
