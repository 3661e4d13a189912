"""Mirrored and turned copies: the seven other orientations of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec.structs import replace

from pixtrawl.dedup.aligned import THUMB_BYTES, hash_of, pixels_of
from pixtrawl.model import ImageInfo

__all__ = ["turned_copies"]

# The mirror image first: by far the most frequent.
_WAYS: Final = ((True, 0), (False, 1), (False, 3), (False, 2), (True, 2), (True, 1), (True, 3))


def turned_copies(info: ImageInfo) -> Iterator[tuple[str, ImageInfo]]:
    """Yield (`mirrored` or `turned`, the image info of that copy).

    The hash without a border is not computed: a turned copy with a frame matches in the second
    look only. Yields nothing for an image without a thumbnail.
    """
    if len(info.thumb) != THUMB_BYTES:
        return
    square = pixels_of(info.thumb)
    for mirrored, quarters in _WAYS:
        other = np.ascontiguousarray(np.rot90(square[:, ::-1] if mirrored else square, quarters))
        hash = hash_of(other)
        copy = replace(info, phash=hash, phash_trim=hash, thumb=other.tobytes())
        yield ("mirrored" if mirrored else "turned"), copy
