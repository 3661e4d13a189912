"""The settings of a run as its parts want them: plain and without secrets, or one question."""

from __future__ import annotations

import msgspec

from pixtrawl.config.groups import Config
from pixtrawl.secrets import hide_settings

__all__ = ["asked_for_size", "plain_settings"]


def asked_for_size(config: Config) -> frozenset[str]:
    """Sources that are themselves asked for the wished size."""
    size = config.filters.size
    if size is None:
        return frozenset()
    from pixtrawl import sources  # a download imports them only to ask this

    asked = sources.expand(config.job.sources, config.sources)
    return frozenset(one for one in asked if sources.can_filter(one, "size", size))


def plain_settings(config: Config) -> dict[str, object]:
    """The settings as plain values, without secrets: they are kept in the catalog."""
    values: dict[str, object] = msgspec.to_builtins(config, enc_hook=str)
    given: dict[str, dict[str, object]] = values.pop("sources", {})  # type: ignore[assignment]
    hide_settings(values)
    if given:
        from pixtrawl import sources  # a download of a list has no settings of sources

        for name, settings in given.items():
            secret = [key for key in settings if sources.is_secret(name, key)]
            hide_settings(settings, secret)
    return {**values, "sources": given}
