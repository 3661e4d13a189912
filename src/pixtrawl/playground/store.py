"""Image files by path, made on first request and kept as ready answers.

Paths on the image hosts (SLUG and N decide the picture):

    /photo/SLUG/N.EXT        the picture itself
    /mirror/SLUG/N.EXT       the same bytes under another URL
    /edit/KIND/SLUG/N.EXT    a near duplicate; KIND is a key of `EDITS`
    /small/SLUG/N.jpg        150 pixels high
    /sound/SLUG/N.jpg        a JPEG of 640 x 480 of the same scene (what faults are bad about)
    /sized/W/SLUG/N.jpg      the same in 4:3, W pixels wide (for srcset)
    /wp-content/uploads/2026/05/SLUG_N.jpg and SLUG_N-300x225.jpg, as WordPress names them
    /no-image/SLUG/N.png     the 'image not available' picture, the same for all
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from pixtrawl.playground.drawing.pictures import draw_scene, encode, picture, thumbnail, traits_of

CONTENT_TYPES: Final = {
    "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp",
    "gif": "image/gif", "avif": "image/avif",
}  # fmt: skip
SMALL_HEIGHT: Final = 150  # pixels
THUMB_HEIGHT: Final = 180  # pixels
SOUND_SIZE: Final = (640, 480)  # pixels
KINDS: Final = frozenset(
    {
        "sized",
        "wp-content",
        "photo",
        "mirror",
        "edit",
        "small",
        "thumb",
        "sound",
        "no-image",
        "inner",
    }
)


def _crop(image: Image.Image) -> Image.Image:
    w, h = image.size
    return image.crop((w * 2 // 100, h * 3 // 100, w * 98 // 100, h * 97 // 100))


def _border(image: Image.Image) -> Image.Image:
    """Return the picture in a white frame, smaller than the picture, which stays the best copy."""
    w, h = image.size
    return ImageOps.expand(image.resize((w * 9 // 10, h * 9 // 10)), w // 50, "white")


EDITS: Final[dict[str, tuple[str, Callable[[Image.Image], Image.Image], dict[str, object]]]] = {
    "recompressed": ("jpg", lambda image: image, {"quality": 55}),
    "resized": (
        "jpg",
        lambda image: image.resize((image.width * 3 // 5, image.height * 3 // 5)),
        {},
    ),
    "cropped": ("jpg", _crop, {}),
    "webp": ("webp", lambda image: image, {"quality": 70}),
    "brighter": ("jpg", lambda image: ImageEnhance.Brightness(image).enhance(1.12), {}),
    "bordered": ("jpg", _border, {}),
}
"""Near duplicates that the web is full of: name to (extension, edit, encoder options)."""


def edited_size(kind: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height in pixels of a near duplicate of a picture of `size`."""
    w, h = size
    if kind == "resized":
        return w * 3 // 5, h * 3 // 5
    if kind == "cropped":
        return w * 98 // 100 - w * 2 // 100, h * 97 // 100 - h * 3 // 100
    if kind == "bordered":
        return w * 9 // 10 + 2 * (w // 50), h * 9 // 10 + 2 * (w // 50)
    return size


@dataclass(frozen=True, slots=True)
class PlaygroundImage:
    """One file of the playground. Sizes in pixels; `sha256` in hex."""

    body: bytes
    content_type: str
    sha256: str
    width: int
    height: int


