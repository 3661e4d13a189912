"""The embeddings of images as a column of an export."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import numpy as np

from pixtrawl.catalog.database import connect
from pixtrawl.catalog.scores import embeddings
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["EMBEDDING", "EmbeddingColumn", "check_format"]

EMBEDDING: Final = "embedding"
_FORMATS: Final = ("parquet", "hub", "lance", "jsonl", "webdataset")


def check_format(to: str) -> None:
    """Raise UsageError for a format that cannot hold lists of numbers."""
    if to not in _FORMATS:
        raise UsageError(f"--embedding: {to} cannot hold lists ({', '.join(_FORMATS)} can)")


class EmbeddingColumn:
    """Reads the embeddings by one model from a catalog."""

    def __init__(self, root: Path, model: str) -> None:
        """Choose the model: by the start of its name; `auto`: the one with the most images.

        Raises UsageError where there is none.
        """
        self._db: sqlite3.Connection = connect(Folder(root).catalog, read_only=True)
        known = embeddings.embedding_models(self._db)
        found = [one for one in known if model == "auto" or one.name.startswith(model)]
        if not found:
            names = ", ".join(one.name for one in known) or "none; see pixtrawl score"
            self._db.close()
            raise UsageError(f"--embedding {model}: no such embeddings (there are: {names})")
        self._model_id = found[0].id

    def of(self, sample_id: int) -> list[float] | None:
        """Return the embedding of an image; None where it has none."""
        rows = embeddings.of_images(self._db, self._model_id, [sample_id])
        if not rows:
            return None
        return [round(one, 4) for one in np.frombuffer(rows[0][1], "<f2").astype(float).tolist()]

    def close(self) -> None:
        """Close the catalog."""
        self._db.close()
