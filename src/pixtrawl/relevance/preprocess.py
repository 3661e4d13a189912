"""Image files to a model's input: upright, on white, resized, cropped, normalised.

The numbers are those of CLIP (Radford et al. 2021) unless a file beside the model gives others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image

from pixtrawl.errors import UsageError
from pixtrawl.images.pixels import rgb
from pixtrawl.transform import BadPictureError

__all__ = ["CLIP_MEAN", "CLIP_STD", "BadPictureError", "Preprocess", "read_preprocess"]

CLIP_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Final = (0.26862954, 0.26130258, 0.27577711)
MODES: Final = ("shortest", "squash")
_MAX_SIDE: Final = 4096  # of a model's input
_DEFAULT_SIDE: Final = 224
_FILTERS: Final = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}
_FILTER_NUMBERS: Final = {1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's, in `resample`


class Preprocess(Struct, frozen=True, kw_only=True):
    """The preprocessing of pictures.

    `size` is (height, width) in pixels. Mode `shortest` scales until the picture covers it and
    crops the centre, as CLIP does; `squash` gives up the aspect, as SigLIP does.
    """

    size: tuple[int, int] = (_DEFAULT_SIDE, _DEFAULT_SIDE)
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    mode: str = "shortest"
    interpolation: str = "bicubic"

    def __post_init__(self) -> None:
        if not all(1 <= side <= _MAX_SIDE for side in self.size):
            raise UsageError(f"a picture size of {self.size} is not between 1 and {_MAX_SIDE}")
        if self.mode not in MODES:
            raise UsageError(f"unknown resize mode {self.mode!r} (one of {', '.join(MODES)})")
        if self.interpolation not in _FILTERS:
            known = ", ".join(_FILTERS)
            raise UsageError(f"unknown interpolation {self.interpolation!r} (one of {known})")
        if min(self.std) <= 0:
            raise UsageError("std must be above 0")

    def pixels(self, data: bytes) -> NDArray[np.float32]:
        """Decode a file to an array of shape (3, height, width). Raises BadPictureError."""
        image = self._framed(rgb(data, at_least_px=max(self.size)))
        pixels = np.asarray(image, dtype=np.float32) / 255
        normal = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1))

    def _framed(self, image: Image.Image) -> Image.Image:
        height, width = self.size
        resampling = _FILTERS[self.interpolation]
        if self.mode == "squash":
            return image.resize((width, height), resampling)
        # Crop a long strip to its middle before scaling: the scaled whole could be huge.
        scale = max(width / image.width, height / image.height)
        wide, high = width / scale, height / scale
        left, top = (image.width - wide) / 2, (image.height - high) / 2
        return image.resize((width, height), resampling, (left, top, left + wide, top + high))


def read_preprocess(
    found: Mapping[str, Any], height: int | None = None, width: int | None = None
) -> Preprocess:
    """Read our `preprocess.json`, open_clip's `preprocess_cfg` or transformers' configuration.

    Args:
        found: the parsed file; {} for CLIP's own values.
        height: of the model's input, in pixels; None where it is dynamic.
        width: the same.

    Raises:
        UsageError: a value cannot be used.
    """
    found = {name: value for name, value in found.items() if value is not None}
    size = found.get("size", found.get("crop_size"))
    crop = found.get("crop_size") if found.get("do_center_crop", True) else None
    both = _size(crop or size or (height or _DEFAULT_SIDE, width or _DEFAULT_SIDE))
    if (height or both[0], width or both[1]) != both:
        raise UsageError(f"the model takes {height}x{width} pixels, its preprocessing gives {both}")
    squash = found.get("do_center_crop") is False or (
        isinstance(size, Mapping) and "height" in size and "do_center_crop" not in found
    )
    mode = found.get("resize_mode", "squash" if squash else "shortest")
    resample = found.get("resample", 3)
    return Preprocess(
        size=both,
        mean=_three(found.get("mean", found.get("image_mean", CLIP_MEAN))),
        std=_three(found.get("std", found.get("image_std", CLIP_STD))),
        mode=str(mode),
        interpolation=str(found.get("interpolation", _FILTER_NUMBERS.get(resample, resample))),
    )


def _size(value: object) -> tuple[int, int]:
    if isinstance(value, Mapping):
        one = value.get("shortest_edge")
        value = one if one is not None else (value.get("height"), value.get("width"))
    pair = (value, value) if isinstance(value, int) else value
    if isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2:
        height, width = pair
        if isinstance(height, int) and isinstance(width, int):
            return height, width
    raise UsageError(f"a picture size of {value!r} is neither a number nor [height, width]")


def _three(value: object) -> tuple[float, float, float]:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3:
        first, second, third = value
        if all(isinstance(one, int | float) for one in value):
            return float(first), float(second), float(third)
    raise UsageError(f"{value!r} is not three numbers, one for each colour")
