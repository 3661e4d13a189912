"""numpy with one thread, where nobody has loaded it before.

What is multiplied here is small: BLAS threads wait for each other in busy loops, next to decoders
that need every core (measured with 2,000 images on two cores: 9.7 s of processor time in this
process, 4.1 s with one thread).

And what is large is given back: arrays of an index grow by being copied, and glibc, which takes the
size of each block freed for usual (mallopt(3), M_MMAP_THRESHOLD), would keep the old ones: 0.4 KB
for each of 100,000 images.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from typing import Final

__all__ = ["load_numpy"]

_LARGE_BYTES: Final = 4 * 2**20
# malloc.h: M_MMAP_THRESHOLD, and M_TRIM_THRESHOLD, which does not follow the other once that is set
# (128 KiB, and every product of a query would be paged in anew: 235 us instead of 85).
_MALLOC_OPTIONS: Final = ((-3, _LARGE_BYTES), (-1, 4 * _LARGE_BYTES))
_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def load_numpy() -> None:
    """Imports it; the environment that it reads while loading is put back afterwards."""
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
        with suppress(AttributeError):  # another C library has no such thing
            mallopt = ctypes.CDLL(None).mallopt
            for option, value in _MALLOC_OPTIONS:
                mallopt(option, value)
