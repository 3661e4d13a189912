"""Lists the files of label folders with size, times and inode, and takes a digest of all.

The times of the folders alone show whether a file was added, removed or renamed; they do not show
bytes that were changed in place. No Python code runs per file, as a data set of 300,000 images is
listed each time it is compared.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Final

import msgspec

from pixtrawl import durable

__all__ = ["FileFacts", "FolderListing", "FolderTimes"]

FileFacts = tuple[int, int, int, int]
"""Size, mtime, ctime and inode of a file, as `stat` gives them."""

_BATCH: Final = 1024
_NAME: Final = attrgetter("name")
_FACTS: Final = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_NONE: Final[FileFacts] = (-1, 0, 0, 0)  # of a dangling symlink
_CTIME: Final = itemgetter(2)
_DAY_S: Final = 86_400
_SETTLED_NS: Final = 2_000_000_000  # the coarsest step of a file system's times, FAT's


class FolderTimes:
    """The times of label folders at one moment, and a digest of them.

    The digest changes every day (UTC) and at every start of the system, so that files are checked
    again then for bytes changed in place or lost in a power cut.
    """

    def __init__(self, folders: Iterable[os.DirEntry[str]]) -> None:
        """Look at these folders, in their order. Raise OSError."""
        now_ns = time.time_ns()
        self._newest_ns: dict[str, int] = {}
        seen: list[object] = [durable.boot_id(), now_ns // (_DAY_S * 10**9)]
        for folder in folders:
            found = Path(folder.path).stat()
            self._newest_ns[folder.path] = max(found.st_mtime_ns, found.st_ctime_ns)
            seen.append((os.fsencode(folder.name), found.st_mtime_ns, found.st_ctime_ns,
                         found.st_ino, found.st_dev))  # fmt: skip
        self.digest = hashlib.blake2b(msgspec.msgpack.encode(seen), digest_size=32).digest()
        newest_ns = max(self._newest_ns.values(), default=0)
        self._settled = newest_ns < now_ns - _SETTLED_NS

    def vouching(self, listing: FolderListing) -> bytes | None:
        """Return the digest if it proves that files listed afterwards are unchanged, else None.

        It does not if a folder changed so recently that another change may leave the same time, or
        if a file is newer than its folder: it was changed in place, or the file system does not
        update the time of a folder.
        """
        older = all(
            newest_ns <= self._newest_ns.get(path, 0) + _SETTLED_NS
            for path, newest_ns in listing.newest_ns.items()
        )
        return self.digest if self._settled and older else None


class FolderListing:
    """The folders that were listed so far: the number of their files, and their digest.

    The digest depends on the order in which the system lists a folder. That order stays while the
    folder does; where it does not, files count as changed and are compared.
    """

    def __init__(self) -> None:
        self.files = 0
        self.newest_ns: dict[str, int] = {}  # change time of the youngest file, by folder
        self._hash = hashlib.blake2b(digest_size=32)

    def batches(
        self, folder: os.DirEntry[str]
    ) -> Iterator[tuple[tuple[str, ...], tuple[FileFacts, ...]]]:
        """Yield names and facts of a folder's entries, some at a time. Raise OSError."""
        self._hash.update(msgspec.msgpack.encode(os.fsencode(folder.name)))
        newest_ns = 0
        with _scanned(folder.path) as entries:
            while batch := list(islice(entries, _BATCH)):
                names = tuple(map(_NAME, batch))
                facts = _facts(batch)
                self.files += len(batch)
                newest_ns = max(newest_ns, *map(_CTIME, facts))
                self._hash.update(_encoded(names, facts))
                yield names, facts
        self.newest_ns[folder.path] = newest_ns

    def digest(self) -> bytes:
        """Return the digest of all that was listed."""
        return self._hash.digest()


def _encoded(names: tuple[str, ...], facts: tuple[FileFacts, ...]) -> bytes:
    try:
        return msgspec.msgpack.encode((names, facts))
    except UnicodeEncodeError:  # a name that is not UTF-8
        return msgspec.msgpack.encode((tuple(map(os.fsencode, names)), facts))


def _facts(entries: list[os.DirEntry[str]]) -> tuple[FileFacts, ...]:
    try:
        return tuple(map(_FACTS, map(os.DirEntry.stat, entries)))
    except OSError:
        return tuple(map(_facts_of, entries))


def _facts_of(entry: os.DirEntry[str]) -> FileFacts:
    try:
        found: FileFacts = _FACTS(entry.stat())
    except OSError:
        return _NONE
    return found


@contextlib.contextmanager
def _scanned(path: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Scan a folder by its descriptor where the system can: `stat` need not resolve paths then."""
    if os.scandir not in os.supports_fd:
        with os.scandir(path) as entries:
            yield entries
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        os.close(descriptor)
