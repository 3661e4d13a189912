"""The registry of sources, as loading settings wants to see it."""

from __future__ import annotations

from pixtrawl import sources
from pixtrawl.config.load import KnownSources


def known_sources() -> KnownSources:
    """All names; a source's class is imported only when something of it is set."""
    return KnownSources(sources.available(), _keys)


def _keys(name: str) -> list[str]:
    return [setting.key for setting in sources.load(name).info.settings]
