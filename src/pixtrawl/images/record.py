"""Messages between parent and decoder: fixed sizes and plain numbers, never a pickle.

A hostile file may have taken over the decoder, so every field of an answer is checked before it
becomes an image info: closed lists by index, numbers by range, text by character.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl import portrait
from pixtrawl.images.formats.sniff import EXTENSIONS
from pixtrawl.images.interface import Verdict
from pixtrawl.model import FINE_BYTES, ImageInfo, Reason
from pixtrawl.transform import MAX_SIDE_PX, Picture, Transform

__all__ = [
    "ANSWER_BYTES",
    "DIED",
    "HELLO",
    "INSPECT",
    "MAGIC",
    "MEASURES",
    "PDQ",
    "PORTRAIT",
    "RENDER",
    "REQUEST",
    "RIGHTS",
    "RIGHTS_BYTES",
    "RIGHTS_FIELDS",
    "HostileAnswerError",
    "InspectionRequest",
    "answer_size",
    "pack_failure",
    "pack_pdq",
    "pack_portrait",
    "pack_rendition",
    "pack_rights",
    "pack_verdict",
    "unpack_pdq",
    "unpack_portrait",
    "unpack_rendered",
    "unpack_rights",
    "unpack_verdict",
]  # fmt: skip

INSPECT: Final = 1
RIGHTS: Final = 2
RENDER: Final = 3  # INSPECT, with the picture to export after the verdict
PDQ: Final = 4  # the hashes of `images.appearance.pdq`
PORTRAIT: Final = 5  # the description of `images.appearance.portrait`

MEASURES: Final = (
    "brightness",  # mean grey, 0..1
    "contrast",  # standard deviation of grey, 0..0.5
    "entropy",  # of the grey histogram, 0..8 bits
    "sharpness",  # variance of the Laplacian, grey levels squared
    "edges",  # share of pixels at a steep step, 0..1: text and drawings have many
    "gradient",  # PDQ's quality, 0..100
    "jpeg_quality",  # estimated from the quantisation table, 1..100; 0: not a JPEG
    "has_alpha",
    "alpha_mean",  # 0 wholly transparent .. 1 opaque
    "is_gray",
    "has_exif",
    "animated",
    "mean_red",  # 0..1, of flat pictures only, which are compared by colour, not by hash
    "mean_green",
    "mean_blue",
    "human_check",  # of `images.junk.layout`: 1 a grid of tiles, 2 a slider
    "one_ink",  # of `images.junk.ink`, 0..1; 0 (not measured): many tones, or no ground
    "upscale",  # factor by which it was enlarged before it was published; 1: no trace
)

REQUEST: Final = struct.Struct("<BIH")  # kind, task, bytes of name that follow
MAGIC: Final = b"pxt1"
HELLO: Final = struct.Struct("<4sII")  # magic, process id, containment bits
DIED: Final = struct.Struct("<Ii")  # process id, exit status as in waitstatus_to_exitcode
_VERDICT: Final = struct.Struct(f"<IBBIIIBBBQ32s32s4096s512s{len(MEASURES)}dH{FINE_BYTES}s120s")
_RIGHTS_HEAD: Final = struct.Struct("<II")  # task, bytes of JSON
RIGHTS_BYTES: Final = 16 * 1024
_PDQ: Final = struct.Struct("<IB" + "B256s" * 2)  # task, pictures; quality and eight hashes of each
# Task, whether there is one, sides, quality, clipped, noise, which lists there are, arrays.
_SERIES: Final = portrait.TERMS + portrait.PEAKS
_PORTRAIT: Final = struct.Struct(
    f"<IBIIdddd?????B{portrait.PORTRAIT_SIDE**2}s{2 * portrait.CHROMA_SIDE**2}s"
    f"{portrait.BLOCK_PX**2}s{portrait.BLOCKS_BYTES}s{portrait.PATCHES_BYTES}s{_SERIES}f"
)
_RENDITION_HEAD: Final = struct.Struct("<HHI")  # width, height, bytes that follow; 0: none
RENDITION_BYTES: Final = 16 * 2**20

ANSWER_BYTES: Final[Mapping[int, int]] = {
    INSPECT: _VERDICT.size,
    RIGHTS: _RIGHTS_HEAD.size + RIGHTS_BYTES,
    PDQ: _PDQ.size,
    PORTRAIT: _PORTRAIT.size,
    RENDER: _VERDICT.size + _RENDITION_HEAD.size,  # followed by the bytes that its head announces
}

_FORMATS: Final = tuple(EXTENSIONS)
_REASONS: Final = (
    Reason.SAVED,  # stands for "a whole image"
    Reason.EMPTY_BODY,
    Reason.NOT_AN_IMAGE,
    Reason.HTML,
    Reason.UNSUPPORTED_FORMAT,
    Reason.TRUNCATED,
    Reason.CORRUPT,
    Reason.TOO_MANY_PIXELS,
    Reason.DECODER_MEMORY,
    Reason.STORE_FAILED,
    Reason.TOO_MANY_SCANS,
    Reason.TOO_MANY_FRAMES,
    Reason.TOO_MANY_BLOCKS,
)


class HostileAnswerError(Exception):
    """A decoder's answer breaks the protocol: it may have been taken over by a file."""


