"""Store of a run's robots rules: the latest in memory, all others in a temporary file.

A run meets any number of hosts, each with up to 500 KiB of rules. Rules beyond the memory limit go
to an unnamed file in the run's own folder, which vanishes with the process, so that no robots.txt
is fetched twice. The file is bounded, too: hosts beyond it are refused with that reason.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, Final

__all__ = ["FILE_BYTES", "MEMORY_BYTES", "RobotsStore"]

MEMORY_BYTES: Final = 8 * 2**20
FILE_BYTES: Final = 2**30


class RobotsStore:
    """Bytes by key, each kept until it is dropped. Not thread-safe."""

    def __init__(
        self,
        folder: Path | None,
        *,
        memory_bytes: int = MEMORY_BYTES,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        """The file is made in `folder` (None: where the system keeps temporary files)."""
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._file_bytes = file_bytes
        self._latest: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0
        self._places: dict[str, tuple[int, int]] = {}  # in the file: offset, size
        self._file: IO[bytes] | None = None
        self._end = 0

    def put(self, key: str, value: bytes) -> bool:
        """Keep a value; return False where there is no room for it: then it is not kept.

        Raises OSError where the file cannot be written.
        """
        if self._held_bytes + self._end + len(value) > self._memory_bytes + self._file_bytes:
            return False
        self._remember(key, value)
        while self._held_bytes > self._memory_bytes and len(self._latest) > 1:
            oldest, held = self._latest.popitem(last=False)
            self._held_bytes -= len(held)
            if oldest not in self._places:
                self._places[oldest] = self._write(held)
        return True

    def get(self, key: str) -> bytes | None:
        """Return the value of the key, None without one. Raises OSError."""
        value = self._latest.get(key)
        if value is not None:
            self._latest.move_to_end(key)
            return value
        place = self._places.get(key)
        return None if place is None else self._read(*place)

    def drop(self, key: str) -> None:
        """Forget a value; its bytes in the file stay there until the end."""
        self._held_bytes -= len(self._latest.pop(key, b""))
        self._places.pop(key, None)

    def _remember(self, key: str, value: bytes) -> None:
        before = self._latest.pop(key, None)
        self._held_bytes += len(value) - len(before or b"")
        self._latest[key] = value
        self._places.pop(key, None)

    def _write(self, value: bytes) -> tuple[int, int]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        self._file.seek(self._end)
        rest = memoryview(value)
        while rest:
            rest = rest[self._file.write(rest) :]
        place = self._end, len(value)
        self._end += len(value)
        return place

    def _read(self, offset: int, size: int) -> bytes:
        assert self._file is not None
        self._file.seek(offset)
        parts, left = [], size
        while left:
            part = self._file.read(left)
            if not part:
                raise OSError("the file of robots rules was cut")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    @property
    def held_bytes(self) -> int:
        """Bytes of values that lie in memory."""
        return self._held_bytes

    def close(self) -> None:
        """Give up the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
