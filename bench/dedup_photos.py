"""Real photographs to measure near-duplicate detection with, out of Debian packages and wheels.

`python -m bench.dedup_photos` downloads the packages (about 600 MB, `apt-get download`: nothing is
installed) and unpacks them under `$PIXTRAWL_BENCH_CACHE` (default `~/.cache/pixtrawl-bench`), which
lies outside the checkout: the pictures belong to their authors and are never committed.

Licences, as each package's `copyright` file states them: wallpapers of GNOME, MATE, Lomiri, UKUI
and Plasma CC-BY-SA 3.0/4.0, CC-BY 4.0, CC0 or GPL-2+/LGPL; KPhotoAlbum's demo GPL-2+; Palapeli's
puzzles GPL-2+/GFDL; OpenCV's samples Apache-2.0/BSD; Scratch's media CC-BY-SA; Stellarium's
pictures GPL-2+ or their observatories' terms; Tux Paint's stamps GPL-2+ or public domain;
scikit-image and scikit-learn: see the README beside each. For measuring here, not to pass on.

What is a photograph was decided by eye on contact sheets; twins were taken out.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

PACKAGES = (
    "gnome-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "mate-backgrounds",
    "plasma-workspace-wallpapers", "ukui-wallpapers", "kphotoalbum", "opencv-doc", "palapeli-data",
    "scratch", "stellarium-data", "tuxpaint-stamps-default",
)  # fmt: skip
LONGEST = 1024  # pixels: pictures are shrunk to it once, so that edits take milliseconds
SUITES = Path(__file__).parents[2] / "shared" / "suites"

_OPENCV = "opencv-doc/usr/share/doc/opencv-doc/examples"
_SKY = "stellarium-data/usr/share/stellarium"
_SCRATCH = "scratch/usr/share/scratch/Media"
_DRAWN = (
    "party-room", "room1", "room2", "room3", "spotlight-stage", "woods-and-bench", "school2",
    "basketball-court2",
)  # fmt: skip
_LOMIRI_PHOTOS = (
    "Bridge", "Dragonfly", "Picture_0B", "Picture_1A", "Wine", "aitz", "free", "friends",
    "greentock", "life", "picos", "seeding", "sunset", "Kleiber",
)  # fmt: skip
_PLASMA_PHOTOS = (
    "BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf", "Grey",
    "Kite", "OneStandsOut", "Path",
)  # fmt: skip
_OPENCV_PHOTOS = (
    "data/aero1.jpg", "data/aloeL.jpg", "data/apple.jpg", "data/baboon.jpg",
    "data/basketball1.png", "data/board.jpg", "data/box_in_scene.png", "data/building.jpg",
    "data/butterfly.jpg", "data/chicky_512.png", "data/ela_original.jpg", "data/fruits.jpg",
    "data/graf1.png", "data/home.jpg", "data/leuvenA.jpg", "data/licenseplate_motion.jpg",
    "data/messi5.jpg", "data/orange.jpg", "data/rubberwhale1.png", "data/smarties.png",
    "data/squirrel_cls.jpg", "data/starry_night.jpg", "data/stuff.jpg", "data/sudoku.png",
    "text/scenetext01.jpg", "text/scenetext02.jpg", "text/scenetext03.jpg",
    "text/scenetext04.jpg", "text/scenetext05.jpg", "text/scenetext06.jpg",
)  # fmt: skip
_SKIMAGE_PHOTOS = (
    "coffee.png", "camera.png", "astronaut.png", "motorcycle_left.png", "chelsea.png", "coins.png",
    "ihc.png", "moon.png", "retina.jpg", "rocket.jpg", "hubble_deep_field.jpg",
)  # fmt: skip
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in memory, not larger than `LONGEST`."""

    name: str
    kind: str  # photo, or the class of hard cases that it belongs to
    image: Image.Image


