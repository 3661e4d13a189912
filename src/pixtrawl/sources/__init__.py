"""The sources by name. A source is one file with one class, and one row in `sources/table.py`.

A class is imported when its name is used. Other packages add sources by the entry point group
`pixtrawl.sources` (name = "module:Class"); a built-in name cannot be replaced by one of these.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from pixtrawl.browser import executable as browser_path
from pixtrawl.config import parse
from pixtrawl.config.groups import Fetch
from pixtrawl.errors import UsageError
from pixtrawl.secrets import is_secret_name
from pixtrawl.sources import filters, keys
from pixtrawl.sources.base import Source, UsesBrowser
from pixtrawl.sources.settings import COMMON
from pixtrawl.sources.table import GROUPS, ROWS, groups_of, needs_switch

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

__all__ = [
    "GROUPS", "available", "can_filter", "expand", "groups_of", "is_secret", "load", "missing",
    "switched_on",
]  # fmt: skip

_ENTRY_POINTS: Final = "pixtrawl.sources"

Settings = Mapping[str, Mapping[str, str]]  # of every source, by its name


def available() -> list[str]:
    """Return the names of all sources: built in, then those of other packages, each in order."""
    others = {point.name for point in _entry_points()}
    return [*sorted(ROWS), *sorted(others - ROWS.keys())]


def load(name: str) -> type[Source]:
    """Return the class of a source. Raises UsageError for unknown names and broken packages."""
    row = ROWS.get(name)
    if row is not None:
        module, _, attribute = row.target.partition(":")
        found = importlib.import_module(f"{__name__}.{module}")
        return cast("type[Source]", getattr(found, attribute))
    point = _entry_point(name)
    if point is None:
        raise UsageError(_unknown(name))
    try:
        return cast("type[Source]", point.load())
    except Exception as error:  # importing another package may raise anything
        package = point.dist.name if point.dist else point.value
        raise UsageError(f"source {name!r} of {package} cannot be loaded: {error}") from error


def opened(name: str, given: Mapping[str, str], fetch: Fetch) -> Source:
    """Return a source with its settings, whose browser (if any) keeps to the run's network rules.

    Raises UsageError.
    """
    source = load(name)(given)
    if isinstance(source, UsesBrowser):
        source.set_network(fetch)
    return source


def is_secret(name: str, key: str) -> bool:
    """Return whether this setting of a source must never be shown.

    A setting that no source declares is secret: nothing shows that it is harmless.
    """
    if key in COMMON:
        return False
    if is_secret_name(key):
        return True
    try:
        declared = load(name).info.settings
    except UsageError:  # a source that is no longer installed
        return key not in {"url", "file"}
    return next((one.secret for one in declared if one.key == key), True)


def expand(names: Iterable[str], settings: Settings) -> list[str]:
    """Return the sources for the names that a user gave: groups expanded, each source once.

    A group skips members that are disabled (`NAME.enabled=false`), or that need to be enabled or
    given a URL first; a source named by the user is always asked. If a member's base_url is on this
    computer, the group asks only such members, so that a practice run does not reach the web.

    Raises:
        UsageError: an unknown name, or a group without a member that can be asked.
    """
    chosen: dict[str, None] = {}
    for name in names:
        if name in GROUPS:
            members = [one for one in GROUPS[name] if _in_group(one, settings.get(one, {}))]
            if not members:
                raise UsageError(f"no source of the group {name!r} can be asked")
            here = [one for one in members if _is_here(settings.get(one, {}).get("base_url", ""))]
            chosen.update(dict.fromkeys(here or members))
        elif name in ROWS or _entry_point(name) is not None:
            chosen[name] = None
        else:
            raise UsageError(_unknown(name))
    return list(chosen)


def can_filter(name: str, which: str, value: str) -> bool:
    """Return whether a source can be asked for one value of a filter."""
    kind = load(name)
    if which not in kind.info.filters:
        return False
    words = getattr(kind, "words", {})
    return which not in words or filters.word_of(words[which], value) is not None


def switched_on(name: str, settings: Settings) -> bool:
    """Return whether its groups may ask it, as far as `NAME.enabled` and its default go."""
    return _switched(name, settings.get(name, {}), default=not needs_switch(name))


def missing(name: str, settings: Settings) -> list[str]:
    """Return one sentence with the next step for each need that is not met; usually none."""
    info = load(name).info
    given = settings.get(name, {})
    sentences = []
    for need in info.needs:
        if need == "browser":
            if not browser_path.can_drive() and importlib.util.find_spec("playwright") is None:
                sentences.append(f"{name} needs a driver here: pip install 'pixtrawl[browser]'")
        elif need == "key":
            if not keys.key_of(name, given):
                sentences.append(f"{name} needs a key: {keys.where(name)}")
        elif any(one.key == need for one in info.settings) and not given.get(need):
            sentences.append(f"{name} needs a {need}: --set {name}.{need}=...")
    return sentences


def _in_group(name: str, given: Mapping[str, str]) -> bool:
    required = ROWS[name].only_with
    if required == "key" and not keys.key_of(name, given):
        return False
    if required not in {"", "key", "enabled"} and not given.get(required):
        return False
    return _switched(name, given, default=required != "enabled")


def _is_here(address: str) -> bool:
    """Return whether a base URL leads to this computer."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return host in {"localhost", "::1"} or host.startswith("127.")


def _switched(name: str, given: Mapping[str, str], *, default: bool) -> bool:
    if "enabled" not in given:
        return default
    try:
        return parse.boolean(given["enabled"])
    except ValueError as error:
        raise UsageError(f"{name}.enabled: {error}") from None


def _entry_point(name: str) -> EntryPoint | None:
    return next((point for point in _entry_points() if point.name == name), None)


def _entry_points() -> EntryPoints:
    from importlib import metadata  # 25 ms, which most runs do not need

    return _searched(metadata.entry_points, tuple((at, _changed_ns(at)) for at in sys.path))


@lru_cache(maxsize=1)  # 40 ms for 200 installed packages, at several places of every run
def _searched(
    search: Callable[..., EntryPoints], _places: tuple[tuple[str, int], ...]
) -> EntryPoints:
    return search(group=_ENTRY_POINTS)


def _changed_ns(folder: str) -> int:
    """Return when packages were last installed or removed there; 0 where that cannot be said."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def _unknown(name: str) -> str:
    import difflib

    known = [*available(), *GROUPS]
    alike = difflib.get_close_matches(name.lower(), known, 1)
    hint = f"did you mean {alike[0]!r}?" if alike else f"there are: {', '.join(known)}"
    return f"no source is called {name!r}; {hint}"
