"""Engines: where tasks are carried out. An explicit table from name to class, loaded on use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.engines.base import Engine

__all__ = ["ENGINES", "load"]

ENGINES: Final[Mapping[str, str]] = {"local": "pixtrawl.engines.local:LocalEngine"}


def load(name: str) -> type[Engine]:
    """The class of an engine. Raises UsageError where there is none of that name."""
    place = ENGINES.get(name)
    if place is None:
        raise UsageError(f"there is no engine {name!r}; use {' or '.join(ENGINES)}")
    module, _, attribute = place.partition(":")
    kind: type[Engine] = getattr(import_module(module), attribute)
    return kind
