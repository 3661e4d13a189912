"""The registry of sources, as loading settings wants to see it.

It is imported when something is asked of it: a download with nothing set of a source starts 20 ms
sooner without.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from pixtrawl.config.load import KnownSources


class _Names(Collection[str]):
    """All names, looked up when somebody asks: that reads every installed package's metadata."""

    @cached_property
    def _names(self) -> list[str]:
        from pixtrawl import sources

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
    from pixtrawl import sources

    return [setting.key for setting in sources.load(name).info.settings]
