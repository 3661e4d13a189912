"""A list of images or groups with a short repr, shown as pictures in a notebook."""

from __future__ import annotations

from typing import TypeVar

from pixtrawl.brief import brief_list
from pixtrawl.model import Sample

__all__ = ["BriefList"]

T = TypeVar("T")


class BriefList(list[T]):
    """A list with a short `repr`, and thumbnails in a notebook."""

    def __repr__(self) -> str:
        return brief_list(self, len(self))

    def _repr_html_(self) -> str | None:
        """Return a strip of thumbnails; None, for the plain text, if the list holds no images."""
        from pixtrawl.dataset.preview import strip

        samples = [one if isinstance(one, Sample) else getattr(one, "kept", None) for one in self]
        pictures = [one for one in samples if isinstance(one, Sample)]
        return strip(pictures) if pictures else None
