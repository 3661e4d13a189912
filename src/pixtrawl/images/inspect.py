"""Inspect a file's bytes: image info or a reason, by checks in a fixed order, cheapest first.

Runs in the decoder process. Order: empty, signature, container and its cost, pixel cap, decode,
measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pixtrawl.images.appearance.chroma import chroma_grid
from pixtrawl.images.appearance.fine_square import packed_fine_greys
from pixtrawl.images.appearance.measure import measure
from pixtrawl.images.decode import Decoded, RefusedError, decode
from pixtrawl.images.formats import container, sniff
from pixtrawl.images.formats.cost_limits import CostLimits
from pixtrawl.images.formats.exif import upright
from pixtrawl.images.interface import Verdict
from pixtrawl.images.metadata.marks import may_state_rights
from pixtrawl.images.phash import look_at, thumbnail
from pixtrawl.images.record import MEASURES
from pixtrawl.model import ImageInfo, Reason
from pixtrawl.transform import Transform

if TYPE_CHECKING:
    from pixtrawl.images.rendition import RenditionMaker

__all__ = ["inspect_bytes"]


def inspect_bytes(
    data: bytes,
    max_pixels: int,
    transform: Transform | None = None,
    limits: CostLimits = CostLimits(),
) -> Verdict:
    """Inspect a whole file. Never raises for a bad file, not even MemoryError.

    With a `transform` the verdict has a rendition where it could be made from the same decode.
    """
    try:
        name = _whole_format(data, limits)
        decoded = decode(name, data, max_pixels, _renderer(transform, name), limits)
        states_rights = may_state_rights(name, data, decoded.picture_at)
        info = _info(name, len(data), decoded)
        return Verdict(info, states_rights=states_rights, rendition=decoded.rendition)
    except RefusedError as refused:
        return Verdict(None, refused.reason, refused.detail)
    except MemoryError:
        return Verdict(None, Reason.DECODER_MEMORY, f"{len(data)} bytes")


def _info(name: str, size_bytes: int, decoded: Decoded) -> ImageInfo:
    square = upright(thumbnail(decoded.grey, decoded.extent), decoded.turn)
    look = look_at(square)
    return ImageInfo(
        format=name,
        width=decoded.width,
        height=decoded.height,
        frames=decoded.frames,
        size_bytes=size_bytes,
        phash=look.phash,
        phash_trim=look.phash_trim,
        thumb=look.thumb,
        chroma=chroma_grid(decoded.colours, decoded.extent, decoded.turn),
        fine=packed_fine_greys(square, decoded),
        flat=look.flat,
        orientation=decoded.orientation,
        measures=dict(zip(MEASURES, measure(decoded, square, look), strict=True)),
    )


def _renderer(transform: Transform | None, name: str) -> RenditionMaker | None:
    if transform is None:
        return None  # the usual case: decoders then start without encoders and profiles
    from pixtrawl.images.rendition import RenditionMaker

    return RenditionMaker(transform, name)


def _whole_format(data: bytes, limits: CostLimits) -> str:
    """Return the format of a file with a complete container."""
    name = _kept_format(data)
    fault = container.check(name, data, limits)
    if fault:
        raise RefusedError(*fault)
    return name


def _kept_format(data: bytes) -> str:
    if not data:
        raise RefusedError(Reason.EMPTY_BODY)
    name = sniff.sniff(data[: sniff.HEAD_BYTES])
    if name in sniff.KEPT_FORMATS:
        assert name is not None
        return name
    if name == "html":
        raise RefusedError(Reason.HTML)
    if name in sniff.IMAGE_FORMATS:
        raise RefusedError(Reason.UNSUPPORTED_FORMAT, name or "")
    raise RefusedError(Reason.NOT_AN_IMAGE, name or "no known signature")
