"""Derives from the settings: plain values without secrets, and which sources filter by size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from pixtrawl.config.groups import Config
from pixtrawl.events import Event, Notice
from pixtrawl.secrets import KnownSecrets, hide_settings, secrets_in_url

__all__ = ["asked_for_size", "known_secrets", "plain_settings", "warn_of_override"]

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_MAX_COOKIES: Final = 5000  # more than a browser keeps for all sites


def warn_of_override(config: Config, emit: Callable[[Event], None]) -> None:
    """Warn where owners' statements are overridden: it is the user's own decision, and answer."""
    if config.politeness.ignore_ai_preferences:
        text = (
            f"owners who say no to {config.politeness.purpose} are NOT heard "
            "(ignore_ai_preferences); the report and the data card say so"
        )
        emit(Notice(text, "warning"))


def asked_for_size(config: Config) -> frozenset[str]:
    """Return the names of the sources that filter by the wanted size themselves."""
    size = config.filters.size
    if size is None:
        return frozenset()
    from pixtrawl import sources  # slow to import, and a download needs it only here

    asked = sources.expand(config.job.sources, config.sources)
    return frozenset(one for one in asked if sources.can_filter(one, "size", size))


def plain_settings(config: Config) -> dict[str, object]:
    """Return the settings as plain values without secrets, for storage in the catalog."""
    values: dict[str, object] = msgspec.to_builtins(config, enc_hook=str)
    given: dict[str, dict[str, object]] = values.pop("sources", {})  # type: ignore[assignment]
    hide_settings(values)
    if given:
        from pixtrawl import sources  # slow to import; not needed without settings of sources

        for name, settings in given.items():
            secret = [key for key in settings if sources.is_secret(name, key)]
            hide_settings(settings, secret)
    return {**values, "sources": given}


def known_secrets(config: Config) -> KnownSecrets:
    """Return the secrets among settings, environment and cookies, to mask them in what is kept."""
    values: list[str] = []
    addresses = [config.fetch.proxy or ""]
    addresses += [os.environ.get(name) or os.environ.get(name.lower(), "") for name in _PROXIES]
    if config.sources:
        from pixtrawl import sources  # slow to import; not needed without settings of sources

        for name, settings in config.sources.items():
            for key, value in settings.items():
                if sources.is_secret(name, key):
                    values.append(value)
                else:
                    addresses.append(value)
    values += (secret for one in addresses for secret in secrets_in_url(one))
    if config.fetch.cookies:
        values += _cookie_values(Path(config.fetch.cookies).expanduser())
    return KnownSecrets(values)


def _cookie_values(path: Path) -> Iterator[str]:
    """Yield the values in a cookies.txt; one that cannot be read is refused by the client."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in islice(file, _MAX_COOKIES):
                fields = line.rstrip("\r\n").split("\t")
                if len(fields) == 7:
                    yield fields[6]
    except OSError:
        return
