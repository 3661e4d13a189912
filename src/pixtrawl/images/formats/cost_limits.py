"""How much work a file may ask for, counted before it is decoded: no clock is needed.

A pixel cap alone does not bound the work: a JPEG of 226 KB can go over its pixels 5,000 times, a
GIF of 1 MB can show 40,000 frames on a large screen, and millions of empty chunks cost a decoder
microseconds each. Every count below is made in one pass that stops at its limit.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pixtrawl.model import Reason

__all__ = ["CostLimits", "Fault"]

Fault = tuple[Reason, str]

_SCANS_OF_LARGEST: Final = 20  # scans that a picture of `frame_pixels` / 10 pixels may have
_BYTES_PER_BLOCK: Final = 128  # files of longer blocks may have more of them: the file is larger


class CostLimits(Struct, frozen=True):
    """The limits of one file; the defaults are those of the settings `images.max_...`.

    Encoders make 10 scans of a progressive JPEG, cameras up to 20. A pass over the coefficients of
    a picture takes 0.25 ns a pixel even where the scan is empty.
    """

    scans: int = 100
    frames: int = 2000
    frame_pixels: int = 1_000_000_000  # of all frames
    blocks: int = 100_000

    def of_scans(self, count: int, pixels: int) -> Fault | None:
        """Return the fault of a JPEG with so many scans, or None."""
        if count > self.scans:
            return Reason.TOO_MANY_SCANS, f"more than {self.scans} scans"
        most = self.frame_pixels // 10 * _SCANS_OF_LARGEST
        if count > _SCANS_OF_LARGEST and count * pixels > most:
            return Reason.TOO_MANY_SCANS, f"{count} scans of {pixels} pixels"
        return None

    def of_frames(self, count: int, pixels: int) -> Fault | None:
        """Return the fault of a file with so many frames of so many pixels each, or None."""
        if count > self.frames:
            return Reason.TOO_MANY_FRAMES, f"more than {self.frames} frames"
        if count > 1 and count * pixels > self.frame_pixels:
            return Reason.TOO_MANY_FRAMES, f"{count} frames of {pixels} pixels"
        return None

    def blocks_in(self, size_bytes: int) -> int:
        """Return how many small blocks a file of this size may have, such as GIF's sub-blocks."""
        return self.blocks + size_bytes // _BYTES_PER_BLOCK

    def too_many(self, blocks: str, limit: int | None = None) -> Fault:
        """Return the fault of a file with too many blocks of this kind."""
        return Reason.TOO_MANY_BLOCKS, f"more than {limit or self.blocks} {blocks}"
