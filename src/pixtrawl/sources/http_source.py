"""The base of all sources over HTTP: declared facts, settings, filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.settings import common_settings, read_settings
from pixtrawl.sources.table import needs_switch


class HttpSource:
    """A source that asks one server over HTTP.

    A subclass declares `name` and `info`, and the filters that it applies: `words` in the
    source's own words, `otherwise` those applied by other means. `info.filters` and the
    settings `base_url`, `delay_s` and `enabled` follow from these and are filled in.
    """

    name: ClassVar[str]
    info: ClassVar[SourceInfo]
    words: ClassVar[Words] = {}
    otherwise: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        info = cls.__dict__.get("info")
        if info is not None:
            common = common_settings(
                info.base_url, info.delay_s, in_groups=not needs_switch(cls.name)
            )
            cls.info = replace(
                info,
                settings=(*common, *info.settings),
                filters=info.filters | frozenset(cls.words) | cls.otherwise,
            )

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Read the settings. Raises UsageError for unknown or unreadable ones."""
        self.settings = read_settings(self.name, self.info, settings)

    async def aclose(self) -> None:
        """Release resources; a subclass that holds any overrides it."""
