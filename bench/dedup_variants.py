"""Pictures that differ by colour or data alone, and edits of colour: made here, seeded.

Product shots: things cut out (Tux Paint's stamps), laid on white or light grey, with the hue
turned, dyed in a palette of garments (black, grey and white among it), or dyed in part, as a
garment is on a person. Charts: bars, lines, areas, scatter, pies and rings, each with other data,
with other colours, and as another kind of chart. `TONES` are edits of colour that make copies.
Charts need matplotlib, which is no dependency: `pip install matplotlib`.
"""

from __future__ import annotations

import colorsys
import io
import random
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from bench import dedup_photos as photos

DYES = {
    "red": (190, 30, 40), "orange": (235, 120, 30), "yellow": (240, 205, 60),
    "green": (40, 120, 70), "teal": (30, 130, 140), "blue": (40, 80, 180), "navy": (30, 40, 80),
    "purple": (110, 50, 130), "pink": (235, 140, 170), "brown": (110, 70, 45),
    "beige": (215, 195, 165), "black": (38, 38, 42), "grey": (130, 131, 134),
    "white": (238, 236, 232),
}  # fmt: skip
_SIDE = 480
Variants = dict[str, list[Image.Image]]  # distinct pictures of one family, by kind of variant


def cut_outs(most: int = 70) -> list[tuple[str, Image.Image]]:
    pattern = "tuxpaint-stamps-default/usr/share/tuxpaint/stamps/{}/**/*.png"
    files = [
        file
        for kind in ("clothes", "household", "hobbies", "food", "vehicles", "animals", "sports")
        for file in photos._under(pattern.format(kind))
        if "_mirror" not in file.stem
    ]
    found = []
    for file in files[:: max(len(files) // most, 1)][:most]:
        with Image.open(file) as image:
            found.append((f"{file.parent.name}/{file.stem}", image.convert("RGBA")))
    return found


def _on_ground(pixels: np.ndarray, alpha: np.ndarray, ground: int) -> Image.Image:
    thing = Image.fromarray(np.dstack([pixels, alpha]).astype(np.uint8), "RGBA")
    share = 0.84 * _SIDE / max(thing.size)
    thing = thing.resize((max(1, round(thing.width * share)), max(1, round(thing.height * share))))
    canvas = Image.new("RGB", (_SIDE, _SIDE), (ground,) * 3)
    canvas.paste(thing, ((_SIDE - thing.width) // 2, (_SIDE - thing.height) // 2), thing)
    return canvas


def turned_hue(pixels: np.ndarray, degrees: float) -> np.ndarray:
    hsv = np.asarray(Image.fromarray(pixels).convert("HSV")).copy()
    hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + round(degrees * 256 / 360)) % 256
    return np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))


def dyed(pixels: np.ndarray, alpha: np.ndarray, dye: tuple[int, int, int]) -> np.ndarray:
    """The thing in another colour: its light and shade kept, around that colour."""
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    middle = np.median(luma[alpha > 128]) if (alpha > 128).any() else 128.0
    shade = np.clip(0.35 * luma / max(middle, 20.0) + 0.65, 0.0, 1.6)[:, :, None]
    lift = np.clip((luma - middle) / 255.0, 0.0, 1.0)[:, :, None] * 40
    return np.clip(shade * np.array(dye) + lift, 0, 255)


def product(name: str, cut: Image.Image) -> Variants:
    pixels, alpha = np.asarray(cut)[:, :, :3], np.asarray(cut)[:, :, 3]
    rng = random.Random(name)
    ground = rng.choice((255, 255, 250, 238))
    colours = rng.sample(sorted(DYES), 5)
    found: Variants = {"turned hue": [], "dyed": [], "dyed in part": [], "dyed black to white": []}
    mean = pixels[alpha > 128].mean(axis=0) / 255 if (alpha > 128).any() else np.zeros(3)
    if colorsys.rgb_to_hsv(*mean)[1] > 0.12:  # a grey thing has no hue to turn
        for degrees in (0, 60, 120, 180, 240):
            found["turned hue"].append(_on_ground(turned_hue(pixels, degrees), alpha, ground))
    for colour in colours:
        found["dyed"].append(_on_ground(dyed(pixels, alpha, DYES[colour]), alpha, ground))
    for colour in {"black": 0, "grey": 0, "white": 0, colours[0]: 0}:  # none twice
        found["dyed black to white"].append(
            _on_ground(dyed(pixels, alpha, DYES[colour]), alpha, ground)
        )
    rows = np.flatnonzero((alpha > 128).any(axis=1))
    if rows.size:
        start = int(rows[0] + 0.35 * (rows[-1] - rows[0]))
        stop = int(rows[0] + 0.75 * (rows[-1] - rows[0]))
        for colour in colours:
            part = pixels.astype(float).copy()
            part[start:stop] = dyed(pixels, alpha, DYES[colour])[start:stop]
            found["dyed in part"].append(_on_ground(part, alpha, ground))
    return found


def products(most: int = 70) -> Iterator[tuple[str, Variants]]:
    for name, cut in cut_outs(most):
        yield name, product(name, cut)


# -- charts ---------------------------------------------------------------------------------------

_PALETTES = ("tab10", "Set2", "Dark2", "viridis", "Pastel1")
_KINDS = ("bar", "hbar", "grouped", "line", "area", "scatter", "pie", "ring", "histogram")


def chart(kind: str, data_seed: str, palette: str, frame_seed: str) -> Image.Image:
    """A chart of the kind; the frame (labels, size, grid) depends on `frame_seed` alone."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    frame, data = random.Random(frame_seed), random.Random(data_seed)
    colours = mpl.colormaps[palette](np.linspace(0, 0.9, 6))
    count = frame.randint(4, 9)
    figure, axes = plt.subplots(figsize=(frame.choice((5, 6.4, 7)), 4.8), dpi=100)
    names = [f"{frame.choice('ABCDEFGH')}{n}" for n in range(count)]
    values = [data.uniform(10, 100) for _ in range(count)]
    if kind == "bar":
        axes.bar(names, values, color=colours[0])
    elif kind == "hbar":
        axes.barh(names, values, color=colours[1])
    elif kind == "grouped":
        at = np.arange(count)
        axes.bar(at - 0.2, values, 0.4, color=colours[0])
        axes.bar(at + 0.2, [data.uniform(10, 100) for _ in range(count)], 0.4, color=colours[2])
    elif kind in ("line", "area"):
        for n in range(frame.randint(1, 3)):
            steps = np.cumsum([data.gauss(0, 1) for _ in range(60)])
            if kind == "line":
                axes.plot(steps, color=colours[n])
            else:
                axes.fill_between(range(60), np.abs(steps), color=colours[n], alpha=0.7)
    elif kind == "scatter":
        points = [(data.gauss(0, 1), data.gauss(0, 1)) for _ in range(80)]
        axes.scatter(*zip(*points, strict=True), color=colours[0], s=18)
        axes.set(xlim=(-3, 3), ylim=(-3, 3))
    elif kind == "histogram":
        axes.hist([data.gauss(0, 1) for _ in range(400)], bins=20, color=colours[0])
    else:
        hole = {"wedgeprops": {"width": 0.4}} if kind == "ring" else {}
        axes.pie(values, labels=names, colors=colours, **hole)
    if kind not in ("pie", "ring"):
        axes.grid(frame.random() < 0.5)
    axes.set_title(f"{frame.choice(('Sales', 'Visits', 'Load'))} {frame.randint(2000, 2030)}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return Image.open(buffer).convert("RGB")


def charts(each: int = 9) -> Iterator[tuple[str, Variants]]:
    for kind in _KINDS:
        for number in range(each):
            name = f"{kind} {number}"
            palettes = random.Random(name).sample(_PALETTES, 3)
            found: Variants = {
                "other data": [chart(kind, f"{name} {n}", palettes[0], name) for n in range(4)],
                "other colours": [chart(kind, name, one, name) for one in palettes],
            }
            if kind in ("pie", "ring"):
                found["pie for ring"] = [
                    chart(one, name, palettes[0], name) for one in ("pie", "ring")
                ]
            yield name, found


# -- edits of colour that make copies -------------------------------------------------------------


def _gains(red: float, green: float, blue: float) -> Callable[[Image.Image], Image.Image]:
    table = [min(255, round(v * gain)) for gain in (red, green, blue) for v in range(256)]
    return lambda image: image.point(table)


def _classic_sepia(image: Image.Image) -> Image.Image:
    return image.convert(
        "RGB", (0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0)
    )


TONES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saturation 0.3": lambda i: ImageEnhance.Color(i).enhance(0.3),
    "saturation 2": lambda i: ImageEnhance.Color(i).enhance(2.0),
    "grey, stored in colour": lambda i: i.convert("L").convert("RGB"),
    "sepia, matrix": _classic_sepia,
    "sepia, from dark to cream": lambda i: ImageOps.colorize(
        i.convert("L"), "#2b1b0e", "#f6ead2", "#9a7b56"
    ),
    "cyanotype": lambda i: ImageOps.colorize(i.convert("L"), "#0a1e3c", "#f0f6ff", "#5a82b0"),
    "warm": _gains(1.12, 1.0, 0.85),
    "cool": _gains(0.87, 1.0, 1.13),
    "warm and faded": lambda i: ImageEnhance.Color(_gains(1.08, 1.0, 0.88)(i)).enhance(0.7),
    "green cast": _gains(0.94, 1.06, 0.94),
    "autocontrast": lambda i: ImageOps.autocontrast(i, cutoff=2),
    "equalised": ImageOps.equalize,
    "brightness 1.4": lambda i: ImageEnhance.Brightness(i).enhance(1.4),
    "gamma 0.6": lambda i: i.point([round(255 * (v / 255) ** 0.6) for v in range(256)] * 3),
    "gamma 1.7": lambda i: i.point([round(255 * (v / 255) ** 1.7) for v in range(256)] * 3),
    "contrast 0.6": lambda i: ImageEnhance.Contrast(i).enhance(0.6),
}
