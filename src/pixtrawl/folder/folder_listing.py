"""Lists the files of label folders with size, times and inode, and takes a digest of all.

Nothing is done in Python for a single file: a data set of 300,000 images is listed each time it is
opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import Final

import msgspec

__all__ = ["FileFacts", "FolderListing"]

FileFacts = tuple[int, int, int, int]
"""Size, mtime, ctime and inode of a file, as `stat` gives them."""

_BATCH: Final = 1024
_NAME: Final = attrgetter("name")
_FACTS: Final = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_NONE: Final[FileFacts] = (-1, 0, 0, 0)  # of a dangling symlink


class FolderListing:
    """The folders that were listed so far: the number of their files, and their digest.

    The digest depends on the order in which the system lists a folder. That order stays while the
    folder does; where it does not, files count as changed and are compared.
    """

    def __init__(self) -> None:
        self.files = 0
        self._hash = hashlib.blake2b(digest_size=32)

    def batches(
        self, folder: os.DirEntry[str]
    ) -> Iterator[tuple[tuple[str, ...], tuple[FileFacts, ...]]]:
        """Yield names and facts of a folder's entries, some at a time. Raise OSError."""
        self._hash.update(msgspec.msgpack.encode(os.fsencode(folder.name)))
        with _scanned(folder.path) as entries:
            while batch := list(islice(entries, _BATCH)):
                names = tuple(map(_NAME, batch))
                facts = _facts(batch)
                self.files += len(batch)
                self._hash.update(_encoded(names, facts))
                yield names, facts

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
