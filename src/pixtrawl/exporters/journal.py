"""The journal of an export: lets a killed export resume, and removes an older one's files.

While an export runs, `.pixtrawl-export/` holds its fingerprint and two small files per part: the
names that the part will publish, written before it, and a record, written after it. A complete
export has `.pixtrawl-export.jsonl` instead: the fingerprint and every file with its size. Only
files named there are ever removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import asdict

from pixtrawl.errors import ExportError, UsageError
from pixtrawl.exporters.base import Written
from pixtrawl.exporters.caption_files import digest_of, stem_of, words_of
from pixtrawl.exporters.target import STATE, Target

__all__ = ["Journal"]

_DONE: Final = f"{STATE}.jsonl"
_HEAD: Final = f"{STATE}/export.json"
_BY_HAND: Final = f"{STATE}/by-hand.json"


class Journal:
    """The records of one export.

    Args:
        target: where it is written.
        format_: name of the exporter.
        fingerprint: of the plan and of every option that changes a byte.
    """

    def __init__(self, target: Target, format_: str, fingerprint: str) -> None:
        self._target = target
        self._head = {"format": format_, "fingerprint": fingerprint}

    def begin(self) -> list[Written] | None:
        """Return the finished parts, in order; None when the export is complete.

        Removes the files of an export of other images or options. Raises UsageError where the
        target holds something else.
        """
        complete, begun = self._read_head(_DONE), self._read_head(_HEAD)
        if complete is None and begun is None and not self._target.is_empty():
            raise UsageError(
                f"{self._target.shown} is not empty and holds no export; choose another folder"
            )
        for head in (complete, begun):
            if head is not None and head.get("format") != self._head["format"]:
                raise UsageError(
                    f"{self._target.shown} holds an export to {head.get('format')}; "
                    "choose another folder"
                )
        if complete == self._head and self._all_there():
            self._target.remove_state()
            return None
        if begun != self._head:
            self._start_anew(was_complete=complete is not None, was_begun=begun is not None)
            return []
        return list(self._parts())

    def intend(
        self, index: int, names: Sequence[str], captions: Mapping[str, str] | None = None
    ) -> None:
        """Record the files that a part will publish; `captions` with their digests."""
        self._write(_names(index), [*names, *map(list, (captions or {}).items())])

    @property
    def by_hand(self) -> Mapping[str, str]:
        """The captions that a person wrote into an earlier export here, by stem."""
        found = self._read(_BY_HAND)
        return found if isinstance(found, dict) else {}

    def record(self, part: Written) -> None:
        """Record that a part is complete."""
        self._write(_record(part.index), asdict(part))

    def finish(self, parts: int) -> int:
        """Replace the records by the list of all files; return their number.

        The final files count as one part more than `parts`.
        """
        count = 0
        with self._target.write(_DONE) as file:
            file.write(_line(self._head))
            for name, digest in self._names(parts + 1):
                size = self._target.size(name)
                if size is not None:  # a shard that ended early published fewer than it noted
                    file.write(_line([name, size, digest] if digest else [name, size]))
                    count += 1
        self._target.remove_state()
        return count

    def _names(self, parts: int) -> Iterator[tuple[str, str]]:
        for index in range(parts):
            yield from map(_named, self._read(_names(index)) or [])

    def _parts(self) -> Iterator[Written]:
        index = 0
        while (record := self._read(_record(index))) is not None:
            record["bad"] = tuple(record["bad"])
            yield Written(**record)
            index += 1

    def _all_there(self) -> bool:
        return all(self._target.size(name) == size for name, size, _ in self._listed())

    def _listed(self) -> Iterator[tuple[str, int, str]]:
        lines = self._target.lines(_DONE)
        next(lines)
        for line in lines:
            name, size, *digest = json.loads(line)
            yield _checked(name), size, digest[0] if digest else ""

    def _start_anew(self, *, was_complete: bool, was_begun: bool) -> None:
        """Remove the files of the older export; its lists last, in case of interruption.

        Captions that a person changed stay, and are noted for pictures that will lie elsewhere.
        """
        by_hand = dict(self.by_hand)
        by_hand |= self._changed(self._older(was_complete=was_complete, was_begun=was_begun))
        for name, _ in self._older(was_complete=was_complete, was_begun=was_begun):
            if stem_of(name) not in by_hand or not name.endswith(".txt"):
                self._target.remove(name)
        if was_complete:
            self._target.remove(_DONE)
        if was_begun:
            self._target.remove_state()
        if by_hand:
            self._write(_BY_HAND, by_hand)
        self._write(_HEAD, self._head)

    def _older(self, *, was_complete: bool, was_begun: bool) -> Iterator[tuple[str, str]]:
        """Yield the files of older exports, each with its digest if it is a caption."""
        if was_complete:
            yield from ((name, digest) for name, _, digest in self._listed())
        index = 0
        while was_begun and (names := self._read(_names(index))) is not None:
            yield from ((_checked(name), digest) for name, digest in map(_named, names))
            index += 1

    def _changed(self, files: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield stem and text of each caption file that is not as the export wrote it."""
        for name, digest in files:
            data = self._target.read(name) if digest else None
            if data is not None and digest_of(data) != digest:
                yield stem_of(name), words_of(data)

    def _read_head(self, name: str) -> dict[str, Any] | None:
        if self._target.size(name) is None:
            return None
        line = next(self._target.lines(name), b"{}")
        try:
            head = json.loads(line)
        except ValueError:
            head = None
        if not isinstance(head, dict):
            raise ExportError(f"{name} in {self._target.shown} is damaged; choose another folder")
        return head

    def _read(self, name: str) -> Any:
        text = self._target.read(name)
        return None if text is None else json.loads(text)

    def _write(self, name: str, value: object) -> None:
        with self._target.write(name) as file:
            file.write(_line(value))


def _names(index: int) -> str:
    return f"{STATE}/names-{index:06d}.json"


def _named(one: str | list[str]) -> tuple[str, str]:
    """Return name and digest of an entry; "" for a file that is no caption."""
    return (one, "") if isinstance(one, str) else (one[0], one[1])


def _record(index: int) -> str:
    return f"{STATE}/part-{index:06d}.json"


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _checked(name: str) -> str:
    """Refuse a name that leads outside the target: the list may have been edited."""
    if any(part in {"", ".", ".."} or "\\" in part or ":" in part for part in name.split("/")):
        raise ExportError(f"the list of files names {name!r}, which no export writes")
    return name
