"""Some images or groups of a data set: a list, shown short, and as pictures in a notebook."""

from __future__ import annotations

from typing import TypeVar

from pixtrawl.brief import brief_list
from pixtrawl.model import Sample

__all__ = ["Listing"]

T = TypeVar("T")


class Listing(list[T]):
    """A list in every way but how it is shown."""

    def __repr__(self) -> str:
        return brief_list(self, len(self))

    def _repr_html_(self) -> str | None:
        """A strip of thumbnails; None, and the text is shown, where these are no images."""
        from pixtrawl.dataset.preview import strip

        samples = [one if isinstance(one, Sample) else getattr(one, "kept", None) for one in self]
        pictures = [one for one in samples if isinstance(one, Sample)]
        return strip(pictures) if pictures else None
