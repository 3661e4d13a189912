"""Load numpy with single-threaded BLAS, unless it is loaded already.

Matrices here are small: BLAS threads would wait for each other in busy loops, beside decoders that
need every core (measured with 2,000 images on two cores: 9.7 s of CPU time in this process, 4.1 s
with one thread).

It also fixes glibc's mmap threshold: arrays of an index grow by copying, and glibc, which raises
the threshold to the size of each freed block (mallopt(3), M_MMAP_THRESHOLD), would keep the old
ones: 0.4 KB for each of 100,000 images.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Final

__all__ = ["give_back", "load_numpy"]

_LARGE_BYTES: Final = 4 * 2**20
# malloc.h: M_MMAP_THRESHOLD, and M_TRIM_THRESHOLD, which must then be set, too (at its default of
# 128 KiB every product of a query is paged in again: 235 us instead of 85).
_MALLOC_OPTIONS: Final = ((-3, _LARGE_BYTES), (-1, 4 * _LARGE_BYTES))
_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def load_numpy() -> None:
    """Import numpy, and restore the environment variables that were set for the import."""
    if "numpy" in sys.modules:
        return
    ours = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    try:
        import numpy  # noqa: F401
    finally:
        for name in ours:
            with suppress(KeyError):
                del os.environ[name]
    if sys.platform == "linux":
        with suppress(AttributeError):  # a C library without mallopt
            mallopt = _c_library().mallopt
            for option, value in _MALLOC_OPTIONS:
                mallopt(option, value)


def give_back() -> None:
    """Give freed memory back to the system, where the C library can (glibc): some milliseconds.

    For a process that stays after work of some seconds, whose many small arrays leave holes.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):
            _c_library().malloc_trim(0)


@lru_cache(maxsize=1)
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)
