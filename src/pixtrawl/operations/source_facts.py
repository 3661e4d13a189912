"""Facts on each source: needs, filters, limits, pace, terms, and its own settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from pixtrawl import sources
from pixtrawl.sources.base import SourceInfo

__all__ = ["COMMON", "Groups", "SettingFacts", "SourceFacts", "groups", "source_facts"]

# Settings that every source has; a source may describe them itself.
COMMON: Final = (
    ("base_url", "another server of its kind"),
    ("delay_s", "seconds between two requests"),
    ("enabled", "whether its groups ask it"),
)
_OF_THE_USER: Final = frozenset({"key", "url", "file"})
Settings = Mapping[str, Mapping[str, str]]


class SettingFacts(Struct, frozen=True):
    """A source's own setting, without its value."""

    key: str
    default: str
    sentence: str
    secret: bool = False


class SourceFacts(Struct, frozen=True, kw_only=True):
    """Facts on a source under the user's settings.

    `missing` are sentences, each with the next step; `delay_s` is its default delay between
    requests in seconds, `limit` the most results for one query, `verified` how it was tested.
    """

    name: str
    title: str
    sentence: str
    base_url: str
    groups: tuple[str, ...]
    groups_if_enabled: tuple[str, ...]
    needs: tuple[str, ...]
    missing: tuple[str, ...]
    filters: tuple[str, ...]
    limit: str
    license: str
    verified: str
    delay_s: float
    terms: str
    settings: tuple[SettingFacts, ...]

    @property
    def needs_nothing_of_the_user(self) -> bool:
        """Whether the source needs no key, server or file from the user."""
        return not _OF_THE_USER & set(self.needs)


class Groups(Struct, frozen=True):
    """The sources that each group stands for under the current settings."""

    auto: tuple[str, ...]
    open: tuple[str, ...]
    species: tuple[str, ...]


def source_facts(names: Sequence[str], settings: Settings) -> list[SourceFacts]:
    """Return the facts of these sources and members of groups; of all sources if none is named.

    Raises:
        UsageError: an unknown name, or a group without a member that can be asked.
    """
    chosen = sources.expand(names, settings) or sources.available()
    return [_facts(name, settings) for name in chosen]


def groups(settings: Settings) -> Groups:
    """Return the members of each group that would be asked.

    Raises:
        UsageError: no member of a group can be asked.
    """
    found = {name: tuple(sources.expand([name], settings)) for name in ("auto", "open", "species")}
    return Groups(**found)


def _facts(name: str, settings: Settings) -> SourceFacts:
    info = sources.load(name).info
    asked = sources.switched_on(name, settings)
    return SourceFacts(
        name=name,
        title=info.title,
        sentence=info.sentence,
        base_url=info.base_url,
        groups=sources.groups_of(name) if asked else (),
        groups_if_enabled=() if asked else sources.groups_of(name),
        needs=tuple(info.needs),
        missing=tuple(sources.missing(name, settings)),
        filters=tuple(sorted(info.filters)),
        limit=info.limit,
        license=info.license,
        verified=info.verified,
        delay_s=info.delay_s,
        terms=info.terms,
        settings=_settings(info),
    )


def _settings(info: SourceInfo) -> tuple[SettingFacts, ...]:
    """Return the common settings, then the source's own, whose descriptions take precedence."""
    own = {
        one.key: SettingFacts(one.key, one.default, one.sentence, one.secret)
        for one in info.settings
    }
    common = {key: SettingFacts(key, "", said) for key, said in COMMON}
    return tuple((common | own).values())
