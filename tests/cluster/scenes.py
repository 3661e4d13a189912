"""A list of drawn scenes as `data:` URLs, with copies of some, for sets of shards."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from PIL import Image

from pixtrawl.playground.drawing.pictures import draw_scene, encode

LABELS = ("boats", "cats")


def _url(image: Image.Image, **options: Any) -> str:
    data = encode(image, "jpeg", **options)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def write_scenes(path: Path) -> Path:
    """Write three scenes of two labels; of the first of each a worse, a smaller, a better copy.

    The last two rows are a copy of the first under another URL, and a file that is no picture.
    """
    rows: list[dict[str, Any]] = []
    for label in LABELS:
        scenes = [draw_scene(7, label, n, (240, 180)) for n in range(3)]
        copies = [scenes[0].resize((160, 120)), scenes[0].resize((320, 240))]
        urls = [_url(scene) for scene in scenes]
        urls[1:1] = [_url(scenes[0], quality=40), *map(_url, copies)]
        rows += [
            {"url": url, "query": label, "title": f"{label} {n}", "price": n / 2}
            for n, url in enumerate(urls)
        ]
    rows.append({"url": rows[0]["url"].replace("base64,", "base64,%20"), "query": LABELS[0]})
    rows.append({"url": "data:image/jpeg;base64,AAAA", "query": LABELS[1], "price": 9})
    path.write_text("\n".join(map(json.dumps, rows)))
    return path
