"""Read CBOR (RFC 8949) of a few kilobytes, as C2PA assertions hold it. Pure, bounded.

Runs in the decoder on hostile bytes.
"""

from __future__ import annotations

import struct
from typing import Any, Final

__all__ = ["BadCborError", "decode"]

_MAX_DEPTH: Final = 16
_MAX_ITEMS: Final = 10_000
_BREAK: Final = object()
_SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}


class BadCborError(Exception):
    """The bytes are no CBOR, or nested or long beyond the bounds."""


def decode(data: bytes) -> Any:
    """Return the first item: dict, list, str, bytes, int, float, bool or None; tags are dropped.

    Keys of maps that cannot be hashed are dropped with their values. Raises BadCborError.
    """
    return _CborReader(data).item(0)


class _CborReader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._left = _MAX_ITEMS

    def item(self, depth: int, *, ends: bool = False) -> Any:
        """Read one item; `_BREAK` is one only where `ends` says so."""
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise BadCborError("too deep or too long")
        first = self._take(1)[0]
        major, short = first >> 5, first & 31
        if first == 0xFF and ends:
            return _BREAK
        if major == 7:
            return self._simple(short)
        count = self._count(major, short)
        if major <= 1:
            return count if major == 0 else -1 - (count or 0)
        if major in (2, 3):
            octets = self._take(count) if count is not None else self._chunks(major, depth)
            return octets if major == 2 else octets.decode("utf-8", "replace")
        if major == 4:
            return self._items(count, depth)
        if major == 5:
            return self._map(count, depth)
        return self.item(depth + 1)  # a tag's content

    def _count(self, major: int, short: int) -> int | None:
        """Return an item's argument; None where its length is indefinite."""
        if short < 24:
            return short
        if short <= 27:
            return int.from_bytes(self._take(1 << (short - 24)), "big")
        if short == 31 and major in (2, 3, 4, 5):
            return None
        raise BadCborError("reserved length")

    def _chunks(self, major: int, depth: int) -> bytes:
        parts = []
        while (first := self._take(1)[0]) != 0xFF:
            self._left -= 1
            count = self._count(major, first & 31)
            if first >> 5 != major or count is None or self._left < 0:
                raise BadCborError("bad chunk")
            parts.append(self._take(count))
        return b"".join(parts)

    def _items(self, count: int | None, depth: int) -> list[Any]:
        found: list[Any] = []
        while count is None or len(found) < count:
            item = self.item(depth + 1, ends=count is None)
            if item is _BREAK:
                break
            found.append(item)
        return found

    def _map(self, count: int | None, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        read = 0
        while count is None or read < count:
            key = self.item(depth + 1, ends=count is None)
            if key is _BREAK:
                break
            value = self.item(depth + 1)
            read += 1
            if isinstance(key, str | int | bytes | bool | float):
                found[key] = value
        return found

    def _simple(self, short: int) -> Any:
        if short in _FLOATS:
            kind = _FLOATS[short]
            return struct.unpack(kind, self._take(struct.calcsize(kind)))[0]
        if short == 24:
            self._take(1)
            return None
        if short > 24:
            raise BadCborError("reserved, or a break out of place")
        return _SIMPLE.get(short)

    def _take(self, count: int | None) -> bytes:
        if count is None or count > len(self._data) - self._at:
            raise BadCborError("cut short")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken
