"""The paths of one data set, and the lock that keeps two runs apart."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder import file_lock, layout

__all__ = ["DatasetLock", "Folder", "in_use"]

_held: set[Path] = set()  # POSIX record locks do not exclude within one process
_holding = threading.Lock()


class Folder:
    """The paths of one data set; nothing is touched until `create`.

    `root` is absolute, so that a change of the working directory later does no harm; `shown` is as
    it was given, for messages.
    """

    def __init__(self, root: Path | str) -> None:
        self.shown = os.fspath(root)
        self.root = Path(root).absolute()
        self.old_control = self.root / layout.OLD_CONTROL
        self.lock_file = self.root / layout.LOCK
        self.decisions = self.root / layout.DECISIONS
        self.metadata = self.root / layout.METADATA
        self.keyword_urls = self.root / layout.KEYWORD_URLS
        self.card = self.root / layout.CARD
        self.attribution = self.root / layout.ATTRIBUTION

    @property
    def staging(self) -> Path:
        """Where staged files lie (`layout.staged_name`): on one file system with their places."""
        return self.root

    @property
    def catalog(self) -> Path:
        """The catalog; to be written while the lock is held, which takes older layouts over.

        Of a data set without its control part it is one made from metadata.jsonl, to be read only.
        """
        own = self.root / layout.CATALOG
        if own.exists():
            return own
        old = self.old_control / "catalog.sqlite3"
        if _has_content(old):
            return old
        if self.is_bare():
            from pixtrawl.folder.bare import catalog_of

            return catalog_of(self.root, self.metadata)
        return own

    def is_bare(self) -> bool:
        """Whether the control part is missing: metadata.jsonl is there, and no catalog."""
        if _has_content(self.root / layout.CATALOG):
            return False
        if _has_content(self.old_control / "catalog.sqlite3") or not _has_content(self.metadata):
            return False
        from pixtrawl.folder.bare import is_ours

        return is_ours(self.metadata)

    def create(self) -> None:
        """Makes the folder. Raises StorageError with the reason."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot create the folder {self.shown}: {error}") from error

    def exists(self) -> bool:
        """Whether there is a data set that can be read."""
        return (
            _has_content(self.root / layout.CATALOG)
            or _has_content(self.old_control / "catalog.sqlite3")
            or self.is_bare()
        )

    def require(self) -> None:
        """Raises UsageError where there is no data set."""
        if not self.exists():
            raise UsageError(
                f"{self.shown} is no pixtrawl data set (no {layout.CATALOG}, no {layout.METADATA} "
                "of pixtrawl's); `pixtrawl run WORDS -o DIR` makes one"
            )

    def require_control(self) -> None:
        """Raises StorageError where only what is derived from the catalog was copied here."""
        if self.is_bare():
            raise StorageError(
                f"{self.shown} is a copy without its hidden files ({layout.CATALOG}): it can be "
                f"read and exported, and nothing in it is changed. Copy the data set again with "
                f"them (`cp -a SOURCE/. {self.shown}`), or write into another folder"
            )


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


class DatasetLock:
    """Held by the process that writes a data set; gone with that process, however it dies.

    Whoever holds it finds the present layout: one of an older version has been taken over.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        folder = self._folder
        with _holding:
            if folder.root in _held:
                raise StorageError(f"the data set {folder.root} is in use by this very process")
            _held.add(folder.root)
        try:
            folder.create()
            folder.require_control()
            self._file = file_lock.acquire(folder.lock_file, folder.root)
            if folder.old_control.is_dir():
                from pixtrawl.folder.takeover import take_over

                take_over(folder.root)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _held.discard(self._folder.root)
        if self._file is not None:
            file_lock.release(self._file)
            self._file = None


def in_use(folder: Folder) -> bool:
    """Whether some process holds the lock right now; asks without keeping it."""
    return folder.root in _held or file_lock.is_held(folder.lock_file)
