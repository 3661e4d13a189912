"""Interface of models that score images: embeddings of pictures and texts, or outputs by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.preprocess import Preprocess

__all__ = [
    "Embedder", "Kind", "Model", "Vectors", "from_bytes", "to_bytes", "unit",
]  # fmt: skip

Vectors = NDArray[np.float32]  # one row each

Kind = Literal["image-text", "embedding", "classifier", "score"]

_STORED: Final = np.dtype("<f2")  # cosines keep three places, at half the space


class Embedder(Protocol):
    """Embeds pictures."""

    @property
    def kind(self) -> Kind:
        """`image-text` if it embeds texts, too."""
        ...

    @property
    def name(self) -> str:
        """Identifies the model by its content."""
        ...

    @property
    def preprocess(self) -> Preprocess:
        """The preprocessing of pictures."""
        ...

    def embed_images(self, pixels: Vectors) -> Vectors:
        """Embed pictures, each of the preprocessing's shape, as rows of length 1."""
        ...


class Model(Embedder, Protocol):
    """Embeds pictures and texts in one space."""

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
