"""Builds what a power cut can leave of a recorded run: a crash-consistency model in small.

After ALICE (Pillai et al., OSDI 2014) and CrashMonkey (Mohan et al., OSDI 2018). Bytes are safe once
their file was synced, names once their directory was. Of what is not safe:

- each write to a file is there, lost, or zeros with the size kept;
- the changes of each directory are there up to any point of their order (a rename belongs to the
  directory of its new name, and is never half there).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Operation:
    """One change, as `recorder.c` logs it; paths are relative to the data set."""

    kind: str
    inode: int
    offset: int
    data: bytes
    path: str
    other: str = ""


def read(log: Path, root: Path) -> list[Operation]:
    """Return the operations of a log in their order, without those on SQLite's shared memory."""
    content = log.read_bytes()
    found, at = [], 0
    while at < len(content):
        end = content.index(b"\n", at)
        kind, inode, offset, size, path, other = content[at:end].decode().split("\t")
        at = end + 1 + int(size)
        names = [_relative(one, root) for one in (path, other)]
        if not names[0].endswith("-shm"):
            data = content[end + 1 : at]
            found.append(Operation(kind, int(inode), int(offset), data, *names))
    return found


def _relative(path: str, root: Path) -> str:
    if not path:
        return ""
    return PurePosixPath(path).relative_to(root).as_posix()


@dataclass
class _File:
    changes: list[Operation] = field(default_factory=list)
    synced: int = 0  # so many of them are on the disk


class Disk:
    """The state of a recorded run after some of its operations: what is safe, and what may be."""

    def __init__(self, operations: list[Operation]) -> None:
        self._files: dict[int, _File] = {}
        self._made: dict[int, int] = {}  # the kernel uses inodes of removed files again
        self._names: list[tuple[Operation, int]] = []
        self._safe: set[int] = set()  # changes of names that are on the disk, by index
        for number, operation in enumerate(operations):
            self._apply(number, operation)

    def _apply(self, number: int, one: Operation) -> None:
        if one.kind in {"create", "mkdir"}:
            self._made[one.inode] = number
            self._files[number] = _File()
        file = self._made.get(one.inode, -1)
        if one.kind in {"create", "mkdir", "rename", "link", "unlink"}:
            self._names.append((one, file))
        elif one.kind in {"write", "truncate"}:
            self._files[file].changes.append(one)
        elif one.kind == "syncall":
            self._safe.update(range(len(self._names)))
            for each in self._files.values():
                each.synced = len(each.changes)
        elif file in self._files:
            self._files[file].synced = len(self._files[file].changes)
        if one.kind == "sync":
            self._safe.update(
                index for index, (name, _) in enumerate(self._names) if _folder(name) == one.path
            )

    def after_power_cut(self, target: Path, chance: random.Random) -> None:
        """Write one of the states that are possible into the new folder `target`."""
        target.mkdir()
        entries: dict[str, int] = {}
        folders: set[str] = {"."}
        for one, file in self._left(chance):
            if one.kind == "mkdir":
                folders.add(one.path)
            elif one.kind == "create":
                entries[one.path] = file
            elif one.kind == "unlink":
                entries.pop(one.path, None)
                folders.discard(one.path)
            else:
                if one.kind == "rename":
                    entries.pop(one.path, None)
                entries[one.other] = file
        for name, file in entries.items():
            path = target / name
            if str(PurePosixPath(name).parent) in folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._content(file, chance))

    def _left(self, chance: random.Random) -> Iterator[tuple[Operation, int]]:
        """Yield the changes of names that are left: of each folder up to some point."""
        lasts: dict[str, int] = {}
        pending: dict[str, list[int]] = defaultdict(list)
        for index, (one, _) in enumerate(self._names):
            if index not in self._safe:
                pending[_folder(one)].append(index)
        for folder, indexes in pending.items():
            lasts[folder] = chance.choice([-1, *indexes, indexes[-1]])
        for index, (one, file) in enumerate(self._names):
            if index in self._safe or index <= lasts.get(_folder(one), -1):
                yield one, file

    def _content(self, file: int, chance: random.Random) -> bytes:
        found = self._files[file]
        fate = chance.choice(["there", "lost", "zeros", "mixed"])
        content = bytearray()
        for index, change in enumerate(found.changes):
            own = fate if fate != "mixed" else chance.choice(["there", "lost", "zeros"])
            if index < found.synced:
                own = "there"
            if own == "lost":
                continue
            if change.kind == "truncate":
                content = content[: change.offset].ljust(change.offset, b"\0")
                continue
            data = change.data if own == "there" else bytes(len(change.data))
            content = content.ljust(change.offset, b"\0")
            content[change.offset : change.offset + len(data)] = data
        return bytes(content)

    def placed(self) -> list[str]:
        """Return the images whose names are on the disk: no power cut may take them."""
        return [
            one.other
            for index, (one, _) in enumerate(self._names)
            if index in self._safe and one.kind == "rename" and "/" in one.other
        ]


def _folder(one: Operation) -> str:
    return str(PurePosixPath(one.other or one.path).parent)
