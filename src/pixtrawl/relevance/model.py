"""Interface of CLIP-type models: they embed pictures and texts as comparable vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pixtrawl.errors import UsageError
from pixtrawl.relevance.preprocess import Preprocess

__all__ = ["DEVICES", "Model", "Vectors", "from_bytes", "to_bytes", "unit"]

Vectors = NDArray[np.float32]  # one row each

DEVICES: Final = ("cpu", "cuda")
_STORED: Final = np.dtype("<f2")  # cosines keep three places, at half the space


class Model(Protocol):
    """Embeds pictures and texts in one space."""

    @property
    def name(self) -> str:
        """Identifies the model by its content."""
        ...

    @property
    def preprocess(self) -> Preprocess:
        """The preprocessing of pictures."""
        ...

    def embed_images(self, pixels: Vectors) -> Vectors:
        """Embed pictures of shape (n, 3, height, width) as rows of length 1."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts as rows of length 1."""
        ...


def unit(vectors: NDArray[Any]) -> Vectors:
    """Scale rows to length 1; zero rows stay zero.

    Raises:
        UsageError: the model returned no rows of finite numbers.
    """
    found = np.asarray(vectors, dtype=np.float32)
    if found.ndim != 2 or not found.shape[1]:
        raise UsageError(f"the model gave embeddings of shape {found.shape}, not one row each")
    if not np.isfinite(found).all():
        raise UsageError("the model gave embeddings that are no finite numbers")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def to_bytes(vector: Vectors) -> bytes:
    """Encode one row as stored in the catalog (float16)."""
    return vector.astype(_STORED).tobytes()


def from_bytes(rows: Sequence[bytes]) -> Vectors:
    """Decode rows of the catalog as vectors of length 1."""
    return unit(np.stack([np.frombuffer(row, _STORED) for row in rows]))
