"""Choose the caption of each image of an export."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from pixtrawl.captions import Chain, caption_of
from pixtrawl.folder.derived.caption_files import MAX_BYTES, hand_text
from pixtrawl.model import Caption, Sample

__all__ = ["MAX_BYTES", "captioned"]


def captioned(sample: Sample, root: Path, chain: Chain | None) -> Sample:
    """Return a sample with its caption, without one where captions are not wanted.

    Args:
        sample: as the catalog gives it.
        root: the data set folder; a text file that a person put beside an image, or changed
            there, is a caption by hand.
        chain: origins to take instead of those chosen for the data set.
    """
    if (sample.caption is None and chain is None) or chain == ():
        return sample if sample.caption is None else replace(sample, caption=None)
    beside = hand_text(root, sample.file_name)
    if beside is not None:
        return replace(sample, caption=Caption(beside, "hand"))
    return sample if chain is None else replace(sample, caption=caption_of(sample, chain))
