"""A picture described for comparison with its copies: made by decoders, read by de-duplication."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

__all__ = [
    "BLOCKS",
    "BLOCKS_BYTES",
    "BLOCK_PX",
    "CHROMA_SIDE",
    "LOSSLESS_QUALITY",
    "MOST_NOTES",
    "PATCHES",
    "PATCHES_BYTES",
    "PATCH_PX",
    "PEAKS",
    "PORTRAIT_SIDE",
    "TERMS",
    "Portrait",
    "patch_starts",
]  # fmt: skip

PORTRAIT_SIDE: Final = 128  # pixels a side of a portrait's grey plane
CHROMA_SIDE: Final = 32
LOSSLESS_QUALITY: Final = 91.0  # of files that are not compressed with a loss: many were before
MOST_NOTES: Final = 255  # that are counted
BLOCKS: Final = 256  # of a portrait, in equal steps over all blocks of the picture as stored
BLOCK_PX: Final = 8  # a side
PATCHES: Final = 3  # of a portrait, along each axis
PATCH_PX: Final = 64  # a side
BLOCKS_BYTES: Final = BLOCKS * BLOCK_PX**2
PATCHES_BYTES: Final = (PATCHES * PATCH_PX) ** 2
TERMS: Final = 33  # of a portrait's spectrum: 0 to 0.5 cycles a pixel in steps of 1/64
PEAKS: Final = 256  # of its resampling spectrum, over the same range


class Portrait(Struct, frozen=True):
    """A picture described closely enough to find which of two copies is the original."""

    width: int  # upright, pixels
    height: int
    quality: float  # of the compression, 1..100
    repeated: float  # share of rows, or of columns if fewer, that are like the one before
    steps: bytes  # of quantisation of luma, by row and column; ones: lossless; empty: unknown
    blocks: bytes  # BLOCKS x BLOCK_PX x BLOCK_PX uint8 of luma; empty where there are fewer
    patches: bytes  # PATCHES x PATCHES x PATCH_PX x PATCH_PX uint8 of luma; or empty: turned, small
    notes: int  # entries of metadata of a file without loss: saving it again drops most
    clipped: float  # share of pixels with a channel at its end, 0..1
    noise: float  # standard deviation of fine detail in the smoothest areas, grey levels
    grey: bytes  # PORTRAIT_SIDE x PORTRAIT_SIDE uint8, whatever the shape of the picture
    chroma: bytes  # CHROMA_SIDE x CHROMA_SIDE x 2 int8: blue and red difference
    spectrum: tuple[float, ...]  # power in dB by frequency; empty below 80 pixels a side
    peaks: tuple[float, ...]  # resampling, as multiples of the median; empty below 130 pixels

    @property
    def is_lossless(self) -> bool:
        """Whether the steps are known, and all of them are 1."""
        return bool(self.steps) and sum(self.steps) == len(self.steps)

    def patch_starts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the first rows and the first columns of the patches."""
        return patch_starts(self.height), patch_starts(self.width)


def patch_starts(side: int) -> tuple[int, ...]:
    """Return where patches begin along a side of so many pixels: at edges of blocks."""
    last = (side - PATCH_PX) // BLOCK_PX
    middles = (side * (2 * n + 1) / (2 * PATCHES) for n in range(PATCHES))
    near = (round((middle - PATCH_PX / 2) / BLOCK_PX) for middle in middles)
    return tuple(BLOCK_PX * max(0, min(last, block)) for block in near)
