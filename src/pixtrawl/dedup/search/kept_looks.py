"""The looks of kept images: read from the catalog when needed, or kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pixtrawl.dedup.match import FRAMED
from pixtrawl.model import ImageInfo

if TYPE_CHECKING:
    from pixtrawl.dedup.overlay.shared_part import Appearance

__all__ = ["KeptLooks"]

ReadLook = Callable[[int], bytes]


class KeptLooks:
    """Thumbnail, colours and fine greys of images by their ids, and of what lies inside a frame."""

    def __init__(
        self, thumb_of: ReadLook | None, chroma_of: ReadLook | None, fine_of: ReadLook | None
    ) -> None:
        """Read looks by these functions; without `thumb_of` they stay in memory."""
        self._keeps = thumb_of is None
        self._infos: dict[int, tuple[bytes, bytes, bytes]] = {}
        self.thumb = thumb_of or (lambda id: self._kept(id, 0))
        self._chroma = chroma_of or (lambda id: self._kept(id, 1))
        self._fine = fine_of or (lambda id: self._kept(id, 2))

    def _kept(self, id: int, at: int) -> bytes:
        return self._infos.get(id, (b"", b"", b""))[at]

    def add(self, id: int, info: ImageInfo) -> None:
        if self._keeps and info.thumb:
            self._infos[id] = info.thumb, info.chroma, info.fine

    def remove(self, id: int) -> None:
        self._infos.pop(id, None)

    def thumb_or_inside(self, key: int) -> bytes:
        """Return the pixels behind a key of the descriptors; empty where the image is gone."""
        if key > FRAMED:
            return self.thumb(key)
        inner = self.appearance(key)
        return inner.thumb if inner is not None else b""

    def appearance(self, key: int, *, fine: bool = False) -> Appearance | None:
        """Return the look behind a key; with the fine greys of a whole picture where `fine`."""
        from pixtrawl.dedup.search.view_index import Appearance, part_inside

        id = FRAMED - key if key <= FRAMED else key
        whole = Appearance(self.thumb(id), self._chroma(id))
        if key <= FRAMED:
            return part_inside(whole)
        return Appearance(whole.thumb, whole.chroma, self._fine(id)) if fine else whole
