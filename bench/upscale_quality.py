"""`python -m bench.upscale_quality [--photographs N] [--half HALF] [--folder DIR]`.

What `upscale` says of originals and of enlargements: files are inspected as the product does it,
and those of which it exceeds 1.2 are counted, by factor, kernel and format. The limits of
`images.appearance.upscaled` were fixed on the first half of the photographs of
`bench.dedup_photos` and of those of a folder (`--folder`), halved by their names.
"""

from __future__ import annotations

import argparse
import io
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFilter

from bench import dedup_photos as photos
from bench.dedup_quality import second_half
from bench.junk_pictures import DRAWN
from pixtrawl.images.inspect import inspect_bytes

_MOST_PX = 10**8
_LONGEST = 1_300
_WRITTEN = 1_000  # pixels of the longer side of what is made here
_SAID = 1.2
_RIGHT = 0.03
_FACTORS = (1.3, 1.5, 2.0, 3.0)
_KERNELS = {
    "nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS,
}  # fmt: skip
_SHRINKING = (
    Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX,
    Image.Resampling.HAMMING,
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file and what was done before it was saved."""

    kind: str
    factor: float  # 1.0: no enlargement
    data: bytes
    format: str = ""


def _saved(kind: str, factor: float, image: Image.Image, rng: random.Random) -> File:
    format_ = rng.choices(("JPEG", "PNG", "WEBP"), (6, 1, 1))[0]
    quality = rng.randint(75, 95)
    buffer = io.BytesIO()
    if format_ == "JPEG":
        is_progressive, sampling = rng.random() < 0.3, rng.choice((0, 2, 2))
        image.save(buffer, format_, quality=quality, progressive=is_progressive,
                   subsampling=sampling)  # fmt: skip
        format_ = f"JPEG q{min(quality, 94) // 5 * 5} to {min(quality, 94) // 5 * 5 + 5}"
    elif format_ == "WEBP":
        image.save(buffer, format_, quality=quality)
    else:
        image.save(buffer, format_, compress_level=1)
    return File(kind, factor, buffer.getvalue(), format_)


def _shrunk(image: Image.Image, rng: random.Random, longest: float) -> Image.Image:
    share = min(rng.uniform(0.4, 0.75), longest / max(image.size))
    size = (max(64, round(image.width * share)), max(64, round(image.height * share)))
    return image.resize(size, rng.choice(_SHRINKING))


def _originals(image: Image.Image, rng: random.Random) -> Iterator[File]:
    yield _saved("made smaller", 1.0, _shrunk(image, rng, _WRITTEN), rng)
    width, height = (min(side, rng.randint(200, 900)) for side in image.size)
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    yield _saved("part", 1.0, image.crop((left, top, left + width, top + height)), rng)
    blur = ImageFilter.GaussianBlur if rng.random() < 0.6 else ImageFilter.BoxBlur
    soft = _shrunk(image, rng, _WRITTEN).filter(blur(rng.uniform(0.6, 3)))
    yield _saved("out of focus", 1.0, soft, rng)
    sharper = ImageFilter.UnsharpMask(rng.uniform(1, 2.5), rng.randint(50, 180), 2)
    yield _saved("sharpened", 1.0, _shrunk(image, rng, _WRITTEN).filter(sharper), rng)


def _enlargements(image: Image.Image, rng: random.Random) -> Iterator[File]:
    for usual in _FACTORS:
        for kernel in rng.sample(list(_KERNELS), 2):
            factor = usual if rng.random() < 0.6 else usual * rng.uniform(0.95, 1.1)
            small = _shrunk(image, rng, _WRITTEN / factor)
            if rng.random() < 0.5:  # what is enlarged mostly was a JPEG before
                buffer = io.BytesIO()
                small.save(buffer, "JPEG", quality=rng.randint(80, 95))
                small = Image.open(buffer).convert("RGB")
            size = (round(small.width * factor), round(small.height * factor))
            large = small.resize(size, _KERNELS[kernel])
            yield _saved(f"{usual:g} times, {kernel}", large.width / small.width, large, rng)


def files(count: int, *, reported: bool, folder: Path | None) -> Iterator[File]:
    """Yield originals and enlargements of photographs of a half."""
    every = photos.photograph_files() if folder is None else photos.pictures_in(folder)
    found = [file for file in every if second_half(photos.name_of(file)) == reported]
    random.Random("upscale").shuffle(found)
    for file in found[:count]:
        image, rng = photos.opened(file), random.Random(f"upscale {photos.name_of(file)}")
        image.thumbnail((_LONGEST, _LONGEST))
        yield File("as published", 1.0, file.read_bytes(), file.suffix)
        if min(image.size) >= 150:
            yield from _originals(image, rng)
            yield from _enlargements(image, rng)


def drawn(each: int) -> Iterator[File]:
    """Yield what is drawn, whose edges may look like traces of interpolation; of both halves."""
    rng = random.Random("drawn")
    for image in photos.drawings()[::8]:
        yield _saved("drawing", 1.0, image, rng)
    some = [picture.image for picture in photos.photographs()[::4]]
    for kind, draw in DRAWN.items():
        for _ in range(each):
            yield _saved(kind, 1.0, draw(rng, some).convert("RGB"), rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=1_000, metavar="N")
    parser.add_argument("--half", choices=("fixed", "reported"), default="reported")
    parser.add_argument("--folder", type=Path, help="photographs of a folder instead")
    parser.add_argument("--drawn", type=int, default=40, metavar="N", help="of each drawn kind")
    options = parser.parse_args()
    said: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    by_format: dict[str, list[bool]] = defaultdict(list)
    right: Counter[bool] = Counter()
    spent_s = 0.0
    made = files(options.photographs, reported=options.half == "reported", folder=options.folder)
    for source in (made, drawn(options.drawn)):
        for file in source:
            began = time.process_time()
            info = inspect_bytes(file.data, _MOST_PX).info
            spent_s += time.process_time() - began
            if info is None:
                continue
            found = info.measures["upscale"]
            said[file.factor > 1, file.kind].append(found > _SAID)
            if file.factor > 1:
                by_format[file.format].append(found > _SAID)
                right[abs(found / file.factor - 1) < _RIGHT] += found > _SAID
    print(f"| kind | files | `upscale` above {_SAID} |\n| --- | --- | --- |")
    for (_, kind), hits in sorted(said.items()):
        print(f"| {kind} | {len(hits)} | {sum(hits)} ({sum(hits) / len(hits):.3f}) |")
    for format_, hits in sorted(by_format.items()):
        print(f"| enlargements, {format_} | {len(hits)} | {sum(hits) / len(hits):.3f} |")
    print(f"factors within {_RIGHT:.0%}: {right[True]} of {right.total()}")
    print(f"inspection: {1e3 * spent_s / sum(map(len, said.values())):.2f} ms a file")


if __name__ == "__main__":
    main()
