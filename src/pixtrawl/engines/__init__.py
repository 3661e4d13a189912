"""Engines (executors) by name: an explicit table; the class is imported on use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.engines.base import EngineKind

__all__ = ["ENGINES", "load"]

ENGINES: Final[Mapping[str, str]] = {
    "local": "pixtrawl.engines.local:LocalEngine",
    "processes": "pixtrawl.engines.processes:ProcessesEngine",
}


def load(name: str) -> EngineKind:
    """Return the class of an engine. Raise UsageError for an unknown name."""
    if name == "ray":
        raise UsageError(
            "--engine ray fetches lists into a set of shards: `pixtrawl discover`, then "
            "`pixtrawl download MANIFEST -o STORE --engine ray`"
        )
    place = ENGINES.get(name)
    if place is None:
        raise UsageError(f"there is no engine {name!r}; use {' or '.join(ENGINES)}")
    module, _, attribute = place.partition(":")
    kind: EngineKind = getattr(import_module(module), attribute)
    return kind
