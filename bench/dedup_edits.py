"""The edits that copies of a photograph go through on the web: 36 core ones and 24 extended.

Each takes a picture and gives the bytes of a file. Parameters are fixed, noise is seeded by the
picture's size: two runs give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Edit = Callable[[Image.Image], Image.Image]


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a file; JPEG of quality 85 unless said otherwise."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 85} | options if kind == "JPEG" else options))
    return buffer.getvalue()


def _scaled(share: float) -> Edit:
    def resize(image: Image.Image) -> Image.Image:
        size = (max(8, round(image.width * share)), max(8, round(image.height * share)))
        return image.resize(size, Image.Resampling.LANCZOS)

    return resize


def _longest(pixels: int) -> Edit:
    return lambda image: _scaled(pixels / max(image.size))(image)


def crop(left: float, top: float, right: float, bottom: float) -> Edit:
    """Keeps the part between these shares of width and height."""

    def cut(image: Image.Image) -> Image.Image:
        w, h = image.size
        return image.crop((round(left * w), round(top * h), round(right * w), round(bottom * h)))

    return cut


def _gamma(power: float) -> Edit:
    table = [round(255 * (value / 255) ** power) for value in range(256)]
    return lambda image: image.point(table * len(image.getbands()))


def _sepia(image: Image.Image) -> Image.Image:
    grey = image.convert("L")
    return Image.merge(
        "RGB", [grey.point(lambda v, f=f: min(255, int(v * f))) for f in (1.07, 0.95, 0.75)]
    )


def _noise(image: Image.Image) -> Image.Image:
    random = np.random.default_rng(image.width * 10_007 + image.height)
    pixels = np.asarray(image).astype(np.float32)
    noisy = pixels + random.normal(0, 12, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _over(image: Image.Image, layer: Image.Image) -> Image.Image:
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _text(image: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    place = (image.width // 2, image.height // 2)
    size = max(10, image.width // 9)
    draw.text(place, "© SAMPLE PICTURE", (255, 255, 255, 150), anchor="mm", font_size=size)
    return _over(image, layer)


def _tiled_text(image: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    step = max(24, image.width // 5)
    for top in range(0, image.height, step // 2):
        for left in range(-step, image.width, step):
            draw.text(
                (left + top % step, top),
                "preview",
                (255, 255, 255, 80),
                font_size=max(8, step // 6),
            )
    return _over(image, layer)


def _logo(image: Image.Image) -> Image.Image:
    image = image.copy()
    w, h = image.size
    box = (round(0.85 * w), round(0.85 * h), round(0.97 * w), round(0.97 * h))
    draw = ImageDraw.Draw(image)
    draw.ellipse(box, fill=(200, 20, 30))
    draw.text(
        ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2),
        "TV",
        "white",
        anchor="mm",
        font_size=max(8, w // 25),
    )
    return image


def _caption(image: Image.Image) -> Image.Image:
    image = image.copy()
    w, h = image.size
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, round(0.92 * h), w, h), fill="black")
    draw.text(
        (w // 2, round(0.96 * h)),
        "as seen on the evening news",
        "white",
        anchor="mm",
        font_size=max(8, h // 22),
    )
    return image


def _letterbox(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (image.width, round(1.3 * image.height)))
    canvas.paste(image, (0, (canvas.height - image.height) // 2))
    return canvas


def _padded(image: Image.Image) -> Image.Image:
    side = max(image.size)
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return canvas


def _turned(degrees: float, inner: float) -> Edit:
    def turn(image: Image.Image) -> Image.Image:
        turned = image.rotate(degrees, Image.Resampling.BICUBIC)
        return crop(inner, inner, 1 - inner, 1 - inner)(turned)

    return turn


def _screenshot(bar: float, aside: float) -> Edit:
    def shoot(image: Image.Image) -> Image.Image:
        w, h = image.size
        canvas = Image.new("RGB", (round(w * (1 + aside)), round(h * (1 + bar))), (245, 245, 247))
        draw = ImageDraw.Draw(canvas)
        draw.rectangle(
            (0, 0, canvas.width, canvas.height * bar / (1 + bar) * 0.6), fill=(60, 64, 72)
        )
        draw.text((8, 4), "Photos - viewer", "white", font_size=max(8, h // 40))
        canvas.paste(image, (round(w * aside / 2), round(h * bar * 0.7)))
        return canvas

    return shoot


def _square_crop(place: float) -> Edit:
    """Keep a square of the shorter side; `place`: 0 is left or top, 0.5 the middle."""

    def cut(image: Image.Image) -> Image.Image:
        side = min(image.size)
        left, top = round((image.width - side) * place), round((image.height - side) * place)
        return image.crop((left, top, left + side, top + side))

    return cut


def _blurred_padding(width: int, height: int) -> Edit:
    """Lay the whole picture on an enlarged, blurred copy of it, of this aspect ratio."""

    def pad(image: Image.Image) -> Image.Image:
        wide = max(image.width, round(image.height * width / height))
        high = max(image.height, round(wide * height / width))
        ground = ImageOps.fit(image, (wide, high)).filter(ImageFilter.GaussianBlur(wide / 30))
        ground.paste(image, ((wide - image.width) // 2, (high - image.height) // 2))
        return ground

    return pad


def _polaroid(image: Image.Image) -> Image.Image:
    w, h = image.size
    canvas = Image.new("RGB", (round(1.12 * w), round(1.3 * h)), (250, 250, 248))
    canvas.paste(image, (round(0.06 * w), round(0.06 * h)))
    return canvas


def _window(image: Image.Image) -> Image.Image:
    """A screenshot of a program: light title bar with text and buttons, status line below."""
    w, h = image.size
    bar = round(0.09 * h)
    canvas = Image.new("RGB", (w, h + round(1.5 * bar)), (232, 232, 236))
    draw = ImageDraw.Draw(canvas)
    for at, colour in enumerate(((255, 95, 87), (254, 188, 46), (40, 200, 64))):
        left = round(bar * (0.4 + 0.6 * at))
        draw.ellipse((left, bar // 3, left + bar // 3, 2 * bar // 3), fill=colour)
    draw.text((w // 2, bar // 2), "IMG_2041.jpg", "black", anchor="mm", font_size=max(8, bar // 2))
    canvas.paste(image, (0, bar))
    return canvas


def _phone(image: Image.Image) -> Image.Image:
    """A screenshot of a telephone: black above and below, a status line and buttons of text."""
    w, h = image.size
    canvas = Image.new("RGB", (w, round(1.5 * h)))
    draw = ImageDraw.Draw(canvas)
    size = max(8, w // 28)
    draw.text((size, size // 2), "10:41", "white", font_size=size)
    draw.text((w - size, size // 2), "LTE 84 %", "white", anchor="ra", font_size=size)
    for at, word in enumerate(("Share", "Edit", "Delete")):
        place = (w * (2 * at + 1) // 6, canvas.height - 2 * size)
        draw.text(place, word, "white", anchor="mm", font_size=size)
    canvas.paste(image, (0, (canvas.height - h) // 2))
    return canvas


def _corner_logo(share: float, right: bool, bottom: bool) -> Edit:
    """A logo in a box: dark ground, light ring and letters."""

    def mark(image: Image.Image) -> Image.Image:
        image = image.copy()
        w, h = image.size
        side = round(share * min(w, h) * 1.3)
        left = w - side - side // 10 if right else side // 10
        top = h - side - side // 10 if bottom else side // 10
        draw = ImageDraw.Draw(image)
        draw.rounded_rectangle((left, top, left + side, top + side), side // 6, fill=(18, 60, 120))
        inner = side // 8
        draw.ellipse(
            (left + inner, top + inner, left + side - inner, top + side - inner),
            outline="white",
            width=max(2, side // 16),
        )
        middle = (left + side // 2, top + side // 2)
        draw.text(middle, "N9", "white", anchor="mm", font_size=max(8, side // 3))
        return image

    return mark


_KEEP: Edit = lambda image: image  # noqa: E731

_CORE: dict[str, tuple[Edit, str, dict[str, object]]] = {
    "q60": (_KEEP, "JPEG", {"quality": 60}),
    "q30": (_KEEP, "JPEG", {"quality": 30}),
    "q95_444": (_KEEP, "JPEG", {"quality": 95, "subsampling": 0}),
    "resize25": (_scaled(0.25), "JPEG", {}),
    "resize50": (_scaled(0.5), "JPEG", {}),
    "resize150": (_scaled(1.5), "JPEG", {}),
    "thumb225": (_longest(225), "JPEG", {}),
    "thumb120": (_longest(120), "JPEG", {"quality": 75}),
    "webp70": (_KEEP, "WEBP", {"quality": 70, "method": 0}),
    "avif50": (_KEEP, "AVIF", {"quality": 50, "speed": 10}),
    "png": (_KEEP, "PNG", {"compress_level": 1}),
    "crop2": (crop(0.02, 0.02, 1, 1), "JPEG", {}),
    "crop5": (crop(0, 0.05, 0.95, 1), "JPEG", {}),
    "crop10": (crop(0.1, 0.1, 1, 1), "JPEG", {}),
    "crop10 middle": (crop(0.05, 0.05, 0.95, 0.95), "JPEG", {}),
    "crop10 bottom": (crop(0, 0, 1, 0.9), "JPEG", {}),
    "crop10 side": (crop(0.1, 0, 1, 1), "JPEG", {}),
    "crop10+225": (lambda i: _longest(225)(crop(0, 0.1, 0.9, 1)(i)), "JPEG", {}),
    "bright+25": (lambda i: ImageEnhance.Brightness(i).enhance(1.25), "JPEG", {}),
    "bright-25": (lambda i: ImageEnhance.Brightness(i).enhance(0.75), "JPEG", {}),
    "contrast+40": (lambda i: ImageEnhance.Contrast(i).enhance(1.4), "JPEG", {}),
    "contrast-30": (lambda i: ImageEnhance.Contrast(i).enhance(0.7), "JPEG", {}),
    "gamma0.6": (_gamma(0.6), "JPEG", {}),
    "gamma1.6": (_gamma(1.6), "JPEG", {}),
    "saturate1.6": (lambda i: ImageEnhance.Color(i).enhance(1.6), "JPEG", {}),
    "grey": (lambda i: i.convert("L"), "JPEG", {}),
    "sepia": (_sepia, "JPEG", {}),
    "sharpen": (lambda i: i.filter(ImageFilter.UnsharpMask(2, 150, 2)), "JPEG", {}),
    "blur": (lambda i: i.filter(ImageFilter.GaussianBlur(max(i.size) / 400)), "JPEG", {}),
    "noise12": (_noise, "JPEG", {}),
    "watermark text": (_text, "JPEG", {}),
    "watermark tiled": (_tiled_text, "JPEG", {}),
    "logo 12%": (_logo, "JPEG", {}),
    "caption bar 8%": (_caption, "JPEG", {}),
    "stretch115": (lambda i: i.resize((round(1.15 * i.width), i.height)), "JPEG", {}),
    "square": (lambda i: i.resize((min(i.size), min(i.size))), "JPEG", {}),
}
_EXTENDED: dict[str, Edit] = {
    "crop20": crop(0.1, 0.1, 0.9, 0.9),
    "border white 3%": lambda i: ImageOps.expand(i, round(0.03 * i.width), "white"),
    "border black 5%": lambda i: ImageOps.expand(i, round(0.05 * i.width), "black"),
    "letterbox": _letterbox,
    "pad to square": _padded,
    "rotate 1": _turned(1, 0.0),
    "rotate 2, inner": _turned(2, 0.05),
    "rotate 3": _turned(3, 0.0),
    "mirror": ImageOps.mirror,
    "quarter turn": lambda i: i.transpose(Image.Transpose.ROTATE_90),
    "screenshot mild": _screenshot(0.06, 0.0),
    "screenshot heavy": _screenshot(0.25, 0.2),
    "crop20 corner": crop(0.2, 0.2, 1, 1),
    "crop20 side": crop(0, 0, 0.8, 1),
    "square, middle": _square_crop(0.5),
    "square, end": _square_crop(1.0),
    "blurred to square": _blurred_padding(1, 1),
    "blurred to 9:16": _blurred_padding(9, 16),
    "polaroid": _polaroid,
    "program window": _window,
    "telephone": _phone,
    "logo 18%, top": _corner_logo(0.18, right=False, bottom=False),
    "logo 22%, bottom": _corner_logo(0.22, right=True, bottom=True),
    "meme text": lambda i: captioned(i, "WHEN THE TEST/IS GREEN AT LAST"),
}
TURNS = ("mirror", "quarter turn")

CORE = tuple(_CORE)
CROPS_10 = tuple(name for name in _CORE if name.startswith("crop10"))
EXTENDED = tuple(_EXTENDED)


def edited(image: Image.Image, name: str) -> bytes:
    """The file that an edit of this name makes of the picture."""
    if name in _CORE:
        change, kind, options = _CORE[name]
        return encoded(change(image), kind, **options)
    return encoded(_EXTENDED[name](image))


def captioned(image: Image.Image, words: str) -> Image.Image:
    """A meme: the same picture with large words above and below."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    size = max(12, image.width // 10)
    first, _, second = words.partition("/")
    for text, place, anchor in (
        (first, (image.width // 2, image.height // 30), "mt"),
        (second, (image.width // 2, image.height - image.height // 30), "mb"),
    ):
        draw.text(
            place,
            text,
            "white",
            anchor=anchor,
            font_size=size,
            stroke_width=size // 12,
            stroke_fill="black",
        )
    return image
