"""A small data set made of real image files, for tests and for the processes that they kill."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixtrawl.labels import label_for
from pixtrawl.model import Candidate, ImageInfo, Sample

TRICKY = ("cat", "steam train", "test tube", "val", "README", ".hidden")
EXTENSION = {"jpeg": "jpg", "png": "png", "webp": "webp"}


def picture(seed: int, size: tuple[int, int] = (48, 36)) -> Image.Image:
    """Soft colours that differ from seed to seed."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, format_: str = "jpeg", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_.upper(), **options)
    return buffer.getvalue()


def sample(
    root: Path, query: str, number: int, data: bytes, format_: str = "jpeg", **facts: Any
) -> Sample:
    """Writes a file into the data set and gives its sample back."""
    label = label_for(query)
    name = f"{label}/{number:06d}.{EXTENSION.get(format_, format_)}"
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
    found: dict[str, Any] = {
        "title": f"{query} no. {number}" if number % 2 else None,
        "license": "CC BY 4.0" if number % 3 == 0 else None,
        "page_url": f"https://host{number % 5}.example/page/{number}",
        **facts,
    }
    phash = found.pop("phash", b"")
    url = found.pop("url", f"https://www.host{number % 5}.example/{number}.jpg")
    return Sample(
        id=number,
        label=label,
        number=number,
        file_name=name,
        info=ImageInfo(
            format=format_,
            width=width,
            height=height,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            phash=phash,
        ),
        candidate=Candidate(
            url=url, query=query, label=label, source="playground", rank=number, **found
        ),
        url=url,
        final_url=url,
        fetched_at="2026-11-22T10:00:00Z",
    )


def dataset(
    root: Path,
    queries: Iterable[str] = TRICKY,
    per_label: int = 5,
    format_of: Callable[[int], str] = lambda number: "jpeg",
) -> list[Sample]:
    """`per_label` images for each query, ordered as storage gives them."""
    samples = [
        sample(
            root,
            query,
            number,
            encoded(picture(1000 * place + number), format_of(number)),
            format_of(number),
        )
        for place, query in enumerate(queries)
        for number in range(1, per_label + 1)
    ]
    return sorted(samples, key=lambda one: (one.label, one.number))


def mixed(number: int) -> str:
    return ("jpeg", "png", "webp")[number % 3]


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
