"""Tells a set of shards from a data set folder, without reading it."""

from __future__ import annotations

from pathlib import Path

from pixtrawl.folder.layout import CATALOG, is_url

__all__ = ["is_shards"]


def is_shards(place: Path | str) -> bool:
    """Return whether a place given as a data set is a set of shards: a URL, or a folder of one."""
    if is_url(str(place)):
        return True
    folder = Path(place)
    return (folder / "job.json").is_file() and not (folder / CATALOG).exists()
