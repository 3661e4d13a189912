"""The registry of sources, as loading settings wants to see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from pixtrawl import sources
from pixtrawl.config.load import KnownSources


class _Names(Collection[str]):
    """All names, looked up when somebody asks: that reads every installed package's metadata."""

    @cached_property
    def _names(self) -> list[str]:
        return sources.available()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def known_sources() -> KnownSources:
    """All names; a source's class is imported only when something of it is set."""
    return KnownSources(_Names(), _keys)


def _keys(name: str) -> list[str]:
    return [setting.key for setting in sources.load(name).info.settings]
