"""HTML previews for notebooks: small pictures as data: URIs, limited in bytes."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping
from typing import Final

from pixtrawl.dataset.sheet import small
from pixtrawl.model import Sample

__all__ = ["card", "page", "png", "strip"]

PICTURE_PX: Final = 320  # largest side of a single image
THUMB_PX: Final = 96  # largest side of an image in a strip
STRIP_COUNT: Final = 12
STRIP_BYTES: Final = 150_000  # limit for the HTML of all pictures in a strip
_MAX_LABELS: Final = 12


def png(sample: Sample) -> bytes | None:
    """Return a PNG of at most `PICTURE_PX` pixels a side; None if the file cannot be read."""
    picture = small(sample, PICTURE_PX)
    if picture is None:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def card(sample: Sample) -> str:
    """Return HTML with the picture, its name, size and licence."""
    info = sample.info
    facts = [f"{info.width}×{info.height} {info.format}"]
    if sample.candidate.license:
        facts.append(sample.candidate.license)
    return (
        f'<figure style="margin:0">{_image(sample, PICTURE_PX) or _gone(sample)}<figcaption>'
        f"<code>{_text(sample.file_name)}</code> {_text(', '.join(facts))}</figcaption></figure>"
    )


def strip(samples: Iterable[Sample]) -> str:
    """Return HTML with up to `STRIP_COUNT` pictures side by side, within `STRIP_BYTES`."""
    shown: list[str] = []
    room = STRIP_BYTES
    for sample in samples:
        if len(shown) == STRIP_COUNT:
            break
        image = _image(sample, THUMB_PX) or _gone(sample)
        room -= len(image)
        if room < 0:
            break
        shown.append(image)
    return f'<div style="display:flex;flex-wrap:wrap;gap:4px">{"".join(shown)}</div>'


def page(head: str, counts: Mapping[str, int], samples: Iterable[Sample]) -> str:
    """Return HTML for a data set: a headline, the count of each label, a strip of thumbnails."""
    each = [f"{_text(label)}&nbsp;{count:,}" for label, count in counts.items()]
    more = f", … {len(each) - _MAX_LABELS:,} more" if len(each) > _MAX_LABELS else ""
    labels = ", ".join(each[:_MAX_LABELS]) + more
    return f"<div><b>{_text(head)}</b><br>{labels}{strip(samples)}</div>"


def _image(sample: Sample, size_px: int) -> str:
    """Return an `img` with an embedded JPEG; "" if the file cannot be read."""
    picture = small(sample, size_px)
    if picture is None:
        return ""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    name = _text(sample.file_name)
    return f'<img src="data:image/jpeg;base64,{encoded}" title="{name}" alt="{name}">'


def _gone(sample: Sample) -> str:
    return f"<span>{_text(sample.file_name)}: cannot be read</span>"


def _text(text: str) -> str:
    return html.escape(text if len(text) <= 200 else f"{text[:199]}…")
