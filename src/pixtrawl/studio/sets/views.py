"""Views: the ids of the images that a filter leaves, in order, held as arrays of 4 bytes each.

A range of a view is a slice of its array, so that the last page of a million images costs as much
as the first one.
"""

from __future__ import annotations

import hashlib
import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.studio.messages import StudioError, ViewKind, ViewRequest

__all__ = ["StudioView", "ViewCache", "image_ref", "parse_ref", "view_key"]

_MOST_BYTES: Final = 48 * 2**20  # of all views of one data set
_MOST_VIEWS: Final = 200
_KEY: Final = re.compile(r"[0-9a-f]{16}")


class StudioView(Struct, frozen=True):
    """One view; `ids` are rows of candidates for `not_kept`, of images otherwise."""

    key: str
    kind: ViewKind
    ids: array[int]
    of: int
    revision: int
    by: str = ""
    done: float = 1.0  # share of the images that were looked at

    def refs(self, start: int, count: int) -> list[str]:
        """Return the ids of a range as in addresses."""
        prefix = "c" if self.kind == "not_kept" else "s"
        return [f"{prefix}{one}" for one in self.ids[start : start + count]]


def view_key(request: ViewRequest, revision: int, done: float = 1.0) -> str:
    """Return the key of a view: the same for the same request, revision and share done."""
    named = [request, revision] if done == 1 else [request, revision, done]
    text = msgspec.json.encode(named, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:16]


def image_ref(sample_id: int) -> str:
    """Return the id of an image as in addresses."""
    return f"s{sample_id}"


def parse_ref(ref: str) -> tuple[str, int]:
    """Return kind (`s` image, `c` candidate) and row of an id. Raise StudioError for another."""
    if ref[:1] in {"s", "c"} and ref[1:].isascii() and ref[1:].isdigit() and len(ref) < 12:
        return ref[0], int(ref[1:])
    raise StudioError(404, f"{ref[:40]!r} is no id of an image")


class ViewCache:
    """The views of one data set, the oldest of which are dropped at a bound; thread-safe."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, StudioView] = OrderedDict()
        self._lock = threading.Lock()
        self._size_bytes = 0

    def get(self, key: str) -> StudioView | None:
        """Return a view that is still held, or None."""
        with self._lock:
            found = self._views.get(key)
            if found is not None:
                self._views.move_to_end(key)
            return found

    def require(self, key: str) -> StudioView:
        """Return a view. Raise StudioError 410 where it is no longer held, 404 for no key."""
        if _KEY.fullmatch(key) is None:
            raise StudioError(404, f"{key[:40]!r} is no key of a view")
        found = self.get(key)
        if found is None:
            raise StudioError(410, "this view is gone; ask for it again")
        return found

    def put(self, view: StudioView) -> StudioView:
        """Hold a view, and drop the ones used longest ago beyond the bound."""
        with self._lock:
            former = self._views.pop(view.key, None)
            if former is not None:
                self._size_bytes -= _size_bytes(former.ids)
            self._views[view.key] = view
            self._size_bytes += _size_bytes(view.ids)
            while len(self._views) > 1 and (
                self._size_bytes > _MOST_BYTES or len(self._views) > _MOST_VIEWS
            ):
                _, dropped = self._views.popitem(last=False)
                self._size_bytes -= _size_bytes(dropped.ids)
            return view


def _size_bytes(ids: Sequence[int]) -> int:
    return 4 * len(ids)
