"""An ONNX model that takes pictures alone: a classifier, a score, or an embedding."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.description import Description, description_of, find_description
from pixtrawl.scoring.models.interface import Kind, Vectors, unit
from pixtrawl.scoring.models.onnx_session import one_line, starter
from pixtrawl.scoring.models.preprocess import Preprocess

__all__ = ["ImageModel"]

_TYPES: Final[dict[str, type[np.generic]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


class ImageModel:
    """One ONNX file with one input of pictures, and its description."""

    def __init__(self, path: Path, device: str, description: Description | None = None) -> None:
        """Load the model. The description is read from beside it unless given.

        Raises:
            MissingExtraError: onnxruntime is not installed.
            UsageError: there is no description, it does not fit, or the file cannot be used.
        """
        self._path = path
        if description is None:
            found = find_description(path)
            if found is None:
                raise UsageError(
                    f"{path}: has no description beside it; write {path.stem}.toml with kind, "
                    "size and the meaning of the outputs (docs/on-topic.md)"
                )
            description = description_of(found)
        self.description = description
        self.kind: Kind = description.kind
        self._session = starter(device)(path)
        self._input, self._fixed_rows, self.preprocess = self._read_input()
        self._output = self._choose_output()
        self.name: str = f"{_named(path)}@{self._digest()}"

    def _read_input(self) -> tuple[Any, int, Preprocess]:
        inputs = [one for one in self._session.get_inputs() if len(one.shape) == 4]
        if len(self._session.get_inputs()) != 1 or len(inputs) != 1:
            names = ", ".join(f"{i.name} {i.shape}" for i in self._session.get_inputs())
            raise UsageError(f"{self._path}: takes {names}, not pictures alone")
        (only,) = inputs
        if only.type not in _TYPES:
            raise UsageError(f"{self._path}: takes {only.type}, not float, float16 or uint8")
        rows, *rest = (side if isinstance(side, int) and side > 0 else None for side in only.shape)
        layout = self.description.layout
        if layout is None:
            layout = "nhwc" if rest[2] == 3 and rest[0] != 3 else "nchw"
        channels, height, width = rest if layout == "nchw" else (rest[2], rest[0], rest[1])
        if channels not in {3, None}:
            raise UsageError(
                f"{self._path}: takes pictures of {channels} channels ({only.shape}, {layout})"
            )
        try:
            return only, rows or 0, self.description.preprocess(height, width, layout)
        except UsageError as error:
            raise UsageError(f"{self._path}: {error}") from error

    def _choose_output(self) -> Any:
        outputs = self._session.get_outputs()
        if self.description.output is not None:
            chosen = [one for one in outputs if one.name == self.description.output]
        else:
            chosen = [one for one in outputs if len(one.shape or ()) == 2] or outputs
        if len(chosen) != 1:
            names = ", ".join(one.name for one in outputs)
            raise UsageError(f"{self._path}: `output` must name one of its outputs: {names}")
        return chosen[0]

    def _digest(self) -> str:
        whole = hashlib.sha256()
        external = sorted(self._path.parent.glob(f"{self._path.name}*data"))  # weights beside it
        for path in (self._path, *external):
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        whole.update(repr((self.preprocess, self.description)).encode())
        return whole.hexdigest()[:12]

    def outputs(self, pixels: Vectors) -> Vectors:
        """Return one row of outputs for each picture, activated. Raises UsageError."""
        rows = self._fixed_rows or len(pixels)
        found = [self._run(pixels[at : at + rows], rows) for at in range(0, len(pixels), rows)]
        return _activated(np.concatenate(found), self.description.activation)

    def embed_images(self, pixels: Vectors) -> Vectors:
        """Embed pictures, each of the preprocessing's shape, as rows of length 1."""
        return unit(self.outputs(pixels))

    def _run(self, pixels: Vectors, rows: int) -> Vectors:
        count = len(pixels)
        if count < rows:  # a model exported for a fixed number of rows
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], rows - count, axis=0)])
        type_ = _TYPES[self._input.type]
        given = pixels.astype(type_, copy=False)
        try:
            raw = self._session.run([self._output.name], {self._input.name: given})[0]
        except Exception as error:  # onnxruntime's classes have no root of their own
            raise UsageError(f"{self._path}: the model fails ({one_line(error)})") from error
        found = np.asarray(raw, dtype=np.float32)
        if found.ndim == 1:
            found = found[:, None]
        if found.ndim == 3:  # tokens of a transformer
            token = self.description.token
            if token is not None and not -found.shape[1] <= token < found.shape[1]:
                raise UsageError(f"{self._path}: has no token {token} of {found.shape[1]}")
            found = found.mean(axis=1) if token is None else found[:, token]
        elif found.ndim == 4:  # a map of features
            found = found.mean(axis=(2, 3))
        if found.ndim != 2 or len(found) != rows:
            raise UsageError(f"{self._path}: gave outputs of shape {found.shape} for {rows} rows")
        self._check_width(found.shape[1])
        return found[:count]

    def _check_width(self, width: int) -> None:
        for key, given in (
            ("labels", self.description.labels),
            ("values", self.description.values),
        ):
            if given and len(given) != width:
                raise UsageError(
                    f"{self._path}: has {width} outputs, its description {len(given)} {key}"
                )
        if (
            self.kind == "score"
            and width > 1
            and not (self.description.labels or self.description.values)
        ):
            raise UsageError(f"{self._path}: has {width} outputs; `labels` must name them")


def _named(path: Path) -> str:
    return path.parent.resolve().name if path.stem in {"model", "visual"} else path.stem


def _activated(rows: Vectors, activation: str) -> Vectors:
    if not np.isfinite(rows).all():
        raise UsageError("the model gave outputs that are no finite numbers")
    if activation == "softmax":
        exp = np.exp(rows - rows.max(axis=1, keepdims=True))
        return np.asarray(exp / exp.sum(axis=1, keepdims=True), dtype=np.float32)
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(rows, -60, 60))), dtype=np.float32)
    return rows
