"""Rows of bytes in a temporary file without a name: written once, read in blocks, all alike."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any, Final

import numpy as np

from pixtrawl.errors import StorageError

__all__ = ["SpilledRows"]

_BLOCK_BYTES: Final = 2**19

Array = np.ndarray[Any, Any]


class SpilledRows:
    """Rows of signed bytes; not thread-safe. The file goes with the object, or with the process."""

    def __init__(self) -> None:
        """Hold no row yet."""
        self._file: IO[bytes] | None = None
        self._width = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Array) -> None:
        """Append rows, all of one width. Raise StorageError where there is no room for them."""
        try:
            if self._file is None:
                self._file, self._width = tempfile.TemporaryFile(), rows.shape[1]  # noqa: SIM115
            self._file.seek(self._count * self._width)
            self._file.write(rows.tobytes())
            self._file.flush()
        except OSError as error:
            raise StorageError(
                f"vectors cannot be kept in a temporary file: {error}; make room in "
                f"{tempfile.gettempdir()}, or name another folder by TMPDIR"
            ) from error
        self._count += len(rows)

    def blocks(self) -> Iterator[Array]:
        """Yield the rows in their order, some at a time; a block is valid until the next one."""
        if self._file is None or not self._count:
            return
        most = max(1, _BLOCK_BYTES // self._width)
        buffer = np.empty((most, self._width), np.int8)
        self._file.seek(0)
        for start in range(0, self._count, most):
            block = buffer[: min(most, self._count - start)]
            self._fill(block)
            yield block

    def _fill(self, block: Array) -> None:
        assert self._file is not None
        data = self._file.read(block.nbytes)
        if len(data) != block.nbytes:
            raise StorageError("a temporary file is shorter than what was written to it")
        block.reshape(-1)[:] = np.frombuffer(data, np.int8)

    def close(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._count = None, 0
