"""Cache what was computed of the last picture: after a search for it, it is usually added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pixtrawl.model import ImageInfo

if TYPE_CHECKING:
    from pixtrawl.dedup.overlay.shared_part import Appearance
    from pixtrawl.dedup.search.view_index import Views

__all__ = ["LastPicture"]


class LastPicture:
    """Computes the views of a picture and the part inside its frame; caches the last of each."""

    def __init__(self) -> None:
        self._views: tuple[bytes, Views | None] = b"", None
        self._inside: tuple[bytes, Appearance | None] = b"", None

    def views(self, info: ImageInfo) -> Views:
        """Return the hashes and parts that are looked up besides the picture itself."""
        thumb, views = self._views
        if views is None or thumb != info.thumb:
            from pixtrawl.dedup.search.view_index import views_of

            views = views_of(info)
            self._views = info.thumb, views
        return views

    def inside(self, info: ImageInfo) -> Appearance | None:
        """Return what is inside the picture's frame; None where it has none."""
        thumb, inner = self._inside
        if thumb != info.thumb:
            from pixtrawl.dedup.search.view_index import inside

            inner = inside(info)
            self._inside = info.thumb, inner
        return inner
