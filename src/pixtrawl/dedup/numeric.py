"""numpy with one thread, where nobody has loaded it before.

What is multiplied here is small: BLAS threads wait for each other in busy loops, next to decoders
that need every core (measured with 2,000 images on two cores: 9.7 s of processor time in this
process, 4.1 s with one thread).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final

__all__ = ["load_numpy"]

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
