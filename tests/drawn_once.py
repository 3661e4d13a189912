"""Pictures of the playground, drawn once for the whole run of the suite instead of once for each server.

Drawing them took a fifth of the suite's processor time. A picture is decided by seed and path alone
(tests/playground/test_pictures.py holds to that, without this store).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from msgspec import json

from pixtrawl.playground.store import PictureStore, PlaygroundImage

Render = Callable[[PictureStore, str], PlaygroundImage | None]
DRAWING: Render = PictureStore._render


def from_folder(folder: Path) -> Render:
    """Return a way to render that looks into `folder` first; processes may share it."""
    folder.mkdir(exist_ok=True)

    def render(store: PictureStore, path: str) -> PlaygroundImage | None:
        key = f"{store.seed} {store._distinct} {path}"
        kept = folder / hashlib.sha256(key.encode()).hexdigest()
        if kept.exists():
            head, _, body = kept.read_bytes().partition(b"\n")
            kind, sha256, width, height = json.decode(head, type=tuple[str, str, int, int])
            return PlaygroundImage(body, kind, sha256, width, height)
        drawn = DRAWING(store, path)
        if drawn is not None:
            head = json.encode((drawn.content_type, drawn.sha256, drawn.width, drawn.height))
            staged = kept.with_suffix(f".{os.getpid()}.{id(drawn)}")
            staged.write_bytes(head + b"\n" + drawn.body)
            staged.replace(kept)
        return drawn

    return render
