"""The paths of one data set, and the lock that allows one writer at a time."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import IO, Self

from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder import layout
from pixtrawl.folder.locks import file_lock

__all__ = ["DatasetLock", "Folder", "holds", "in_use"]

_held: set[Path] = set()  # POSIX record locks do not exclude within one process
_holding = threading.Lock()


class Folder:
    """The paths of one data set; creates nothing before `create`.

    `root` is absolute, so a later change of the working directory does not matter; `shown` is the
    path as given, for messages.
    """

    def __init__(self, root: Path | str, *, durable: bool = True) -> None:
        """`durable` is whether files placed here must survive a power cut, too."""
        self.durable = durable
        self.shown = os.fspath(root)
        self.root = Path(root).absolute()
        self.old_control = self.root / layout.OLD_CONTROL
        self.own_catalog = self.root / layout.CATALOG
        self.lock_file = self.root / layout.LOCK
        self.decisions = self.root / layout.DECISIONS
        self.metadata = self.root / layout.METADATA
        self.keyword_urls = self.root / layout.KEYWORD_URLS
        self.card = self.root / layout.CARD
        self.attribution = self.root / layout.ATTRIBUTION

    @property
    def staging(self) -> Path:
        """The folder of staged files (`layout.staged_name`); on the same file system as images."""
        return self.root

    @property
    def catalog(self) -> Path:
        """The path of the catalog; write to it only while holding `DatasetLock`.

        If it is missing or empty, it is a temporary catalog made from metadata.jsonl, for reading
        only.
        """
        own = self.own_catalog
        if _has_content(own):
            return own
        old = self.old_control / "catalog.sqlite3"
        if _has_content(old):
            return old
        if self.is_bare():
            from pixtrawl.folder.bare import catalog_of

            return catalog_of(self.root, self.metadata)
        return own

    def is_bare(self) -> bool:
        """Return whether there is a metadata.jsonl of pixtrawl's but no catalog."""
        if self._has_catalog() or not _has_content(self.metadata):
            return False
        from pixtrawl.folder.bare import is_ours

        return is_ours(self.metadata)

    def _has_catalog(self) -> bool:
        return _has_content(self.own_catalog) or _has_content(self.old_control / "catalog.sqlite3")

    def is_lost(self) -> bool:
        """Return whether the catalog is missing or empty beside what a data set has left.

        Such a folder is never a new data set: `finished.rebuilding` makes its catalog again.
        """
        if self._has_catalog():
            return False
        if _has_content(self.decisions) or self.is_bare():
            return True
        if not any(map(_has_content, (self.keyword_urls, self.attribution))):
            return False
        from pixtrawl.folder.on_disk import has_numbered

        return has_numbered(self.root)

    def create(self) -> None:
        """Create the folder. Raise UsageError for a URL, StorageError if that fails."""
        if layout.is_url(self.shown):
            raise UsageError(
                f"{self.shown} is a URL, and images go into a local folder: name one with -o; "
                "`pixtrawl download MANIFEST -o URL` makes a set of shards"
            )
        if layout.is_shards(self.root) and (self.root / "shards").is_dir():
            raise UsageError(
                f"{self.shown} is a set of shards, and images go into a folder of their own: name "
                "another with -o"
            )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot create the folder {self.shown}: {error}") from error

    def exists(self) -> bool:
        """Return whether there is a data set that can be read."""
        return self._has_catalog() or self.is_bare()

    def require(self) -> None:
        """Raise UsageError if there is no data set, StorageError if all of its rows are lost."""
        if not self.exists():
            self.require_catalog()
            self.refuse_shards()
            if not self.root.exists():
                raise UsageError(
                    f"{self.shown} is no pixtrawl data set: there is no such folder; "
                    f"`pixtrawl run WORDS -o {quote(str(self.shown))}` makes one"
                )
            raise UsageError(
                f"{self.shown} is no pixtrawl data set (no {layout.CATALOG}, no {layout.METADATA} "
                "of pixtrawl's); `pixtrawl run WORDS -o DIR` makes one"
            )

    def refuse_shards(self) -> None:
        """Raise UsageError, which names the command that makes a folder, for a set of shards."""
        if layout.is_shards(self.shown):
            raise UsageError(layout.needs_folder(self.shown))

    def require_catalog(self) -> None:
        """Raise StorageError, which names the next step, if the catalog is lost."""
        if self.is_lost():
            raise StorageError(
                f"{self.shown} has lost its catalog ({layout.CATALOG} is missing or empty); "
                f"`pixtrawl verify --repair {self.shown}` makes it again from what is there"
            )


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


class DatasetLock:
    """The lock of the process that writes a data set; released when that process dies.

    Entering it migrates the layout of an older version. Raises StorageError if the data set is in
    use or cannot be written; also if its catalog is lost, unless the caller makes it again
    (`rebuilds`).
    """

    def __init__(self, folder: Folder, *, rebuilds: bool = False) -> None:
        self._folder = folder
        self._rebuilds = rebuilds
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        folder = self._folder
        with _holding:
            if folder.root in _held:
                raise StorageError(
                    f"the data set {folder.root} is in use by this very process; close it first"
                )
            _held.add(folder.root)
        try:
            folder.create()
            self._file = file_lock.acquire(folder.lock_file, folder.root)
            if folder.old_control.is_dir():
                from pixtrawl.folder.takeover import take_over

                take_over(folder.root)
            if not self._rebuilds:
                folder.require_catalog()
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
        # In this order: closing the file drops the record lock even of a thread that took it since.
        try:
            if self._file is not None:
                file_lock.release(self._file)
        finally:
            self._file = None
            _held.discard(self._folder.root)


def in_use(folder: Folder) -> bool:
    """Return whether any process holds the lock now; does not take it."""
    # Not while a thread here takes the lock: closing any handle of a file drops the record locks
    # that this process has on it, so a look at the wrong moment would free the data set.
    with _holding:
        return folder.root in _held or file_lock.is_held(folder.lock_file)


def holds(folder: Folder) -> bool:
    """Return whether this process holds the lock."""
    return folder.root in _held
