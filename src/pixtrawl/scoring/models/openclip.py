"""A model by its open_clip name, or from a folder or file of weights; the only user of torch here.

torch is in no extra: it is large, and the right build depends on the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from pixtrawl.errors import MissingPackageError, UsageError
from pixtrawl.scoring.models.interface import Kind, Vectors, unit
from pixtrawl.scoring.models.preprocess import Preprocess, read_preprocess

__all__ = ["OpenClipModel"]


class OpenClipModel:
    """See `scoring.model.Model`."""

    kind: Final[Kind] = "image-text"

    def __init__(self, name: str, device: str = "cpu") -> None:
        """Load `NAME:WEIGHTS` (weights: a file or an open_clip tag), or a folder.

        Raises:
            MissingPackageError: open_clip or torch is not installed.
            UsageError: it cannot be loaded, or there is no such device.
        """
        architecture, weights = _parts(name)
        try:
            import open_clip
            import torch
        except ImportError:
            raise MissingPackageError(f"the model {name!r}", "open_clip_torch") from None
        if device == "cuda" and not torch.cuda.is_available():
            raise UsageError("--device cuda: torch finds no such device")
        self._torch = torch
        self._device = device
        try:
            self._network = open_clip.create_model(
                architecture, pretrained=weights, device=device, require_pretrained=True
            )
            self._tokenizer: Callable[[list[str]], Any] = open_clip.get_tokenizer(architecture)
        except Exception as error:  # its loader raises whatever torch, JSON or the network did
            raise UsageError(f"open_clip cannot load {name!r}: {error}") from error
        self._network.eval()
        given = open_clip.get_model_preprocess_cfg(self._network)
        self.preprocess: Preprocess = read_preprocess(given)
        self.name: str = f"{Path(architecture).name}@{self._digest()}"

    def _digest(self) -> str:
        """Hash the weights: two files may have the same name."""
        whole = hashlib.sha256(repr(self.preprocess).encode())
        for key, value in self._network.state_dict().items():
            whole.update(key.encode())
            whole.update(
                value.detach().cpu().contiguous().flatten().view(self._torch.uint8).numpy()
            )
        return whole.hexdigest()[:12]

    def embed_images(self, pixels: Vectors) -> Vectors:
        """Embed pictures of shape (n, 3, height, width) as rows of length 1."""
        return self._embedded(self._network.encode_image, self._torch.from_numpy(pixels))

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts as rows of length 1."""
        return self._embedded(self._network.encode_text, self._tokenizer(list(texts)))

    def _embedded(self, encode: Callable[[Any], Any], given: Any) -> Vectors:
        try:
            with self._torch.inference_mode():
                found = encode(given.to(self._device)).float().cpu().numpy()
        except RuntimeError as error:  # out of memory, a shape that does not fit
            raise UsageError(f"the model fails: {error} (a smaller --batch?)") from error
        return unit(np.asarray(found))


def _parts(name: str) -> tuple[str, str | None]:
    """Return the open_clip architecture and the weights to load. Raises UsageError."""
    if Path(name).is_dir():
        return f"local-dir:{name}", None
    architecture, _, weights = name.partition(":")
    if not weights:
        raise UsageError(
            f"--model {name}: no such file or folder; an open_clip model is NAME:WEIGHTS, with a "
            "file or a tag, as in ViT-B-32:weights.safetensors"
        )
    return architecture, weights
