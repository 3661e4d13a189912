"""Describe one picture closely enough to find which of two copies is the original.

Runs in the decoder, and only for near duplicates: it decodes at full size, which costs half as much
again as inspection. The answer is plain numbers of a fixed size (`record.PORTRAIT`), so that the
parent compares pictures without opening a file itself.

The spectrum and the resampling peaks reveal enlargements. Interpolation leaves no energy above the
old Nyquist frequency, and makes the variance of the second derivative periodic with the scale
(A. C. Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", 2005).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.fft
import simplejpeg
from PIL import Image

from pixtrawl.images import exif, jpeg
from pixtrawl.images.conversion import coloured, on_white
from pixtrawl.images.decode import PLUGINS
from pixtrawl.images.exif import upright
from pixtrawl.images.jpeg_history import earlier_quality
from pixtrawl.images.opening import open_picture
from pixtrawl.images.sniff import HEAD_BYTES, sniff
from pixtrawl.portrait import (
    CHROMA_SIDE,
    PEAKS,
    PORTRAIT_SIDE as SIDE,
    TERMS,
    Portrait,
)

__all__ = ["portrait"]

_BLOCK: Final = 64  # pixels of a row or column that one spectrum is taken of
_LINES: Final = 200  # rows and columns of which spectra are averaged
_STEEPEST: Final = 24  # of 255: one strong edge must not outweigh all others
_FFT: Final = 4_096
_LEAST_FOR_PEAKS: Final = 130  # pixels a side
_FINE: Final = {"png": 91.0, "bmp": 91.0, "tiff": 91.0}  # on the scale of JPEG qualities:
# lossless files rank above all but the best JPEGs, as many were converted from one
_USUAL: Final = 80.0  # WebP and AVIF state no quality
_WINDOW: Final = np.hanning(_BLOCK + 1)[:-1].astype(np.float32)

Array = np.ndarray[Any, Any]


def portrait(data: bytes, max_pixels: int) -> Portrait | None:
    """Return the portrait of a file; None where it does not decode or has too many pixels.

    May raise MemoryError.
    """
    try:
        read = _pixels(data, max_pixels)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a plugin raises for a damaged file
        return None
    return None if read is None else _described(*read)


def _described(pixels: Array, turn: int, quality: float, earlier: float | None) -> Portrait:
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    grey, small_pixels = upright(grey, turn), upright(np.asarray(small), turn)
    height, width = grey.shape
    wide = grey.astype(np.float32)
    return Portrait(
        width=width,
        height=height,
        quality=quality,
        earlier_quality=earlier or 0.0,
        clipped=float(((pixels <= 2) | (pixels >= 253)).any(axis=2).mean()),
        noise=_noise(wide),
        grey=Image.fromarray(np.ascontiguousarray(small_pixels)).convert("L").tobytes(),
        chroma=_chroma(small_pixels).tobytes(),
        spectrum=_spectrum(wide) if min(width, height) >= _BLOCK + 16 else (),
        peaks=_peaks(wide) if min(width, height) >= _LEAST_FOR_PEAKS else (),
    )


def _pixels(data: bytes, max_pixels: int) -> tuple[Array, int, float, float | None] | None:
    """Return height x width x 3 RGB, EXIF orientation, quality, and that of an earlier JPEG."""
    name = sniff(data[:HEAD_BYTES]) or ""
    if name not in PLUGINS:
        return None
    quality = _FINE.get(name, _USUAL)
    if name == "jpeg":
        head = jpeg.read_head(data)
        if head.width * head.height > max_pixels:
            return None
        quality = jpeg.quality(head.luma_table)
        if head.components in (1, 3) and head.precision == 8:
            pixels = simplejpeg.decode_jpeg(data, "RGB", strict=False)
            luma = simplejpeg.decode_jpeg(data, "GRAY", strict=False)[:, :, 0]
            earlier = earlier_quality(luma, head.luma_table)
            return pixels, exif.orientation_of(head.exif), quality, earlier
    with open_picture(data, (PLUGINS[name][1],)) as image:
        if image.width * image.height > max_pixels:
            return None
        image.load()
        raw = image.info.get("exif") or b""
        turn = 1 if name == "tiff" else exif.orientation_of(raw)  # Pillow turns a TIFF itself
        flat = on_white(coloured(image))
        earlier = earlier_quality(np.asarray(flat.convert("L"))) if name in _FINE else None
        return np.asarray(flat), turn, quality, earlier


def _chroma(pixels: Array) -> Array:
    side = SIDE // CHROMA_SIDE
    mean = pixels.reshape(CHROMA_SIDE, side, CHROMA_SIDE, side, 3).mean(axis=(1, 3))
    luma = mean @ np.array([0.299, 0.587, 0.114])
    both = np.stack([(mean[..., 2] - luma) * 0.564, (mean[..., 0] - luma) * 0.713], axis=-1)
    packed: Array = np.clip(np.rint(both), -127, 127).astype(np.int8)
    return packed


def _noise(grey: Array) -> float:
    """Return the fine detail of the smoothest sixth of 8 x 8 blocks: grain, not structure."""
    if min(grey.shape) < _BLOCK:
        return 0.0
    mixed = grey[:-1, :-1] - grey[1:, :-1] - grey[:-1, 1:] + grey[1:, 1:]
    down, across = (side // 8 * 8 for side in mixed.shape)
    blocks = mixed[:down, :across].reshape(down // 8, 8, across // 8, 8)
    return float(np.quantile(blocks.std(axis=(1, 3)), 0.15))


def _spectrum(grey: Array) -> tuple[float, ...]:
    """Return the mean power of rows and columns by frequency, in dB."""
    total = np.zeros(TERMS)
    for plane in (grey, grey.T):
        lines, length = plane.shape
        count = length // _BLOCK
        some = np.ascontiguousarray(plane[:: max(1, lines // _LINES), : count * _BLOCK])
        pieces = some.reshape(-1, count, _BLOCK)
        pieces = (pieces - pieces.mean(axis=-1, keepdims=True)) * _WINDOW
        total += (np.abs(np.fft.rfft(pieces, axis=-1)) ** 2).mean(axis=(0, 1))
    return tuple((10 * np.log10(total / 2 + 1e-3)).tolist())


def _peaks(grey: Array) -> tuple[float, ...]:
    """Return how periodic the second derivative is, by frequency, as a multiple of the median."""
    across, down = (_periodic(plane) for plane in (grey, grey.T))
    joined = np.sqrt(across * down)[: PEAKS * 8]
    return tuple(joined.reshape(PEAKS, 8).max(axis=1).tolist())


def _periodic(plane: Array) -> Array:
    bends = np.abs(2 * plane[:, 1:-1] - plane[:, :-2] - plane[:, 2:])
    profile = np.minimum(bends, _STEEPEST).mean(axis=0)
    profile = (profile - np.convolve(profile, np.ones(9) / 9, "same"))[8:-8]
    # Longer lines are cut into the transform's length; what is beyond it adds nothing.
    power: Array = np.abs(np.fft.rfft(profile[:_FFT] * np.hanning(min(profile.size, _FFT)), _FFT))
    middle = float(np.median(power[500:]))
    return power / max(middle, math.ulp(1.0))
