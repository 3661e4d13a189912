"""Read a source's own settings from the user's text; errors name the setting."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from pixtrawl.config import parse
from pixtrawl.errors import UsageError
from pixtrawl.sources.base import SourceInfo, SourceSetting

_T = TypeVar("_T")

SWITCH_ON: Final = "true: let its groups ask this source"
COMMON: Final = ("base_url", "delay_s", "enabled")


def common_settings(
    base_url: str, delay_s: float, *, in_groups: bool = True
) -> tuple[SourceSetting, ...]:
    """Return the settings of every source over HTTP; `in_groups`: enabled by default."""
    switch = "false: leave this source out of its groups" if in_groups else SWITCH_ON
    return (
        SourceSetting("base_url", base_url, "server to ask"),
        SourceSetting(
            "delay_s", "", f"seconds between requests ({delay_s:g}; 0 with another base_url)"
        ),
        SourceSetting("enabled", str(in_groups).lower(), switch),
    )


class OwnSettings(Struct, frozen=True):
    """The common settings, and the others as text. `live` holds for the built-in base URL."""

    base_url: str  # without a slash at its end
    live: bool
    delay_s: float
    given: Mapping[str, str]


def read_settings(name: str, info: SourceInfo, given: Mapping[str, str]) -> OwnSettings:
    """Read and check a source's settings. Raises UsageError for unknown or unreadable ones."""
    known = [*COMMON, *(setting.key for setting in info.settings)]
    for key in given:
        if key not in known:
            alike = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {alike[0]}?" if alike else f"there are {', '.join(known)}"
            raise UsageError(f"{name}.{key}: no such setting; {hint}")
    base_url = (given.get("base_url") or info.base_url).strip().rstrip("/")
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query
    except ValueError:
        good = False
    if not good and base_url:
        raise UsageError(f"{name}.base_url: {base_url!r} is no http(s) address")
    live = base_url == info.base_url.rstrip("/")
    setting(name, given, "enabled", parse.boolean, default=True)
    delay_s = setting(name, given, "delay_s", parse.seconds, default=info.delay_s if live else 0.0)
    return OwnSettings(base_url, live, delay_s, dict(given))


def setting(
    name: str, given: Mapping[str, str], key: str, read: Callable[[str], _T], *, default: _T
) -> _T:
    """Return one setting, read by `read`; `default` for empty text. Raises UsageError."""
    text = given.get(key, "")
    if not text.strip():
        return default
    try:
        return read(text)
    except ValueError as error:
        raise UsageError(f"{name}.{key}: {error}") from None
