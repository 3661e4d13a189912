"""The copies of one photograph that are offered beside it, to see which of them stays.

Sizes, colours and places are drawn anew for each photograph, by a generator that its name seeds: no
two frames are the same, and two runs give the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bench.dedup_edits import captioned, encoded

Edit = Callable[[Image.Image, random.Random], Image.Image]

_LIGHT = ("white", "#fafaf8", "#f2ede2", "#e8e8ec", "#d8d8d8")
_DARK = ("black", "#101014", "#20242c", "#3c4048", "#2b1d12")
_STRONG = ("#b01e28", "#123c78", "#1e7a3c", "#e0b020")
_KERNELS = {
    "nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS,
}  # fmt: skip
_QUALITIES = (72, 97)  # a file of 97 says nothing of how often it was compressed before
_SHOTS_IN_PNG = 0.5


def _on_canvas(
    image: Image.Image, size: tuple[int, int], at: tuple[int, int], colour: str
) -> Image.Image:
    canvas = Image.new("RGB", size, colour)
    canvas.paste(image, at)
    return canvas


def _frame(image: Image.Image, rng: random.Random) -> Image.Image:
    width = round(rng.uniform(0.02, 0.1) * min(image.size))
    return ImageOps.expand(image, width, rng.choice(_LIGHT + _DARK + _STRONG))


def _double_frame(image: Image.Image, rng: random.Random) -> Image.Image:
    """A mat within a frame of another colour."""
    mat = ImageOps.expand(image, round(rng.uniform(0.03, 0.08) * min(image.size)), "#f2ede2")
    return ImageOps.expand(mat, round(rng.uniform(0.02, 0.06) * min(image.size)), "#2b1d12")


def _letterbox(image: Image.Image, rng: random.Random) -> Image.Image:
    w, h = image.size
    bar = round(rng.uniform(0.06, 0.25) * h)
    return _on_canvas(image, (w, h + 2 * bar), (0, bar), rng.choice(("black", "#101014")))


def _pillarbox(image: Image.Image, rng: random.Random) -> Image.Image:
    w, h = image.size
    bar = round(rng.uniform(0.06, 0.25) * w)
    return _on_canvas(image, (w + 2 * bar, h), (bar, 0), rng.choice(_DARK + _LIGHT))


def _polaroid(image: Image.Image, rng: random.Random) -> Image.Image:
    w, h = image.size
    side = round(rng.uniform(0.04, 0.08) * w)
    foot = round(rng.uniform(0.15, 0.28) * h)
    shown = _on_canvas(image, (w + 2 * side, h + side + foot), (side, side), rng.choice(_LIGHT[:3]))
    if rng.random() < 0.5:
        place = (shown.width // 2, h + side + foot // 2)
        draw = ImageDraw.Draw(shown)
        draw.text(place, "summer 1998", "#303030", anchor="mm", font_size=max(8, foot // 4))
    return shown


def _plain_padding(image: Image.Image, rng: random.Random) -> Image.Image:
    """Padded to a square, or to 16:9 where it is one."""
    side = max(image.size)
    size = (side, side) if min(image.size) < 0.9 * side else (round(side * 16 / 9), side)
    at = ((size[0] - image.width) // 2, (size[1] - image.height) // 2)
    return _on_canvas(image, size, at, rng.choice(_LIGHT + _DARK))


def _blurred_padding(image: Image.Image, rng: random.Random) -> Image.Image:
    aspect = rng.choice((1.0, 16 / 9, 9 / 16, 4 / 5))
    if abs(image.width / image.height / aspect - 1) < 0.1:
        aspect = 16 / 9 if image.width < 1.6 * image.height else 1.0
    w = max(image.width, round(image.height * aspect))
    h = max(image.height, round(w / aspect))
    ground = ImageOps.fit(image, (w, h)).filter(
        ImageFilter.GaussianBlur(w * rng.uniform(0.015, 0.04))
    )
    if rng.random() < 0.5:
        ground = ImageEnhance.Brightness(ground).enhance(rng.uniform(0.5, 0.9))
    ground.paste(image, ((w - image.width) // 2, (h - image.height) // 2))
    return ground


def _browser(image: Image.Image, rng: random.Random) -> Image.Image:
    """A screenshot of a browser: tabs, an address, and the page beside the picture."""
    w, h = image.size
    bar = round(rng.uniform(0.08, 0.16) * h)
    aside, below = round(rng.uniform(0, 0.12) * w), round(rng.uniform(0, 0.12) * h)
    light = rng.random() < 0.6
    page, chrome, ink = ("white", "#dee1e6", "black") if light else ("#18181c", "#303136", "white")
    shot = _on_canvas(image, (w + 2 * aside, h + bar + below), (aside, bar), page)
    draw, size = ImageDraw.Draw(shot), max(8, bar // 4)
    draw.rectangle((0, 0, shot.width, bar - 1), fill=chrome)
    draw.rounded_rectangle((bar // 2, 2, bar * 4, bar // 2), 4, fill=page)
    draw.text((bar, bar // 8), "Gallery - IMG 2041", ink, font_size=size)
    draw.rounded_rectangle((bar, bar * 9 // 16, shot.width - bar, bar * 15 // 16), 6, fill=page)
    draw.text((bar * 5 // 4, bar * 5 // 8), "https://example.com/photo/2041", ink, font_size=size)
    if below > 2 * size:
        draw.text((aside + 4, bar + h + 4), "Photo: a reader - 12 comments", ink, font_size=size)
    return shot


def _phone(image: Image.Image, rng: random.Random) -> Image.Image:
    """A screenshot of a telephone: status line above, buttons below."""
    w, h = image.size
    above, below = round(rng.uniform(0.08, 0.3) * h), round(rng.uniform(0.12, 0.35) * h)
    light = rng.random() < 0.4
    ground, ink = ("white", "black") if light else ("black", "white")
    shot = _on_canvas(image, (w, h + above + below), (0, above), ground)
    draw, size = ImageDraw.Draw(shot), max(8, w // 28)
    draw.text((size, size // 2), "10:41", ink, font_size=size)
    draw.text((w - size, size // 2), "LTE 84 %", ink, anchor="ra", font_size=size)
    for at, word in enumerate(("Share", "Edit", "Delete")):
        draw.text(
            (w * (2 * at + 1) // 6, shot.height - 2 * size), word, ink, anchor="mm", font_size=size
        )
    return shot


def _caption_bar(image: Image.Image, rng: random.Random) -> Image.Image:
    """A bar with words over the lower or upper end of the picture, or added to it."""
    w, h = image.size
    bar = round(rng.uniform(0.08, 0.15) * h)
    added, above = rng.random() < 0.5, rng.random() < 0.4
    ground, ink = rng.choice((("black", "white"), ("white", "black"), ("#b01e28", "white")))
    if added:
        shown = _on_canvas(image, (w, h + bar), (0, bar if above else 0), ground)
    else:
        shown = image.copy()
    top = 0 if above else shown.height - bar
    draw = ImageDraw.Draw(shown)
    draw.rectangle((0, top, w, top + bar - 1), fill=ground)
    draw.text(
        (w // 2, top + bar // 2),
        "as seen on the evening news",
        ink,
        anchor="mm",
        font_size=max(8, bar // 2),
    )
    return shown


def _watermark(image: Image.Image, rng: random.Random) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    w, h = image.size
    if rng.random() < 0.5:
        ink = (255, 255, 255, rng.randrange(90, 170))
        draw.text((w // 2, h // 2), "© STOCK PREVIEW", ink, anchor="mm", font_size=max(10, w // 11))
    else:
        step = max(40, w // 4)
        for top in range(0, h, step // 2):
            for left in range(-(top % step), w, step):
                draw.text((left, top), "preview", (255, 255, 255, 110), font_size=max(9, step // 5))
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _logo(image: Image.Image, rng: random.Random) -> Image.Image:
    image = image.copy()
    side = round(rng.uniform(0.1, 0.2) * min(image.size))
    left = rng.choice((side // 5, image.width - side - side // 5))
    top = rng.choice((side // 5, image.height - side - side // 5))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(
        (left, top, left + side, top + side), side // 6, fill=rng.choice(_STRONG)
    )
    draw.text(
        (left + side // 2, top + side // 2), "N9", "white", anchor="mm", font_size=max(8, side // 2)
    )
    return image


def _resized(image: Image.Image, factor: float, kernel: str) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, _KERNELS[kernel])


def _enlarged(least: float, most: float, *kernels: str) -> Edit:
    def edit(image: Image.Image, rng: random.Random) -> Image.Image:
        kernel = rng.choice(kernels or ("bilinear", "bicubic", "Lanczos"))
        return _resized(image, rng.uniform(least, most), kernel)

    return edit


def _enlarged_sharper(image: Image.Image, rng: random.Random) -> Image.Image:
    large = _enlarged(1.25, 2)(image, rng)
    return large.filter(ImageFilter.UnsharpMask(1.5, rng.randrange(60, 140), 2))


def _smaller(image: Image.Image, rng: random.Random) -> Image.Image:
    share = rng.uniform(0.4, 0.85)
    return image.resize(
        (round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS
    )


def _thumbnail(image: Image.Image, rng: random.Random) -> Image.Image:
    image = image.copy()
    image.thumbnail((rng.randrange(120, 260),) * 2, Image.Resampling.LANCZOS)
    return image


def _cropped(least: float, most: float) -> Edit:
    def edit(image: Image.Image, rng: random.Random) -> Image.Image:
        w, h = image.size
        cut = rng.uniform(least, most)
        kept_w, kept_h = round(w * (1 - cut)), round(h * (1 - cut))
        left, top = rng.randint(0, w - kept_w), rng.randint(0, h - kept_h)
        return image.crop((left, top, left + kept_w, top + kept_h))

    return edit


def _square(image: Image.Image, rng: random.Random) -> Image.Image:
    side = min(image.size)
    if side > 0.95 * max(image.size):
        side = round(0.85 * side)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _framed_and_enlarged(image: Image.Image, rng: random.Random) -> Image.Image:
    return _enlarged(1.2, 1.6)(rng.choice((_frame, _letterbox, _phone))(image, rng), rng)


def _sharpened(image: Image.Image, rng: random.Random) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(2, rng.randrange(80, 180), 2))


EDITS: dict[str, Edit] = {
    "frame": _frame,
    "mat and frame": _double_frame,
    "letterbox": _letterbox,
    "pillarbox": _pillarbox,
    "polaroid": _polaroid,
    "padding, plain": _plain_padding,
    "padding, blurred": _blurred_padding,
    "screenshot, browser": _browser,
    "screenshot, phone": _phone,
    "caption bar": _caption_bar,
    "watermark": _watermark,
    "logo": _logo,
    "meme text": lambda image, _: captioned(image, "WHEN THE TEST/IS GREEN AT LAST"),
    "enlarged 110 %": _enlarged(1.1, 1.1),
    "enlarged 130 %": _enlarged(1.3, 1.3),
    "enlarged 200 %": _enlarged(2.0, 2.0),
    "enlarged, nearest": _enlarged(1.1, 2.0, "nearest"),
    "enlarged, bilinear": _enlarged(1.1, 2.0, "bilinear"),
    "enlarged, bicubic": _enlarged(1.1, 2.0, "bicubic"),
    "enlarged, Lanczos": _enlarged(1.1, 2.0, "Lanczos"),
    "enlarged, sharpened": _enlarged_sharper,
    "framed, enlarged": _framed_and_enlarged,
    "smaller": _smaller,
    "thumbnail": _thumbnail,
    "sharpened": _sharpened,
    "blurred": lambda image, _: image.filter(ImageFilter.GaussianBlur(max(image.size) / 500)),
    "crop 10 %": _cropped(0.08, 0.12),
    "crop 20 %": _cropped(0.17, 0.22),
    "square": _square,
    "grey": lambda image, _: image.convert("L").convert("RGB"),
    "compressed heavily": lambda image, _: image,
    "compressed again": lambda image, _: image,
    "as PNG": lambda image, _: image,
}  # fmt: skip


def copies(image: Image.Image, seed: str) -> dict[str, tuple[bytes, str]]:
    """Return the file of each edit and the ending of its name, by the edit."""
    found = {}
    for name, edit in EDITS.items():
        rng = random.Random(f"{seed} {name}")
        quality = rng.randint(*_QUALITIES)
        if name == "compressed heavily":
            quality = rng.randrange(15, 45)
        edited = edit(image, rng)
        if name == "as PNG" or (name.startswith("screenshot") and rng.random() < _SHOTS_IN_PNG):
            found[name] = encoded(edited, "PNG"), "png"
        else:
            found[name] = encoded(edited, quality=quality), "jpg"
    return found
