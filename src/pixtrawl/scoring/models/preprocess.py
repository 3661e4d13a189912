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
from pixtrawl.images.fit import fit
from pixtrawl.images.formats.sniff import HEAD_BYTES, sniff
from pixtrawl.images.pixels import rgb
from pixtrawl.transform import BadPictureError, Transform

__all__ = ["CLIP_MEAN", "CLIP_STD", "BadPictureError", "Preprocess", "read_preprocess"]

CLIP_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Final = (0.26862954, 0.26130258, 0.27577711)
MODES: Final = ("shortest", "squash", "pad")
LAYOUTS: Final = ("nchw", "nhwc")
COLOURS: Final = ("rgb", "bgr")
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
    crops the centre, as CLIP does; `squash` gives up the aspect, as SigLIP does; `pad` keeps all
    of the picture, with black around it.
    """

    size: tuple[int, int] = (_DEFAULT_SIDE, _DEFAULT_SIDE)
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    mode: str = "shortest"
    interpolation: str = "bicubic"
    resize_to: int | None = None  # px: shorter side before the centre is cut out; None: the size
    layout: str = "nchw"
    colours: str = "rgb"
    scale: float = 255.0  # values of 0 to 255 are divided by this, before mean and std

    def __post_init__(self) -> None:
        if not all(1 <= side <= _MAX_SIDE for side in self.size):
            raise UsageError(f"a picture size of {self.size} is not between 1 and {_MAX_SIDE}")
        if self.mode not in MODES:
            raise UsageError(f"unknown resize mode {self.mode!r} (one of {', '.join(MODES)})")
        if self.interpolation not in _FILTERS:
            known = ", ".join(_FILTERS)
            raise UsageError(f"unknown interpolation {self.interpolation!r} (one of {known})")
        if min(self.std) <= 0 or self.scale <= 0:
            raise UsageError("std and scale must be above 0")
        if self.resize_to is not None and self.resize_to < max(self.size):
            raise UsageError(f"resize_to is {self.resize_to}, less than the size {self.size}")
        if self.layout not in LAYOUTS or self.colours not in COLOURS:
            raise UsageError(
                f"layout is one of {', '.join(LAYOUTS)}, colours one of {', '.join(COLOURS)}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the array of one picture."""
        return (3, *self.size) if self.layout == "nchw" else (*self.size, 3)

    @property
    def transform(self) -> Transform:
        """The small picture from which `pixels` makes nearly the same as from the file.

        A JPEG, because a PNG costs more to write than the decoding that it saves.
        """
        side = self.resize_to or max(self.size)
        return Transform(mode="keep_ratio", size=side, upscale=False, encode="jpg", flatten="white")

    def pixels_as_collected(self, data: bytes) -> NDArray[np.float32]:
        """Decode a file to the array that its small picture gives, to the last bit.

        A score must not depend on whether a run was killed between inspecting a file and scoring
        it, so a file that is read again passes through its small picture, too. Raise
        BadPictureError.
        """
        format_ = sniff(data[:HEAD_BYTES]) or ""
        return self.pixels(fit(self.transform, data, format_).data)

    def pixels(self, data: bytes) -> NDArray[np.float32]:
        """Decode a file to an array of `shape`. Raises BadPictureError."""
        image = self._framed(rgb(data, at_least_px=self.resize_to or max(self.size)))
        pixels = np.asarray(image, dtype=np.float32) / np.float32(self.scale)
        if self.colours == "bgr":
            pixels = pixels[:, :, ::-1]
        normal = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1) if self.layout == "nchw" else normal)

    def _framed(self, image: Image.Image) -> Image.Image:
        height, width = self.size
        resampling = _FILTERS[self.interpolation]
        if self.mode == "squash":
            if self.resize_to is None:
                return image.resize((width, height), resampling)
            image = image.resize((self.resize_to, self.resize_to), resampling)
            x, y = (self.resize_to - width) // 2, (self.resize_to - height) // 2
            return image.crop((x, y, x + width, y + height))
        if self.mode == "pad":
            fit = min(width / image.width, height / image.height)
            inner = (max(1, round(image.width * fit)), max(1, round(image.height * fit)))
            whole = Image.new("RGB", (width, height))
            at = ((width - inner[0]) // 2, (height - inner[1]) // 2)
            whole.paste(image.resize(inner, resampling), at)
            return whole
        # Crop a long strip to its middle before scaling: the scaled whole could be huge.
        if self.resize_to is not None:
            scale = float(self.resize_to) / min(image.width, image.height)
        else:
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
        height: height of the model's input in pixels; None if it is dynamic.
        width: width of the model's input in pixels; None if it is dynamic.

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