def cache_folder() -> Path:
    named = os.environ.get("PIXTRAWL_BENCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "pixtrawl-bench"


def fetch() -> None:
    """Downloads and unpacks what is not there yet. Raises CalledProcessError."""
    debs, unpacked = cache_folder() / "debs", cache_folder() / "unpacked"
    for folder in (debs, unpacked):
        folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if (unpacked / package).exists():
            continue
        subprocess.run(["apt-get", "download", package], cwd=debs, check=True)
        (deb,) = debs.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", deb, unpacked / package], check=True)


def _under(pattern: str) -> list[Path]:
    root = cache_folder() / "unpacked"
    return sorted(p for p in root.glob(pattern) if p.suffix.lower() in _SUFFIXES)


def _package_data(package: str, folder: str, names: tuple[str, ...]) -> list[Path]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return []
    return [p for n in names if (p := Path(spec.origin).parent / folder / n).exists()]


def _plasma(wanted: bool) -> list[Path]:
    """The largest file of each wallpaper."""
    found = []
    root = cache_folder() / "unpacked/plasma-workspace-wallpapers/usr/share/wallpapers"
    for folder in sorted(root.glob("*")):
        if (folder.name in _PLASMA_PHOTOS) == wanted:
            files = [p for p in folder.glob("contents/images/*") if p.suffix in _SUFFIXES]
            found += sorted(files, key=lambda p: p.stat().st_size)[-1:]
    return found


@cache
def photograph_files() -> tuple[Path, ...]:
    """Distinct photographs, one file each."""
    lomiri = [p for p in _under("lomiri*/**/*") if p.name.startswith(_LOMIRI_PHOTOS)]
    scratch = [p for p in _under(f"{_SCRATCH}/Backgrounds/*/*.jpg") if p.stem not in _DRAWN]
    opencv = [cache_folder() / "unpacked" / _OPENCV / name for name in _OPENCV_PHOTOS]
    found = [
        *lomiri, *_under("mate-backgrounds/usr/share/backgrounds/mate/nature/*"), *_plasma(True),
        *_under("kphotoalbum/usr/share/kphotoalbum/demo/*.jpg"),
        *_under("palapeli-data/usr/share/palapeli/collection/*.jpg"), *scratch, *opencv,
        *_package_data("skimage", "data", _SKIMAGE_PHOTOS),
        *_package_data("sklearn", "datasets/images", ("china.jpg", "flower.jpg")),
        *sorted((SUITES / "neardup/pdq/reg-test-input/labelme-subset").glob("*.jpg")),
        *sorted((SUITES / "neardup/pdq/bridge-mods").glob("aaa-orig.jpg")),
    ]  # fmt: skip
    return tuple(p for p in found if p.exists())


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder and of those in it."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)


def opened(file: Path) -> Image.Image:
    """Return a picture on white; large JPEG files at a fraction of their size."""
    with Image.open(file) as image:
        image.draft("RGB", (2 * LONGEST, 2 * LONGEST))
        rgba = image.convert("RGBA")
    canvas = Image.new("RGB", rgba.size, "white")
    canvas.paste(rgba, mask=rgba.getchannel(3))
    return canvas


def _shrunk(image: Image.Image) -> Image.Image:
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return image


def name_of(file: Path) -> str:
    """The name of a photograph, by which it belongs to one half."""
    return f"{file.parent.name}/{file.name}"


def photographs() -> list[Picture]:
    """The photographs that are edited."""
    return [Picture(name_of(file), "photo", _shrunk(opened(file))) for file in photograph_files()]


def tiles() -> list[Picture]:
    """Ninths of the large photographs: distinct pictures of one place, in one light."""
    found = []
    for file in photograph_files():
        with Image.open(file) as image:
            if min(image.size) < 1000:
                continue
            whole = image.convert("RGB")
        width, height = whole.width // 3, whole.height // 3
        for at in range(9):
            left, top = at % 3 * width, at // 3 * height
            part = whole.crop((left, top, left + width, top + height))
            found.append(Picture(f"{file.name}#{at}", "tile", _shrunk(part)))
    return found


_HARD = {
    "sky": (f"{_SKY}/nebulae/default/*", f"{_SKY}/textures/*"),
    "same frame": (f"{_SKY}/skycultures/greek_leidenAratea/descr_pics/*",),
    "panorama": (f"{_SKY}/landscapes/*/*",),
    "burst": (f"{_OPENCV}/data/left*.jpg", f"{_OPENCV}/data/right*.jpg"),
    "stamp": ("tuxpaint-stamps-default/usr/share/tuxpaint/stamps/**/*.png",),
    "drawing": (
        f"{_SCRATCH}/Costumes/**/*", f"{_SCRATCH}/Backgrounds/**/*.gif",
        "gnome-backgrounds/usr/share/backgrounds/gnome/*-l.*",
        "ukui-wallpapers/usr/share/backgrounds/*", "mate-backgrounds/**/abstract/*",
    ),
    "alphabet": ("tuxpaint-stamps-default/usr/share/tuxpaint/stamps/symbols/alphabets/**/*.png",),
}  # fmt: skip


def hard_cases() -> list[Picture]:
    """Distinct pictures that look alike, by class; copies of one file are taken once."""
    found: list[Picture] = []
    seen: set[bytes] = set()
    for kind, patterns in _HARD.items():
        for file in (file for pattern in patterns for file in _under(pattern)):
            is_letter = "alphabets" in file.parts
            data = file.read_bytes()
            if (kind == "stamp" and is_letter) or data in seen or "_mirror" in file.stem:
                continue
            seen.add(data)
            found.append(Picture(f"{file.parent.name}/{file.name}", kind, _shrunk(opened(file))))
    found += [Picture(p.parts[-4], "drawing", _shrunk(opened(p))) for p in _plasma(False)]
    return found


def drawings() -> list[Image.Image]:
    """Drawn costumes and grounds of Scratch."""
    return [_shrunk(opened(file)) for pattern in _HARD["drawing"][:2] for file in _under(pattern)]


def cut_out_files() -> list[Path]:
    """Photographs of things with a transparent ground."""
    pattern = "tuxpaint-stamps-default/usr/share/tuxpaint/stamps/{}/**/*.png"
    return [
        file
        for kind in ("animals", "food", "household", "clothes", "hobbies", "vehicles", "plants")
        for file in _under(pattern.format(kind))
        if "_mirror" not in file.stem
        and "cartoon" not in str(file)
        and not file.name.startswith("t_")  # drawn outlines of garments
    ]


def cut_out() -> list[Image.Image]:
    """Every fourth of them, opened, without its margins."""
    found = []
    for file in cut_out_files()[::4]:
        with Image.open(file) as image:
            thing = image.convert("RGBA")
        found.append(thing.crop(thing.getbbox()))
    return found


def products(grounds: int = 10, objects: int = 40) -> list[Picture]:
    """Another object on the same ground, made here: photographs of things cut out, each laid on
    each of a few photographs, as a shop photographs shirt after shirt on one floor.
    """
    photos = photographs()[::17][:grounds]
    files = cut_out_files()
    found = []
    for file in files[:: max(len(files) // objects, 1)][:objects]:
        with Image.open(file) as image:
            thing = image.convert("RGBA")
        for photo in photos:
            ground = photo.image.resize((600, 600))
            share = 420 / max(thing.size)
            size = (max(1, round(thing.width * share)), max(1, round(thing.height * share)))
            shown = thing.resize(size)
            ground.paste(shown, ((600 - size[0]) // 2, (600 - size[1]) // 2), shown)
            found.append(Picture(f"{file.stem} on {photo.name}", "product", ground))
    return found


if __name__ == "__main__":
    fetch()
    print(f"{len(photograph_files())} photographs under {cache_folder()}", file=sys.stderr)
