"""`python -m bench.dedup_descriptors [WINDOWS]`: the second look's candidates in long labels.

WINDOWS windows (default 500) of each photograph of `bench.dedup_photos` stand for as many pictures
of one label; asked for are crops of 90 to 97 % of every tenth. How many of the originals that
looking through all rows names are named when only some cells are looked into, and at which cost?
"""

from __future__ import annotations

import sys
import time

import numpy as np
from PIL import Image

from bench.dedup_photos import photograph_files
from pixtrawl.dedup.search import descriptor_index, growing_cells
from pixtrawl.dedup.search.descriptor_index import DescriptorIndex
from pixtrawl.dedup.search.overlay_search import coarse_of

ASKED = 1_500
CANDIDATES = 8
PROBED_CELLS = (48, 80, 96, 112, 128)


def windows(each: int) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """Thumbnails of windows, and crops with the number of the window they are of."""
    random = np.random.default_rng(3)
    kept: list[bytes] = []
    crops: list[tuple[int, bytes]] = []
    for path in photograph_files():
        with Image.open(path) as file:
            picture = file.convert("L")
        picture.thumbnail((1024, 1024))
        for _ in range(each):
            box = _inside(random, (0.0, 0.0, *map(float, picture.size)), random.uniform(0.35, 1))
            if random.random() < 0.1:
                crop = _inside(random, box, random.uniform(0.90, 0.97))
                crops.append((len(kept), _thumb(picture, crop)))
            kept.append(_thumb(picture, box))
    return kept, crops


Box = tuple[float, float, float, float]


def _inside(random: np.random.Generator, box: Box, part: float) -> Box:
    left, top, right, bottom = box
    width, height = (right - left) * part, (bottom - top) * part
    x, y = random.uniform(left, right - width), random.uniform(top, bottom - height)
    return x, y, x + width, y + height


def _thumb(picture: Image.Image, box: Box) -> bytes:
    return picture.resize((64, 64), Image.Resampling.BOX, box=box).tobytes()


def filled(kept: list[bytes]) -> DescriptorIndex:
    found = DescriptorIndex()
    order = np.random.default_rng(1).permutation(len(kept))
    for at in range(0, len(kept), 512):
        ids = order[at : at + 512].tolist()
        found.add(ids, coarse_of([kept[id] for id in ids]))
    return found


def asked(on: DescriptorIndex, crops: list[tuple[int, bytes]]) -> tuple[set[int], float]:
    """Which crops' windows are among the candidates; milliseconds of processor time each."""
    started = time.process_time()
    hit = {
        number
        for number, (window, thumb) in enumerate(crops)
        if window in on.nearest(coarse_of([thumb])[0], CANDIDATES)
    }
    return hit, 1000 * (time.process_time() - started) / len(crops)


def main() -> None:
    kept, crops = windows(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    np.random.default_rng(2).shuffle(crops)
    crops = crops[:ASKED]
    print(f"{len(kept):,} windows, {len(crops):,} crops asked for\n")
    print("| cells probed | of what all rows give | ms a query |\n| --- | --- | --- |")
    tail = descriptor_index._SCANNED
    descriptor_index._SCANNED = len(kept)  # type: ignore[misc]
    everything, all_ms = asked(filled(kept), crops)
    print(f"| all rows | 1.000 | {all_ms:.2f} |")
    descriptor_index._SCANNED = tail  # type: ignore[misc]
    for count in PROBED_CELLS:
        growing_cells._PROBED = (count, count)  # type: ignore[misc]
        hit, each_ms = asked(filled(kept), crops)
        print(f"| {count} | {len(hit & everything) / len(everything):.3f} | {each_ms:.2f} |")


if __name__ == "__main__":
    main()