class InspectionRequest(Struct, frozen=True):
    """A request for one file."""

    kind: int
    task: int
    name: str

    def pack(self) -> bytes:
        name = self.name.encode()
        return REQUEST.pack(self.kind, self.task, len(name)) + name


def pack_verdict(task: int, verdict: Verdict) -> bytes:
    """Encode the answer to INSPECT, in the decoder."""
    info = verdict.info or ImageInfo(format=_FORMATS[0])
    return _VERDICT.pack(
        task, _REASONS.index(verdict.reason or Reason.SAVED), _FORMATS.index(info.format),
        info.width, info.height, info.frames, info.orientation, info.flat, verdict.states_rights,
        info.size_bytes, info.phash, info.phash_trim, info.thumb, info.chroma,
        *(round(info.measures.get(name, 0.0), 6) for name in MEASURES),
        len(info.fine), info.fine, verdict.detail.encode("ascii", "replace")[:120],
    )  # fmt: skip


def pack_failure(kind: int, task: int, detail: str, *, memory: bool = False) -> bytes:
    """Encode the answer for a file that could not be read, in the decoder."""
    if kind == RIGHTS:
        return pack_rights(task, {})
    if kind == PDQ:
        return pack_pdq(task, ())
    if kind == PORTRAIT:
        return pack_portrait(task, None)
    reason = Reason.DECODER_MEMORY if memory else Reason.STORE_FAILED
    verdict = pack_verdict(task, Verdict(None, reason, detail))
    return verdict + pack_rendition(None) if kind == RENDER else verdict


def pack_rendition(picture: Picture | None) -> bytes:
    """Encode the part after the verdict in the answer to RENDER, in the decoder."""
    if picture is None or len(picture.data) > RENDITION_BYTES:
        return _RENDITION_HEAD.pack(0, 0, 0)
    return _RENDITION_HEAD.pack(picture.width, picture.height, len(picture.data)) + picture.data


def answer_size(kind: int, begun: bytes | bytearray) -> int:
    """Return the size of an answer from its first bytes, as far as known yet, in the parent.

    Raises:
        HostileAnswerError: it would be longer than any valid answer.
    """
    size = ANSWER_BYTES[kind]
    if kind == RENDER and len(begun) >= size:
        length: int = _RENDITION_HEAD.unpack_from(begun, _VERDICT.size)[2]
        _demand(length <= RENDITION_BYTES, "length")
        return size + length
    return size


def unpack_rendered(
    data: bytes, task: int, size_bytes: int, max_pixels: int, transform: Transform
) -> Verdict:
    """Decode the answer to RENDER, in the parent. Raise as `unpack_verdict`.

    The picture's bytes are not checked: like any file of the data set, readers must treat them as
    untrusted.
    """
    verdict = unpack_verdict(data[: _VERDICT.size], task, size_bytes, max_pixels)
    width, height, length = _RENDITION_HEAD.unpack_from(data, _VERDICT.size)
    if not length or verdict.info is None:
        return verdict
    _demand(0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX, "rendition")
    format_ = verdict.info.format
    picture = Picture(
        data[-length:], transform.extension(format_), transform.format(format_), width, height
    )
    return replace(verdict, rendition=picture)


def unpack_verdict(data: bytes, task: int, size_bytes: int, max_pixels: int) -> Verdict:
    """Decode and check, in the parent, the answer for file number `task` of `size_bytes`.

    Raises:
        HostileAnswerError: any field is out of its range.
    """
    (
        of_task, reason_at, format_at, width, height, frames, orientation, flat, rights,
        _size, phash, phash_trim, thumb, chroma, *rest,
    ) = _VERDICT.unpack(data)  # fmt: skip
    _demand(of_task == task, "task")
    _demand(reason_at < len(_REASONS), "reason")
    if reason_at:
        return Verdict(None, _REASONS[reason_at], _clean(rest[-1]))
    *values, fine_length, fine, _ = rest
    _demand(format_at < len(_FORMATS), "format")
    _demand(min(width, height) > 0 and width * height <= max_pixels, "size")
    _demand(frames >= 1 and 1 <= orientation <= 8, "frames or orientation")
    _demand(flat <= 1 and rights <= 1, "mark")
    _demand(fine_length <= FINE_BYTES, "length")
    # A sum is not finite where one of its terms is not.
    _demand(math.isfinite(sum(values)) and max(map(abs, values)) < 1e12, "measures")
    info = ImageInfo(
        format=_FORMATS[format_at],
        width=width,
        height=height,
        frames=frames,
        size_bytes=size_bytes,
        phash=phash,
        phash_trim=phash_trim,
        thumb=thumb,
        chroma=chroma,
        fine=fine[:fine_length],
        flat=bool(flat),
        orientation=orientation,
        measures=dict(zip(MEASURES, values, strict=True)),
    )
    return Verdict(info, states_rights=bool(rights))


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise HostileAnswerError(f"the decoder's answer has an impossible {what}")


