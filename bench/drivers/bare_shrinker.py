"""The bound of shrinking: decode, fit into 256x256 on white, JPEG q95; nothing else.

JPEG at the power of two that leaves twice the size, and Hamming's filter, as `pixtrawl export` has
it: box filters are faster and 2 dB worse. One process a core.   bare_shrinker.py FOLDER [COUNT]
"""

import io
import os
import sys
from multiprocessing import Pool
from pathlib import Path

import simplejpeg
from PIL import Image

_SIDE = 256


def shrink(path: str) -> int:
    data = Path(path).read_bytes()
    if path.endswith(".jpg"):
        height, width = simplejpeg.decode_jpeg_header(data)[:2]
        factor = max(f for f in (1, 2, 4, 8) if f == 1 or max(height, width) >= 2 * _SIDE * f)
        image = Image.fromarray(
            simplejpeg.decode_jpeg(
                data, "RGB", min_height=height // factor, min_width=width // factor,
                min_factor=factor,
            )
        )  # fmt: skip
    else:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", (_SIDE, _SIDE), "white")
    at = ((_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2)
    canvas.paste(image.resize(size, Image.Resampling.HAMMING), at)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=95)
    return out.tell()


if __name__ == "__main__":
    names = sorted(Path(sys.argv[1]).iterdir())[: int(sys.argv[2]) if len(sys.argv) > 2 else None]
    with Pool(os.cpu_count()) as pool:
        pool.map(shrink, map(str, names), chunksize=16)
