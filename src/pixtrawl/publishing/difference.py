"""Compare files with those of a repository. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct

__all__ = ["Change", "Difference", "FileChange", "LocalFile", "RemoteFile", "compare"]


class Change(StrEnum):
    """The change of a file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REMOVED = "removed"


class LocalFile(Struct, frozen=True, kw_only=True):
    """A file to publish, with all hashes by which a repository may know it."""

    size_bytes: int
    sha256: str
    git_sha1: str

    @property
    def hashes(self) -> frozenset[str]:
        """SHA-256, git's hash, and git's hash of the pointer that stands for a large file."""
        pointer = (
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{self.sha256}\nsize {self.size_bytes}\n"
        ).encode()
        blob = b"blob %d\0" % len(pointer) + pointer
        pointer_sha1 = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
        return frozenset({self.sha256, self.git_sha1, pointer_sha1})


class RemoteFile(Struct, frozen=True, kw_only=True):
    """A file of the repository: the Hub gives the SHA-256 of large ones, git's hash of all."""

    size_bytes: int
    git_sha1: str
    sha256: str | None = None

    def is_same(self, file: LocalFile) -> bool:
        """Return whether it has the content of a local file."""
        return self.hash in file.hashes

    @property
    def hash(self) -> str:
        """The hash of its content."""
        return self.sha256 or self.git_sha1


class FileChange(Struct, frozen=True, kw_only=True):
    """A file and what becomes of it; the size is that after the change, or of what is removed."""

    name: str
    change: Change
    size_bytes: int


class Difference(Struct, frozen=True, kw_only=True):
    """All files, and those that somebody else changed or put there."""

    files: tuple[FileChange, ...]
    foreign: tuple[str, ...] = ()  # would be overwritten or removed

    def of(self, *changes: Change) -> list[FileChange]:
        """Return the files of these changes."""
        return [file for file in self.files if file.change in changes]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return files and bytes by change, all four of them."""
        return {
            change.value: {
                "files": len(self.of(change)),
                "bytes": sum(file.size_bytes for file in self.of(change)),
            }
            for change in Change
        }

    @property
    def to_send(self) -> list[FileChange]:
        return self.of(Change.NEW, Change.CHANGED)

    @property
    def is_empty(self) -> bool:
        return not self.of(Change.NEW, Change.CHANGED, Change.REMOVED)


def compare(
    local: Mapping[str, LocalFile],
    remote: Mapping[str, RemoteFile],
    published: Mapping[str, frozenset[str]],
    *,
    manifest: str,
    patterns: Sequence[str] = (),
) -> Difference:
    """Return the difference between what is to be there and what is.

    Args:
        local: the files to publish, by name.
        remote: the files of the repository.
        published: hashes of the files as an earlier publish left them. Only these are removed,
            and only these, unchanged since, are overwritten without being named as foreign.
        manifest: the file that `published` was read from; it names all but itself.
        patterns: by which the data set is read. Files of others that match one would be read as
            images of it: they are removed, and named as foreign.
    """
    files = [*_files(local, remote)]
    others = remote.keys() - local.keys() - published.keys()
    read = {name for name in others if any(fnmatchcase(name, one) for one in patterns)}
    gone = sorted(((published.keys() - local.keys()) & remote.keys()) | read)
    files += [
        FileChange(name=name, change=Change.REMOVED, size_bytes=remote[name].size_bytes)
        for name in gone
    ]
    foreign = [
        file.name
        for file in files
        if file.change is Change.CHANGED
        and not (file.name == manifest and published)
        and remote[file.name].hash not in published.get(file.name, frozenset())
    ]
    return Difference(files=tuple(files), foreign=(*foreign, *sorted(read)))


def _files(
    local: Mapping[str, LocalFile], remote: Mapping[str, RemoteFile]
) -> Iterator[FileChange]:
    for name, file in sorted(local.items()):
        there = remote.get(name)
        if there is None:
            change = Change.NEW
        else:
            change = Change.SAME if there.is_same(file) else Change.CHANGED
        yield FileChange(name=name, change=change, size_bytes=file.size_bytes)
