"""Colour profiles for tests."""

from __future__ import annotations

from PIL import ImageCms


def swapped_profile() -> bytes:
    """sRGB with the red and green primaries exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132])
    tags = {bytes(data[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    text = tags[b"desc"]
    start = int.from_bytes(data[text + 4 : text + 8])
    size = int.from_bytes(data[text + 8 : text + 12])
    data[start : start + size] = data[start : start + size].replace(b"s\0R\0G\0B", b"X\0R\0G\0B")
    return bytes(data)
