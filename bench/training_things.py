"""Pictures of twenty kinds of things, with noise of every kind that search results have.

The things are the emoji of five vendors (npm packages, MIT, Apache-2.0, CC-BY 4.0 and fair use:
for measuring here, not to pass on), several of each kind, put on real photographs of
`bench.dedup_photos` at any place, size, turn and tone. Training and held-out pictures share no
photograph. Each class's results are planted with 15 to 40 % of noise.
"""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image, ImageEnhance, ImageOps

from bench import junk_drawn
from bench.dedup_photos import cache_folder, photograph_files

VENDORS = {
    "apple": "emoji-datasource-apple@16.0.0",
    "facebook": "emoji-datasource-facebook@16.0.0",
    "google": "emoji-datasource-google@16.0.0",
    "twitter": "emoji-datasource-twitter@16.0.0",
    "fluent": "@lobehub/fluent-emoji-3d@1.1.0",
}
CLASSES = {
    "airplane": "2708-fe0f 1f6e9-fe0f 1f6eb 1f6ec",
    "ball": "26bd 1f3c0 1f3be 26be",
    "bird": "1f426 1f99c 1f986 1f985",
    "book": "1f4d6 1f4d5 1f4d7 1f4da",
    "bread": "1f35e 1f950 1f956 1f968",
    "car": "1f697 1f695 1f699",
    "cat": "1f408 1f431 1f63a",
    "clock": "23f0 1f570-fe0f 23f1-fe0f",
    "cup": "2615 1f375 1f964",
    "dog": "1f415 1f436 1f429",
    "fish": "1f41f 1f420 1f421 1f988",
    "flower": "1f337 1f339 1f33b 1f33c",
    "fruit": "1f34e 1f34a 1f34b 1f353",
    "guitar": "1f3b8 1f3bb 1fa95",
    "hat": "1f3a9 1f452 1f9e2 1f393",
    "house": "1f3e0 1f3e1 1f3da-fe0f",
    "ship": "1f6a2 26f5 1f6f3-fe0f",
    "shoe": "1f45f 1f45e 1f460 1f462",
    "train": "1f682 1f686 1f687",
    "tree": "1f332 1f333 1f334 1f384",
}
# Shares of a class's noise. A copy is of an earlier right picture of the class; a stray is a right
# picture of another class that stands in that one's results, too: it leaks between classes.
NOISE = {"wrong": 0.38, "copy": 0.24, "framed": 0.10, "junk": 0.16, "stray": 0.12}
NOISE_SHARE = (0.15, 0.40)  # of all results of a class: drawn for each
SIDE_PX = 288
_SIZES = ((288, 216), (216, 288), (256, 256), (320, 240), (240, 320))
_JUNK = (
    junk_drawn.captcha_letters, junk_drawn.human_check, junk_drawn.removed_tile,
    junk_drawn.logo,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """A search result: its class, what is the matter with it ("" for a right one), its picture."""

    label: str
    noise: str
    image: Image.Image


def fetch_emoji() -> None:
    """Download the emoji that are not there yet, by npm. Raises CalledProcessError."""
    for vendor, package in VENDORS.items():
        folder = cache_folder() / "emoji" / vendor
        if folder.is_dir():
            continue
        archives = cache_folder() / "npm"
        archives.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=archives, check=True, capture_output=True,
            text=True,
        )  # fmt: skip
        folder.mkdir(parents=True)
        wanted = f"package/img/{vendor}/64/" if vendor != "fluent" else "package/assets/"
        with tarfile.open(archives / done.stdout.split()[-1]) as archive:
            for member in archive:
                if member.isfile() and member.name.startswith(wanted):
                    data = archive.extractfile(member)
                    assert data is not None
                    (folder / Path(member.name).name).write_bytes(data.read())


@lru_cache(maxsize=2000)
def _thing(path: Path) -> Image.Image:
    return Image.open(path).convert("RGBA")


@lru_cache(maxsize=1)
def _things() -> dict[str, list[Path]]:
    """Return the emoji of each class, of all vendors."""
    found: dict[str, list[Path]] = {}
    for label, codes in CLASSES.items():
        for code in codes.split():
            for vendor in VENDORS:
                for name in (code, code.removesuffix("-fe0f")):
                    for suffix in (".png", ".webp"):
                        path = cache_folder() / "emoji" / vendor / f"{name}{suffix}"
                        if path.exists() and path not in found.setdefault(label, []):
                            found[label].append(path)
    return found


