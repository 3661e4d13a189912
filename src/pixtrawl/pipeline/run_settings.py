"""Derives from the settings: plain values without secrets, and which sources filter by size."""

from __future__ import annotations

import msgspec

from pixtrawl.config.groups import Config
from pixtrawl.secrets import hide_settings

__all__ = ["asked_for_size", "plain_settings"]


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
