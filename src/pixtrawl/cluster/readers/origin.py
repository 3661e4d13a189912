"""A set of shards as the origin of an export, and its lock file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pixtrawl.captions import Chain, caption_of
from pixtrawl.catalog.frontier import filters_json
from pixtrawl.cluster.readers.pictures import PlaceReader
from pixtrawl.cluster.readers.reading import ShardSet
from pixtrawl.cluster.readers.shard_sample import ShardSample, sample_of
from pixtrawl.cluster.store import Store
from pixtrawl.errors import UsageError
from pixtrawl.exporters.embedding_column import EmbeddingColumn
from pixtrawl.exporters.target import local_path
from pixtrawl.folder.layout import needs_folder
from pixtrawl.folder.renditions import RenditionReader
from pixtrawl.manifests.recipe import recipe_lines
from pixtrawl.model import Query, Reason, Sample
from pixtrawl.transform import Transform

__all__ = ["ShardOrigin", "lock_shards"]

_READERS: Final = 32  # range requests wait for the network, not for a core


class ShardOrigin:
    """`Origin` that is a set of shards."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._read = PlaceReader(self._url)

    @property
    def title(self) -> str:
        """As `Origin.title`: the last part of the URL."""
        return self._url.rpartition("/")[2]

    @property
    def readers(self) -> int | None:
        """As `Origin.readers`."""
        return _READERS

    def check_apart(self, out: Path | str) -> None:
        """As `Origin.check_apart`."""
        here, there = local_path(self._url), local_path(out)
        if here is not None and there is not None:
            place, data = there.resolve(), here.resolve()
            inside = place == data or data in place.parents
        else:
            inside = f"{str(out).rstrip('/')}/".startswith(f"{self._url}/")
        if inside:
            raise UsageError(f"{out} lies in the set of shards {self._url}; choose another place")

    def place(self, sample: Sample) -> str | None:
        """As `Origin.place`."""
        assert isinstance(sample, ShardSample)
        return sample.place

    def read(self, place: str) -> bytes:
        """As `Origin.read`."""
        return self._read(place)

    def captioned(self, sample: Sample, chain: Chain | None) -> Sample:
        """As `Origin.captioned`; a set of shards has no chosen captions."""
        return replace(sample, caption=caption_of(sample, chain)) if chain else sample

    def embeddings(self, model: str) -> EmbeddingColumn:
        """Raise UsageError: models score folders."""
        raise UsageError(f"--embedding: {needs_folder(self._url)}")

    def renditions(self, transform: Transform) -> AbstractContextManager[RenditionReader] | None:
        """As `Origin.renditions`."""
        return None


def lock_shards(url: str, write: Callable[[str], object]) -> int:
    """Pass the lock file of a set of shards to `write` line by line. Return the number of images.

    Pictures are listed as they were fetched, since that is what a rebuild fetches.
    """
    shards = ShardSet(Store(url))
    settings: dict[str, dict[str, object]] = {}
    for key, value in sorted(shards.job.settings.items()):
        group, _, name = key.partition(".")
        settings.setdefault(group, {})[name] = value
    named = {
        (row["query"], row["label"])
        for row in shards.rows(["row", "query", "label", "reason"])
        if row["reason"] == Reason.SAVED.value
    }
    queries = [(text, label, filters_json(Query(text, label))) for text, label in sorted(named)]
    filters = queries[0][2] if queries else "{}"
    count = 0

    def images() -> Iterator[tuple[Sample, str]]:
        nonlocal count
        for row in shards.rows():
            if row["data"] is not None:
                count += 1
                yield sample_of(row, count, {}, shards.store.url, as_fetched=True), filters

    for line in recipe_lines(settings, queries, images()):
        write(line)
    return count