def _clean(text: bytes) -> str:
    """Reduce text to printable ASCII: it is shown in terminals, reports and web pages."""
    return "".join(chr(code) for code in text if 32 <= code < 127)


def pack_rights(task: int, rights: Mapping[str, Any]) -> bytes:
    """Encode the answer to RIGHTS, in the decoder; fields that exceed its size are left out."""
    kept = dict(rights)
    text = json.dumps(kept).encode("ascii")
    while len(text) > RIGHTS_BYTES:
        del kept[max(kept, key=lambda name: len(json.dumps(kept[name])))]
        text = json.dumps(kept).encode("ascii")
    return _RIGHTS_HEAD.pack(task, len(text)) + text.ljust(RIGHTS_BYTES, b"\x00")


def unpack_rights(data: bytes, task: int) -> dict[str, str | bool]:
    """Decode known fields of short printable text, and booleans, in the parent. Raise as above."""
    of_task, length = _RIGHTS_HEAD.unpack_from(data)
    _demand(of_task == task, "task")
    _demand(length <= RIGHTS_BYTES, "length")
    try:
        found = json.loads(data[_RIGHTS_HEAD.size : _RIGHTS_HEAD.size + length])
    except (ValueError, RecursionError) as error:
        raise HostileAnswerError("the decoder's answer is no JSON") from error
    _demand(isinstance(found, dict), "shape")
    kept: dict[str, str | bool] = {}
    for name in RIGHTS_FIELDS:
        value = found.get(name)
        if isinstance(value, bool):
            kept[name] = value
        elif isinstance(value, str) and value.strip():
            kept[name] = "".join(c for c in value[:2000] if c.isprintable()).strip()
    return kept


def pack_pdq(task: int, found: Sequence[tuple[int, Sequence[bytes]]]) -> bytes:
    """Encode the answer to PDQ, of at most two pictures, in the decoder."""
    rows = [(quality, b"".join(hashes)) for quality, hashes in found[:2]]
    rows += [(0, b"")] * (2 - len(rows))
    return _PDQ.pack(task, len(found[:2]), *(value for row in rows for value in row))


def unpack_pdq(data: bytes, task: int) -> list[tuple[int, tuple[bytes, ...]]]:
    """Return quality and eight hashes of each picture, in the parent. Raise as above."""
    of_task, count, *values = _PDQ.unpack(data)
    _demand(of_task == task, "task")
    _demand(count <= 2 and all(one <= 100 for one in values[::2]), "hash")
    return [
        (quality, tuple(packed[at : at + 32] for at in range(0, 256, 32)))
        for quality, packed in list(zip(values[::2], values[1::2], strict=True))[:count]
    ]


def pack_portrait(task: int, one: portrait.Portrait | None) -> bytes:
    """Encode the answer to PORTRAIT, in the decoder; None for a file that does not decode."""
    if one is None:
        return _PORTRAIT.pack(task, 0, *[0] * 12, *[b""] * 5, *[0.0] * _SERIES)
    return _PORTRAIT.pack(
        task, 1, one.width, one.height, one.quality, one.clipped, one.noise,
        one.repeated, bool(one.spectrum), bool(one.peaks), bool(one.steps), bool(one.blocks),
        bool(one.patches), one.notes, one.grey, one.chroma, one.steps, one.blocks, one.patches,
        *(one.spectrum or [0.0] * portrait.TERMS), *(one.peaks or [0.0] * portrait.PEAKS),
    )  # fmt: skip


def unpack_portrait(data: bytes, task: int, max_pixels: int) -> portrait.Portrait | None:
    """Decode and check the answer to PORTRAIT, in the parent. Raise as above."""
    (
        of_task, there, width, height, quality, clipped, noise, repeated, has_spectrum, has_peaks,
        has_steps, has_blocks, has_patches, notes, grey, chroma, steps, blocks, patches, *values,
    ) = _PORTRAIT.unpack(data)  # fmt: skip
    _demand(of_task == task, "task")
    if not there:
        return None
    _demand(min(width, height) > 0 and width * height <= max_pixels, "size")
    _demand(not has_steps or 0 not in steps, "steps")
    numbers = (quality, clipped, noise, repeated, *values)
    _demand(math.isfinite(sum(numbers)) and max(map(abs, numbers)) < 1e9, "portrait")
    return portrait.Portrait(
        width=width, height=height, quality=quality, clipped=clipped, noise=noise, grey=grey,
        notes=notes, chroma=chroma, repeated=repeated, steps=steps * has_steps,
        blocks=blocks * has_blocks, spectrum=tuple(values[:portrait.TERMS] * has_spectrum),
        patches=patches * has_patches, peaks=tuple(values[portrait.TERMS:] * has_peaks),
    )  # fmt: skip


RIGHTS_FIELDS: Final = (
    "creator", "copyright", "credit", "source", "usage_terms", "web_statement", "license_url",
    "digital_source_type", "data_mining", "other_constraints", "tdm_reservation",
    "training_mining", "description", "c2pa",
)  # fmt: skip
"""`c2pa` is a boolean, the others are text of at most 2,000 characters."""
