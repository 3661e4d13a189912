"""Tells downloads into a set of shards from those into a data set folder."""

from __future__ import annotations

from pixtrawl.config.groups import Config
from pixtrawl.folder.layout import is_url

__all__ = ["into_shards"]


def into_shards(config: Config) -> bool:
    """Return whether a download goes into a set of shards and not into a data set folder."""
    return config.job.engine == "ray" or is_url(config.job.output)
