"""Where the pictures of an export lie: a data set folder, or what has the same methods."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from pixtrawl.captions import Chain
from pixtrawl.errors import UsageError
from pixtrawl.exporters.captioned import captioned
from pixtrawl.exporters.embedding_column import EmbeddingColumn
from pixtrawl.exporters.target import local_path
from pixtrawl.folder.layout import inside, require_inside
from pixtrawl.folder.renditions import RenditionReader
from pixtrawl.model import Sample
from pixtrawl.transform import Transform

__all__ = ["FolderOrigin", "Origin"]


class Origin(Protocol):
    """The pictures of an export. Methods raise StorageError where the place cannot be read."""

    @property
    def title(self) -> str:
        """Heading of a data card that was given none."""
        ...

    @property
    def readers(self) -> int | None:
        """Pictures read at once; None: as many as there are cores."""
        ...

    def check_apart(self, out: Path | str) -> None:
        """Raise UsageError for an export into the data set."""
        ...

    def place(self, sample: Sample) -> str | None:
        """Return where a sample's bytes lie, for `read`; None where they are gone."""
        ...

    def read(self, place: str) -> bytes:
        """Return the bytes of a picture. Raise OSError if this one alone cannot be read."""
        ...

    def captioned(self, sample: Sample, chain: Chain | None) -> Sample:
        """Return a sample with its caption, by `chain` or as chosen for the data set."""
        ...

    def embeddings(self, model: str) -> EmbeddingColumn:
        """Return the embeddings by a model. Raise UsageError where there are none."""
        ...

    def renditions(self, transform: Transform) -> AbstractContextManager[RenditionReader] | None:
        """Return pictures that were transformed already; None where there are none."""
        ...


class FolderOrigin:
    """`Origin` that is a data set folder."""

    def __init__(self, root: Path) -> None:
        self._root, self._place = root, str(root)

    @property
    def title(self) -> str:
        """As `Origin.title`: the folder's name."""
        return self._root.resolve().name

    @property
    def readers(self) -> int | None:
        """As `Origin.readers`."""
        return None

    def check_apart(self, out: Path | str) -> None:
        """Refuse an export inside the data set (it would count as images) or above it."""
        path = local_path(out)
        if path is None:
            return
        place, data = path.resolve(), self._root.resolve()
        if place == data or data in place.parents:
            raise UsageError(
                f"{out} lies in the data set {self._root}; choose a folder outside of it"
            )

    def place(self, sample: Sample) -> str | None:
        """As `Origin.place`; files deleted by hand are gone, which is a way to curate."""
        require_inside(sample.file_name)
        there = os.path.isfile(f"{self._place}/{sample.file_name}")  # noqa: PTH113 - the hot path
        return sample.file_name if there else None

    def read(self, place: str) -> bytes:
        """As `Origin.read`."""
        return inside(self._root, place).read_bytes()

    def captioned(self, sample: Sample, chain: Chain | None) -> Sample:
        """As `Origin.captioned`."""
        return captioned(sample, self._root, chain)

    def embeddings(self, model: str) -> EmbeddingColumn:
        """As `Origin.embeddings`."""
        return EmbeddingColumn(self._root, model)

    def renditions(self, transform: Transform) -> AbstractContextManager[RenditionReader] | None:
        """As `Origin.renditions`."""
        return RenditionReader(self._root, transform)