class PictureStore:
    """Renders files by path and keeps the latest `cache_bytes` of them; threads may share it."""

    def __init__(self, seed: int, *, cache_bytes: int = 256 << 20, distinct: int | None = None):
        """`distinct`: from this index on, pictures repeat with other bytes (for benchmarks)."""
        self.seed = seed
        self._limit = cache_bytes
        self._distinct = distinct
        self._held = 0
        self._files: OrderedDict[str, PlaygroundImage] = OrderedDict()
        self._lock = threading.Lock()

    def cached(self, path: str) -> PlaygroundImage | None:
        """Return the file if it was rendered already."""
        return self._files.get(path)

    def get(self, path: str) -> PlaygroundImage | None:
        """Return the file at `path`, rendered if need be; None where there is none."""
        held = self._files.get(path)
        if held is not None:
            return held
        rendered = self._render(path)
        if rendered is not None:
            self._keep(path, rendered)
        return rendered

    def _keep(self, path: str, file: PlaygroundImage) -> None:
        with self._lock:
            if path in self._files:
                return
            self._files[path] = file
            self._held += len(file.body)
            while self._held > self._limit and len(self._files) > 1:
                _, old = self._files.popitem(last=False)
                self._held -= len(old.body)

    def _render(self, path: str) -> PlaygroundImage | None:
        parts = path.strip("/").split("/")
        try:
            body, extension = self._body(parts)
        except (ValueError, KeyError, IndexError):
            return None
        with Image.open(BytesIO(body)) as image:
            width, height = image.size
        digest = hashlib.sha256(body).hexdigest()
        return PlaygroundImage(body, CONTENT_TYPES[extension], digest, width, height)

    def _body(self, parts: list[str]) -> tuple[bytes, str]:
        """Render the file at `path`. Raise ValueError, KeyError or IndexError if it is not ours."""
        if parts[0] == "wp-content":
            return self._wordpress(parts[-1]), "jpg"
        kind, slug, name = parts[0], parts[-2], parts[-1]
        stem, _, extension = name.partition(".")
        index = int(stem)
        if kind in {"photo", "mirror"} and len(parts) == 3:
            if extension != traits_of(self.seed, slug, index).extension:
                raise ValueError(extension)
            return self._picture(slug, index), extension
        if kind == "edit" and len(parts) == 4:
            expected, edit, options = EDITS[parts[1]]
            if extension != expected:
                raise ValueError(extension)
            with Image.open(BytesIO(self._picture(slug, index))) as image:
                edited = edit(image.convert("RGB"))
            return encode(edited, "webp" if extension == "webp" else "jpeg", **options), extension
        if kind in {"small", "thumb"} and len(parts) == 3:
            height = SMALL_HEIGHT if kind == "small" else THUMB_HEIGHT
            return thumbnail(self.seed, slug, index, height), "jpg"
        if kind in {"sound", "inner"} and len(parts) == 3:
            return encode(draw_scene(self.seed, slug, index, SOUND_SIZE), "jpeg"), "jpg"
        if kind == "sized" and len(parts) == 4:
            return self._scene(slug, index, int(parts[1])), "jpg"
        if kind == "no-image":
            return not_available(), "png"
        raise ValueError(kind)

    def _scene(self, slug: str, index: int, width: int) -> bytes:
        """Return a JPEG in 4:3, `width` pixels wide (at most 2,048)."""
        size = (width, width * 3 // 4)
        if not 16 <= width <= 2048:
            raise ValueError(width)
        return encode(draw_scene(self.seed, slug, index, size), "jpeg")

    def _wordpress(self, name: str) -> bytes:
        found = re.fullmatch(r"(.+)_(\d{1,6})(?:-(\d{2,4})x\d{2,4})?\.jpg", name)
        if found is None:
            raise ValueError(name)
        return self._scene(found[1], int(found[2]), int(found[3] or 1200))

    def _picture(self, slug: str, index: int) -> bytes:
        if self._distinct is None or index < self._distinct:
            return picture(self.seed, slug, index)
        body = picture(self.seed, slug, index % self._distinct)
        if not body.startswith(b"\xff\xd8"):
            return body
        comment = f"picture {index}".encode()  # a COM segment (ITU-T T.81, B.2.4.5)
        return body[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + body[2:]


@lru_cache(maxsize=1)
def not_available() -> bytes:
    """Return a PNG that hosts serve in place of a picture."""
    image = Image.new("RGB", (640, 480), (236, 236, 236))
    pen = ImageDraw.Draw(image)
    pen.rectangle((220, 150, 420, 290), outline=(170, 170, 170), width=6)
    pen.line((220, 290, 420, 150), fill=(170, 170, 170), width=6)
    pen.text((238, 320), "This image is not available", fill=(120, 120, 120))
    return encode(image, "png")
