"""The images of a data set, from a folder or from a set of shards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.sample_list import Samples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    from pixtrawl.cluster.readers.samples import ShardSamples
    from pixtrawl.exporters.origin import Origin

    AnySamples = Samples | ShardSamples
else:
    AnySamples = Samples

__all__ = ["AnySamples", "origin_of", "samples_of", "with_looks"]


def samples_of(root: Path | str, query_ids: tuple[int, ...] | None = None) -> AnySamples:
    """Return the images of a data set, or those that count for some queries.

    Raise UsageError where there is none.
    """
    from pixtrawl.folder.layout import is_shards

    if query_ids is None and is_shards(root):
        from pixtrawl.cluster.readers.samples import ShardSamples

        return ShardSamples(str(root))
    return Samples(Folder(root), query_ids=query_ids)


def with_looks(
    samples: AnySamples, ids: Sequence[int] | None, images: Iterable[Sample]
) -> Iterable[Sample]:
    """Return `images`, those of `ids`, with the thumbnails that splits are dealt by."""
    if isinstance(samples, Samples):
        return images
    looked_at = samples.with_looks()
    return looked_at if ids is None else looked_at.some(ids)


def origin_of(samples: AnySamples) -> Path | Origin:
    """Return where an export finds the pictures, whose files are looked at before."""
    if isinstance(samples, Samples):
        samples.compare_contents()
        return samples.folder.root
    from pixtrawl.cluster.readers.origin import ShardOrigin

    return ShardOrigin(samples.url)
