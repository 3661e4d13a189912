"""Recognise human checks made of photographs by their layout: grids of tiles, sliders. Pure.

Both are dialogs: bands of even ground above and below photographs. A grid differs from a collage by
the head line and the foot with its button, a slider from a framed photograph by the track below it,
as wide as the photograph and with a knob at one end. Works on the small grey picture that decoding
returns; most pictures end at the first test, which reads four rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["GRID_CHECK", "SLIDER_CHECK", "human_check"]

GRID_CHECK: Final = 1.0
SLIDER_CHECK: Final = 2.0

Grey = np.ndarray[Any, Any]

_EVEN: Final = 7  # of 255, about the tone of a band
_BAND: Final = 0.55  # share of a row that has the tone of its band: letters cover the rest
_EDGE_BAND: Final = 0.85  # the same for rows at the very edge
_HEAD: Final = (0.09, 0.36)  # heights as shares of the picture
_FOOT: Final = (0.06, 0.3)
_TILES: Final = (3, 4)  # across, as all widespread checks have
_GAP: Final = 0.62  # share of a line between tiles that is lighter than what lies beside it
_LEAST_PX: Final = 40  # of a side
_LIGHTER: Final = 7  # of 255
_BELOW: Final = (0.14, 0.5)  # height below a slider's photograph
_TRACK_TONE: Final = (3, 70)  # of 255, from the ground of the dialog
_TRACK: Final = (0.05, 0.2)  # height as a share of the picture
_TRACK_EVEN: Final = 0.5  # share of a track's row that has its tone: a line of text lies on it
_KNOB: Final = 8  # of 255, from the track


def human_check(grey: Grey) -> float:
    """Return GRID_CHECK or SLIDER_CHECK for a picture that is one, 0.0 for all others."""
    if min(grey.shape) < _LEAST_PX or not _has_edge_bands(grey):
        return 0.0
    values = grey.astype(np.int16)
    if _is_grid_check(values):
        return GRID_CHECK
    return SLIDER_CHECK if _is_slider_check(values) else 0.0


def _is_grid_check(values: Grey) -> bool:
    """Return whether it is a head line, a square grid of tiles with light gaps, and a foot."""
    height, width = values.shape
    if not 1.08 * width <= height <= 2.2 * width:
        return False
    rows = _filled_rows(values)
    if rows is None:
        return False
    left, right = _filled_columns(values[(rows[0] + rows[1]) // 2 : rows[1]], _ground(values))
    bottom, side = rows[1], right - left
    top = bottom - side
    if side < 0.8 * width or not (
        _HEAD[0] <= top / height <= _HEAD[1] and _FOOT[0] <= 1 - bottom / height <= _FOOT[1]
    ):
        return False
    if _band_share(values[:top]) < 0.7 or _band_share(values[bottom:]) < 0.7:
        return False
    body = values[top:bottom, left:right]
    across, down = _gap_shares(body), _gap_shares(body.T)
    return any(_has_gaps(across, count) and _has_gaps(down, count) for count in _TILES)


def _is_slider_check(values: Grey) -> bool:
    """Return whether it is a photograph in an even frame, above a track with a knob."""
    height, width = values.shape
    if not 0.5 <= height / width <= 1.6:
        return False
    rows = _filled_rows(values)
    if rows is not None and 1 - rows[1] / height < _BELOW[0]:
        rows = _filled_rows(values, most_gap=0)  # a track close below it was taken for a part of it
    if rows is None:
        return False
    (top, bottom), ground = rows, _ground(values)
    if not 0.02 <= top / height <= 0.32 or not _BELOW[0] <= 1 - bottom / height <= _BELOW[1]:
        return False
    left, right = _filled_columns(values[top:bottom], ground)
    if right - left < 0.7 * width or _band_share(values[:top]) < 0.7:
        return False
    if not _is_framed(np.abs(values[top:bottom] - ground), left, right):
        return False
    return _has_track(values[bottom:, left:right], ground, height)


def _is_framed(distance: Grey, left: int, right: int) -> bool:
    """Return whether the ground ends in straight edges on both sides of the photograph."""
    beside = np.concatenate((distance[:, :left], distance[:, right:]), axis=1)
    edges = distance[:, [left + 1, right - 2]]
    return (
        beside.size > 0
        and float((beside <= 2 * _EVEN).mean()) >= 0.6
        and float((edges > 3 * _EVEN).mean()) >= 0.6
    )


def _has_edge_bands(grey: Grey) -> bool:
    """Return whether the outermost rows but one are even: no photograph that fills its frame is."""
    return all(_evenness(grey[row]) >= _EDGE_BAND for row in (1, -2))


def _evenness(row: Grey) -> float:
    values = row.astype(np.int16)
    return float((np.abs(values - int(np.median(values))) <= _EVEN).mean())


def _ground(values: Grey) -> int:
    return int(np.median(values[-2]))


def _band_share(rows: Grey) -> float:
    """Return the share of rows of which most has one tone: text on even ground."""
    tone = np.median(rows, axis=1)[:, None]
    return float(((np.abs(rows - tone) <= _EVEN).mean(axis=1) >= _BAND).mean())


def _filled_rows(values: Grey, most_gap: int | None = None) -> tuple[int, int] | None:
    """Return first row and end of the longest part that is mostly not of the dialog's ground."""
    gap = max(2, round(0.025 * len(values))) if most_gap is None else most_gap
    near = (np.abs(values - _ground(values)) <= _EVEN).mean(axis=1)
    return _longest_run(near < 0.45, most_gap=gap)


