"""The bound of checking: decode every file as pixtrawl does, hash it, nothing else.

One process a core.   bare_decoder.py FOLDER [COUNT]
"""

import hashlib
import os
import sys
from multiprocessing import Pool
from pathlib import Path

import simplejpeg
from PIL import Image


def look(path: str) -> int:
    data = Path(path).read_bytes()
    hashlib.sha256(data).digest()
    if path.endswith(".jpg"):
        return simplejpeg.decode_jpeg(
            data, "GRAY", fastdct=True, fastupsample=True, min_height=64, min_width=64,
            min_factor=1, strict=True,
        ).size  # fmt: skip
    with Image.open(path) as image:
        image.load()
        return image.width


if __name__ == "__main__":
    names = sorted(Path(sys.argv[1]).iterdir())[: int(sys.argv[2]) if len(sys.argv) > 2 else None]
    with Pool(os.cpu_count()) as pool:
        pool.map(look, map(str, names), chunksize=16)
