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
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.fft
import simplejpeg
from PIL import Image

from pixtrawl.images.conversion import coloured, on_white
from pixtrawl.images.decode import PLUGINS
from pixtrawl.images.formats import exif, jpeg
from pixtrawl.images.formats.exif import upright
from pixtrawl.images.formats.sniff import HEAD_BYTES, sniff
from pixtrawl.images.opening import open_picture
from pixtrawl.portrait import (
    BLOCK_PX,
    BLOCKS,
    CHROMA_SIDE,
    LOSSLESS_QUALITY,
    MOST_NOTES,
    PATCH_PX,
    PEAKS,
    PORTRAIT_SIDE as SIDE,
    TERMS,
    Portrait,
    patch_starts,
)

__all__ = ["portrait"]

_BLOCK: Final = 64  # pixels of a row or column that one spectrum is taken of
_LINES: Final = 200  # rows and columns of which spectra are averaged
_STEEPEST: Final = 24  # of 255: one strong edge must not outweigh all others
_FFT: Final = 4_096
_LEAST_FOR_PEAKS: Final = 130  # pixels a side
_LOSSLESS: Final = frozenset({"png", "bmp", "tiff"})
_USUAL: Final = 80.0  # WebP and AVIF state no quality
_AROUND: Final = 17  # columns that one is compared with
_REPEATED: Final = 0.6  # of the usual step to the next column
_FLAT: Final = 0.3  # grey levels
_DETAILED: Final = 1.5  # grey levels of the usual step: below it, compression makes the steps
_LEAST_DETAILED: Final = 0.3  # of the columns
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
    return None if read is None else _described(read)


class _Read(NamedTuple):
    pixels: Array  # height x width x 3 RGB
    luma: Array  # height x width, as stored
    turn: int  # EXIF orientation
    quality: float
    steps: bytes
    notes: int = 0


def _described(read: _Read) -> Portrait:
    pixels, luma, turn, quality, steps, notes = read
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    grey, small_pixels = upright(grey, turn), upright(np.asarray(small), turn)
    height, width = grey.shape
    wide = grey.astype(np.float32)
    return Portrait(
        width=width,
        height=height,
        quality=quality,
        repeated=min(_repeated(wide), _repeated(wide.T)),
        steps=steps,
        blocks=_blocks(luma),
        notes=notes,
        patches=_patches(luma) if turn == 1 else b"",
        clipped=float(((pixels <= 2) | (pixels >= 253)).any(axis=2).mean()),
        noise=_noise(wide),
        grey=Image.fromarray(np.ascontiguousarray(small_pixels)).convert("L").tobytes(),
        chroma=_chroma(small_pixels).tobytes(),
        spectrum=_spectrum(wide) if min(width, height) >= _BLOCK + 16 else (),
        peaks=_peaks(wide) if min(width, height) >= _LEAST_FOR_PEAKS else (),
    )


def _pixels(data: bytes, max_pixels: int) -> _Read | None:
    name = sniff(data[:HEAD_BYTES]) or ""
    if name not in PLUGINS:
        return None
    quality = LOSSLESS_QUALITY if name in _LOSSLESS else _USUAL
    if name == "jpeg":
        head = jpeg.read_head(data)
        if head.width * head.height > max_pixels:
            return None
        quality = jpeg.quality(head.luma_table)
        if head.components in (1, 3) and head.precision == 8:
            pixels = simplejpeg.decode_jpeg(data, "RGB", strict=False)
            luma = simplejpeg.decode_jpeg(data, "GRAY", strict=False)[:, :, 0]
            turn = exif.orientation_of(head.exif)
            return _Read(pixels, luma, turn, quality, _by_row(head.luma_table))
    with open_picture(data, (PLUGINS[name][1],)) as image:
        if image.width * image.height > max_pixels:
            return None
        image.load()
        raw = image.info.get("exif") or b""
        turn = 1 if name == "tiff" else exif.orientation_of(raw)  # Pillow turns a TIFF itself
        flat = on_white(coloured(image))
        steps = bytes([1] * BLOCK_PX**2) if name in _LOSSLESS else b""
        notes = min(len(image.info), MOST_NOTES) if steps else 0
        grey = np.asarray(flat.convert("L"))
        return _Read(np.asarray(flat), grey, turn, quality, steps, notes)


def _by_row(table: tuple[int, ...]) -> bytes:
    """Return a quantisation table by row and column instead of in zigzag order."""
    side = range(BLOCK_PX)
    zigzag = sorted(
        ((row, column) for row in side for column in side),
        key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
    )
    steps = dict(zip(zigzag, table, strict=False))
    if len(steps) < BLOCK_PX**2:
        return b""
    return bytes(min(255, max(1, steps[row, column])) for row in side for column in side)


def _blocks(luma: Array) -> bytes:
    down, across = (side // BLOCK_PX for side in luma.shape)
    if down * across < BLOCKS:
        return b""
    whole = luma[: down * BLOCK_PX, : across * BLOCK_PX]
    blocks = whole.reshape(down, BLOCK_PX, across, BLOCK_PX).transpose(0, 2, 1, 3)
    at = np.linspace(0, down * across - 1, BLOCKS).astype(np.intp)
    some: Array = blocks[at // across, at % across].astype(np.uint8)
    return some.tobytes()


def _patches(luma: Array) -> bytes:
    if min(luma.shape) < PATCH_PX:
        return b""
    down, across = (patch_starts(side) for side in luma.shape)
    return b"".join(
        luma[top : top + PATCH_PX, left : left + PATCH_PX].astype(np.uint8).tobytes()
        for top in down
        for left in across
    )


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


def _repeated(plane: Array) -> float:
    """Return the share of columns like the one before: nearest neighbours leave such."""
    if plane.shape[1] <= _AROUND:
        return 0.0
    steps = np.minimum(np.abs(np.diff(plane, axis=1)), _STEEPEST).mean(axis=0)
    padded = np.pad(steps, _AROUND // 2, mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, _AROUND), axis=1)
    detailed = usual > _DETAILED
    if detailed.mean() < _LEAST_DETAILED:
        return 0.0
    return float((steps < _REPEATED * (usual + _FLAT))[detailed].mean())


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
