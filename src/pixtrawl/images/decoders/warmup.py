"""Inspect one tiny picture of each format before the sandbox limits are set.

Everything that a codec loads on first use (plugins, tables, text encodings) is then in memory,
shared by all forks, and no file has to be opened after opening is forbidden.
"""

from __future__ import annotations

import io

from PIL import Image

from pixtrawl.images.appearance.portrait import portrait
from pixtrawl.images.decode import PLUGINS
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.metadata.rights import read_rights
from pixtrawl.images.record import RIGHTS_FIELDS, pack_portrait, pack_rights, pack_verdict
from pixtrawl.transform import Transform

__all__ = ["run"]


def run(max_pixels: int, transform: Transform | None = None) -> None:
    """Decode a picture of each format and discard the results."""
    Image.preinit()
    picture = Image.linear_gradient("L").resize((72, 66))
    for name in sorted({name for _, name in PLUGINS.values()} - {"MPO"}):
        buffer = io.BytesIO()
        mode = "RGBA" if name in ("PNG", "WEBP", "AVIF") else "RGB"
        fast = {"speed": 10} if name == "AVIF" else {}
        picture.convert(mode).save(buffer, name, **fast)
        verdict = inspect_bytes(buffer.getvalue(), max_pixels, transform)
        pack_verdict(0, verdict)
        inspect_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2], max_pixels)
        pack_rights(0, read_rights(buffer.getvalue()))
    cmyk = io.BytesIO()
    picture.convert("CMYK").save(cmyk, "JPEG")
    inspect_bytes(cmyk.getvalue(), max_pixels, transform)
    pack_rights(0, dict.fromkeys(RIGHTS_FIELDS, ""))
    large = io.BytesIO()  # large enough for a portrait's spectra
    picture.resize((136, 132)).save(large, "JPEG")
    pack_portrait(0, portrait(large.getvalue(), max_pixels))