def _filled_columns(values: Grey, ground: int) -> tuple[int, int]:
    filled = np.flatnonzero((np.abs(values - ground) > _EVEN).mean(axis=0) > 0.5)
    return (int(filled[0]), int(filled[-1]) + 1) if filled.size else (0, 0)


def _longest_run(busy: Grey, most_gap: int) -> tuple[int, int] | None:
    """Return begin and end of the longest run of busy rows; gaps of `most_gap` do not end it."""
    at = np.flatnonzero(busy)
    if not at.size:
        return None
    breaks = np.flatnonzero(np.diff(at) > most_gap + 1)
    begins, ends = np.r_[at[0], at[breaks + 1]], np.r_[at[breaks], at[-1]] + 1
    best = int(np.argmax(ends - begins))
    return int(begins[best]), int(ends[best])


def _gap_shares(body: Grey) -> Grey:
    """Return for each column the share of rows in which it is lighter than both sides of it."""
    beside = np.maximum(body[:, :-4], body[:, 4:])
    middle = np.maximum(body[:, 2:-2], np.maximum(body[:, 1:-3], body[:, 3:-1]))
    lighter = (middle >= beside + _LIGHTER) | (middle >= 245)
    return np.pad(lighter.mean(axis=0), 2)


def _has_gaps(shares: Grey, tiles: int) -> bool:
    """Return whether there are gaps at equal distances, and none between them."""
    size = shares.size
    reach = max(2, round(0.02 * size))
    for at in range(1, tiles):
        middle = round(size * at / tiles)
        if shares[middle - reach : middle + reach + 1].max() < _GAP:
            return False
    inner = [round(size * (at + 0.5) / tiles) for at in range(tiles)]
    return float(np.mean([shares[at - 1 : at + 2].min() for at in inner])) < 0.45


def _has_track(part: Grey, ground: int, height: int) -> bool:
    """Return whether rows of one tone, as wide as the photograph, have a knob at their left end."""
    tone = np.median(part[:, part.shape[1] // 3 :], axis=1)
    even = (np.abs(part[:, part.shape[1] // 3 :] - tone[:, None]) <= _EVEN).mean(axis=1)
    differs = np.abs(tone - ground)
    of_track = (even >= _TRACK_EVEN) & (differs >= _TRACK_TONE[0]) & (differs <= _TRACK_TONE[1])
    rows = _longest_run(of_track, most_gap=2)
    if rows is None or not _TRACK[0] <= (rows[1] - rows[0]) / height <= _TRACK[1]:
        return False
    track = part[rows[0] : rows[1]]
    track = track[1:-1] if len(track) > 4 else track
    off = (np.abs(track - int(np.median(tone[rows[0] : rows[1]]))) > _KNOB).mean(axis=0)
    knob, rest = off[: max(3, off.size // 5)], off[2 * off.size // 3 :]
    return float(knob.max()) >= 0.5 and float(rest.mean()) <= 0.12