@lru_cache(maxsize=4)
def grounds(held_out: bool) -> list[Image.Image]:
    """Return the photographs of one half, small: no picture of the other half has one of them."""
    files = sorted(photograph_files(), key=lambda path: path.name)[int(held_out) :: 2]
    found = []
    for path in files:
        with Image.open(path) as image:
            image.draft("RGB", (640, 640))
            picture = image.convert("RGB")
        picture.thumbnail((640, 640))
        found.append(picture)
    return found


def _ground(rng: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Return a random part of a random photograph, its tone changed."""
    photo = rng.choice(photos)
    share = rng.uniform(0.45, 1)
    width, height = (max(int(side * share), 32) for side in photo.size)
    left, top = rng.randint(0, photo.width - width), rng.randint(0, photo.height - height)
    part = photo.crop((left, top, left + width, top + height))
    part = ImageOps.fit(part, rng.choice(_SIZES), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        part = ImageOps.mirror(part)
    return ImageEnhance.Brightness(part).enhance(rng.uniform(0.7, 1.25))


def scene(rng: Random, label: str, photos: Sequence[Image.Image]) -> Image.Image:
    """Draw a thing of a class on a photograph."""
    image = _ground(rng, photos)
    thing = _thing(rng.choice(_things()[label]))
    side = int(min(image.size) * rng.uniform(0.5, 0.85))
    thing = thing.resize((side, side), Image.Resampling.BICUBIC)
    thing = thing.rotate(rng.uniform(-25, 25), Image.Resampling.BICUBIC, expand=True)
    if rng.random() < 0.5:
        thing = ImageOps.mirror(thing)
    tone = ImageEnhance.Color(thing.convert("RGB")).enhance(rng.uniform(0.5, 1.4)).convert("RGBA")
    tone.putalpha(thing.getchannel("A"))
    left = rng.randint(0, max(image.width - thing.width, 0))
    top = rng.randint(0, max(image.height - thing.height, 0))
    image.paste(tone, (left, top), tone)
    return image


def _copy(rng: Random, image: Image.Image) -> Image.Image:
    """Return a copy as the web has it: smaller, cropped at the edges, lighter, or just the same."""
    kind = rng.randrange(4)
    if kind == 0:
        return image.copy()
    if kind == 1:
        share = rng.uniform(0.6, 0.9)
        return image.resize((int(image.width * share), int(image.height * share)))
    if kind == 2:
        edge = rng.uniform(0.02, 0.05)
        box = (edge * image.width, edge * image.height)
        return image.crop((*map(int, box), int(image.width - box[0]), int(image.height - box[1])))
    return ImageEnhance.Brightness(image).enhance(rng.uniform(0.85, 1.15))


def _framed(rng: Random, image: Image.Image) -> Image.Image:
    """Return a copy in a frame, or with bars above and below."""
    colour = rng.choice(("white", "black", "#888888"))
    if rng.random() < 0.5:
        return ImageOps.expand(image, rng.randint(12, 36), colour)
    return ImageOps.pad(image, (image.width, int(image.height * 1.35)), color=colour)


def results(label: str, count: int, seed: int) -> list[Result]:
    """Return the search results of a class in the order of their ranks, noise included."""
    rng = Random(f"{seed} {label}")
    photos = grounds(False)
    share = rng.uniform(*NOISE_SHARE)
    right: list[Image.Image] = []
    found: list[Result] = []
    kinds, weights = list(NOISE), list(NOISE.values())
    others = [name for name in CLASSES if name != label]
    while len(found) < count:
        noise = rng.choices(kinds, weights)[0] if rng.random() < share else ""
        if noise in {"copy", "framed"} and not right:
            noise = ""
        if noise == "":
            image = right_picture(label, len(right), seed)
            right.append(image)
        elif noise == "wrong":
            image = (
                scene(rng, rng.choice(others), photos)
                if rng.random() < 0.7
                else _ground(rng, photos)
            )
        elif noise == "copy":
            image = _copy(rng, rng.choice(right))
        elif noise == "framed":
            image = _framed(rng, rng.choice(right))
        elif noise == "junk":
            image = rng.choice(_JUNK)(rng, photos)
        else:
            image = right_picture(rng.choice(others), rng.randrange(count // 4), seed)
        found.append(Result(label, noise, image))
    return found


def right_picture(label: str, number: int, seed: int) -> Image.Image:
    """Return the right picture of this number of a class; another class's results may have it."""
    return scene(Random(f"{seed} {label} {number}"), label, grounds(False))


def clean(count: int, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """Yield so many held-out pictures of each class, all of them right."""
    rng = Random(f"held out {seed}")
    for label in CLASSES:
        for _ in range(count):
            yield label, scene(rng, label, grounds(True))
