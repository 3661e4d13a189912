"""What is known of each source: what it needs, what it may, what it costs, and its own settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from pixtrawl import sources
from pixtrawl.sources.base import SourceInfo

__all__ = ["COMMON", "Groups", "SettingFacts", "SourceFacts", "groups", "source_facts"]

# Settings that every source has; a source may word them itself.
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
    """A source with the user's settings.

    `missing` are sentences, each with the next step; `delay_s` is its live pace in seconds, `limit`
    what it gives for one query at the most, `verified` how it was tried.
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
        """Whether it asks for no key, no server and no file of the user's."""
        return not _OF_THE_USER & set(self.needs)


class Groups(Struct, frozen=True):
    """Who is asked under the name of each group, as things are set."""

    auto: tuple[str, ...]
    open: tuple[str, ...]
    species: tuple[str, ...]


def source_facts(names: Sequence[str], settings: Settings) -> list[SourceFacts]:
    """The facts of these sources or members of groups; of all where none is named.

    Raises UsageError for a name that is no source.
    """
    chosen = sources.expand(names, settings) or sources.available()
    return [_facts(name, settings) for name in chosen]


def groups(settings: Settings) -> Groups:
    """The members of each group that would be asked."""
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
    """Its own settings; those that every source has come first, unless it words them itself."""
    own = {
        one.key: SettingFacts(one.key, one.default, one.sentence, one.secret)
        for one in info.settings
    }
    common = {key: SettingFacts(key, "", said) for key, said in COMMON}
    return tuple((common | own).values())
