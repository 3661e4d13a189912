"""Tells a set of shards from a data set folder, without reading it."""

from __future__ import annotations

from pathlib import Path

from pixtrawl.config.groups import Config
from pixtrawl.folder.layout import CATALOG, is_url

__all__ = ["into_shards", "is_shards"]


def is_shards(place: Path | str) -> bool:
    """Return whether a place given as a data set is a set of shards: a URL, or a folder of one."""
    if is_url(str(place)):
        return True
    folder = Path(place)
    return (folder / "job.json").is_file() and not (folder / CATALOG).exists()


def into_shards(config: Config) -> bool:
    """Return whether a download goes into a set of shards and not into a data set folder."""
    return config.job.engine == "ray" or is_url(config.job.output)
