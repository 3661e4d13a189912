"""Where image-text models were loaded from, by their name: a small file in the user's cache.

A catalog names the model of its embeddings by content, and holds no paths of this computer. With
this list a later search by words finds the model again without a setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from pixtrawl.config.user_folders import user_folder

__all__ = ["place_of", "remember_place"]

_MOST: Final = 50


def _file() -> Path:
    return user_folder("cache") / "model-places.json"


def _places() -> dict[str, str]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):  # none yet; the list is only a convenience
        return {}


def place_of(model: str) -> str | None:
    """Return where a model was loaded from, as for `--model`; None if it is not known."""
    return _places().get(model)


def remember_place(model: str, place: str) -> None:
    """Note where a model is; a list that cannot be written is left as it is."""
    name, colon, weights = place.partition(":")
    if Path(place).exists():
        place = str(Path(place).absolute())
    elif colon and Path(weights).is_file():
        place = f"{name}:{Path(weights).absolute()}"
    known = _places()
    if known.get(model) == place:
        return
    known.pop(model, None)
    newest = {model: place} | known
    file = _file()
    part = file.with_name(f"{file.name}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(dict(list(newest.items())[:_MOST])))
        part.replace(file)
    except OSError:  # no cache can be written: the model is named again then
        return
