"""Where things lie in a data set folder, and the lock that keeps two runs apart."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from pixtrawl.errors import StorageError, UsageError

CONTROL: Final = ".pixtrawl"

_held: set[Path] = set()  # POSIX record locks do not exclude within one process


class Folder:
    """The paths of one data set; nothing is touched until `create`."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.control = self.root / CONTROL
        self.catalog = self.control / "catalog.sqlite3"
        self.staging = self.control / "staging"
        self.evidence = self.control / "evidence"
        self.quarantine = self.control / "quarantine"
        self.renditions = self.control / "renditions"
        self.lock_file = self.control / "lock"
        self.metadata = self.root / "metadata.jsonl"
        self.keyword_urls = self.root / "keyword_urls.txt"
        self.card = self.root / "README.md"
        self.attribution = self.root / "ATTRIBUTION.md"

    def create(self) -> None:
        """Makes the folders. Raises StorageError with the reason."""
        try:
            for folder in (self.staging, self.evidence, self.quarantine):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot create the data set folder {self.root}: {error}") from error

    def exists(self) -> bool:
        """Whether pixtrawl has written here before."""
        return self.catalog.exists() and self.catalog.stat().st_size > 0

    def require(self) -> None:
        """Raises UsageError where there is no data set."""
        if not self.exists():
            raise UsageError(
                f"{self.root} is no pixtrawl data set (no {CONTROL}/catalog.sqlite3); "
                "`pixtrawl run WORDS -o DIR` makes one"
            )


class Lock:
    """Held by the process that writes a data set; gone with that process, however it dies.

    A POSIX record lock (fcntl) belongs to the process and is inherited by no child, so a browser or
    decoder that outlives a killed run cannot keep the folder locked.
    """

    def __init__(self, folder: Folder) -> None:
        self._path = folder.lock_file
        self._key = folder.root.absolute()
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        if self._key in _held:
            raise StorageError(f"the data set {self._key} is in use by this very process")
        file = self._path.open("a+", encoding="ascii")
        # A run that was just killed may take a moment to be torn down by the system.
        deadline = time.monotonic() + 1.0
        while not _try_lock(file):
            if time.monotonic() > deadline:
                file.seek(0)
                holder = file.read(100).strip() or "unknown"
                file.close()
                raise StorageError(
                    f"the data set {self._key} is in use (process {holder}); "
                    "wait for that run or stop it"
                )
            time.sleep(0.05)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        _held.add(self._key)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _held.discard(self._key)
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        # The byte locked lies far behind the text, so that others can read who holds it.
        file.seek(2**20)
        with contextlib.suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False
else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        with contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False


def in_use(folder: Folder) -> bool:
    """Whether some process holds the lock right now; asks without keeping it."""
    if not folder.lock_file.exists():
        return False
    if folder.root.absolute() in _held:
        return True
    with folder.lock_file.open("a+", encoding="ascii") as file:
        return not _try_lock(file)
