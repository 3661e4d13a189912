"""What an assistant needs to work with: a query, and data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixtrawl.playground import Playground
from tests.mcp.assistant import Assistant


def practised(site: Playground) -> Any:
    """The same settings for a server in this process."""
    from pixtrawl.config.groups import Config
    from pixtrawl.config.load import change, registered_sources

    values = {"allow_address": ["127.0.0.0/8"], "set": [f"bing.base_url={site.url}"]}
    return change(Config(), values, known=registered_sources(), place="test")


def assistant(folder: Path, *options: str, **more: Any) -> Assistant:
    folder.mkdir(parents=True, exist_ok=True)
    return Assistant(folder, options, folder.parent / "cache", **more)
