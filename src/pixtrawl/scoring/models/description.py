"""The description beside an ONNX image model: the form of its input, the meaning of its outputs.

`MODEL.toml` or `MODEL.json` for `MODEL.onnx`, or `description.toml` (`.json`) in its folder.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.interface import Kind
from pixtrawl.scoring.models.preprocess import Preprocess, read_preprocess

__all__ = ["Description", "description_of", "find_description"]

_SUFFIXES: Final = (".toml", ".json")
_STEM: Final = "description"
_MOST_LABELS: Final = 100_000


class Description(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A description. Input fields are those of `Preprocess`; without mean and std: 0 and 1."""

    kind: Kind
    size: int | tuple[int, int] | None = None  # px, or [height, width]; None: as the model fixes it
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    scale: float = 255.0
    resize: str = "squash"
    resize_to: int | None = None
    interpolation: str = "bilinear"
    layout: str | None = None  # None: found by the model's shape
    colours: str = "rgb"
    output: str | None = None  # name; None: the only matrix
    token: int | None = None  # of an output of shape (n, tokens, d); None: their mean
    activation: str = "none"  # none | softmax | sigmoid
    labels: tuple[str, ...] = ()  # of the outputs, in order
    values: tuple[float, ...] = ()  # of each output: the column is their mean by probability
    score: str | None = None  # the label whose probability is the column
    columns: tuple[str, ...] = ()  # labels that get a column of their own beside the best one
    licence: str = ""
    source: str = ""  # where the model is from

    def __post_init__(self) -> None:
        if self.activation not in {"none", "softmax", "sigmoid"}:
            raise UsageError("activation is one of none, softmax, sigmoid")
        if len(self.labels) > _MOST_LABELS or len(set(self.labels)) != len(self.labels):
            raise UsageError("labels has a name twice, or too many of them")
        for name in (*self.columns, *([self.score] if self.score is not None else [])):
            if name not in self.labels:
                raise UsageError(f"{name!r} is none of the labels")
        if self.kind == "classifier" and not (self.labels or self.values):
            raise UsageError("a classifier needs labels (or values) for its outputs")

    def preprocess(self, height: int | None, width: int | None, layout: str) -> Preprocess:
        """Return the preprocessing, for an input that the model fixes (None: dynamic)."""
        found: dict[str, Any] = {"mean": self.mean, "std": self.std, "resize_mode": self.resize}
        if self.size is not None:
            found["size"] = self.size
        elif height is None or width is None:
            raise UsageError("size is missing, and the model takes pictures of any size")
        found["interpolation"] = self.interpolation
        return msgspec.structs.replace(
            read_preprocess(found, height, width),
            scale=self.scale, resize_to=self.resize_to, layout=layout, colours=self.colours,
        )  # fmt: skip


def find_description(model: Path) -> Path | None:
    """Return the description beside an ONNX file; None if there is none."""
    stems = (model.with_suffix(""), model.with_name(_STEM))
    places = [stem.with_name(stem.name + suffix) for stem in stems for suffix in _SUFFIXES]
    return next((path for path in places if path.is_file()), None)


def description_of(path: Path) -> Description:
    """Read a description. Raises UsageError, naming the file and the key."""
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    return described(found, str(path))


def described(found: object, where: str) -> Description:
    """Return the description in a parsed file. Raises UsageError, naming `where`."""
    if not isinstance(found, Mapping):
        raise UsageError(f"{where}: is no table of keys")
    for key in found:
        if key not in Description.__struct_fields__:
            near = get_close_matches(str(key), Description.__struct_fields__, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise UsageError(f"{where}: {key!r} is no key of a description{hint}")
    try:
        return msgspec.convert(dict(found), Description)
    except (msgspec.ValidationError, UsageError) as error:
        raise UsageError(f"{where}: {error} (docs/on-topic.md has the keys)") from error
