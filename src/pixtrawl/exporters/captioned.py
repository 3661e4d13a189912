"""Choose the caption of each image of an export."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pixtrawl.captions import Chain, caption_of
from pixtrawl.folder.layout import inside
from pixtrawl.model import Caption, Sample

__all__ = ["MAX_BYTES", "captioned"]

MAX_BYTES: Final = 64 * 1024  # of a caption file; more is no caption


def captioned(sample: Sample, root: Path, chain: Chain | None) -> Sample:
    """Return a sample with its caption, without one where captions are not wanted.

    Args:
        sample: as the catalog gives it.
        root: the data set folder; a text file beside an image there is a caption by hand.
        chain: origins to take instead of those chosen for the data set.
    """
    if (sample.caption is None and chain is None) or chain == ():
        return sample if sample.caption is None else replace(sample, caption=None)
    beside = _beside(inside(root, sample.file_name))
    if beside is not None:
        return replace(sample, caption=Caption(beside, "hand"))
    return sample if chain is None else replace(sample, caption=caption_of(sample, chain))


def _beside(path: Path) -> str | None:
    with suppress(OSError), path.with_suffix(".txt").open("rb") as file:
        data = file.read(MAX_BYTES + 1)
        return data.decode("utf-8-sig", "replace").strip() if len(data) <= MAX_BYTES else None
    return None
