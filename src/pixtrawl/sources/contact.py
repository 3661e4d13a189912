"""Warn about sources whose terms ask for a contact in the User-Agent."""

from __future__ import annotations

from collections.abc import Mapping

from pixtrawl.config.groups import Config
from pixtrawl.config.user_agent import HOW_TO_SET, has_contact
from pixtrawl.sources.base import Source

__all__ = ["contact_wanted"]


def contact_wanted(sources: Mapping[str, Source], config: Config) -> str:
    """Return a warning if these sources ask for a contact that is not set, else "".

    A source with another base_url has no such terms.
    """
    if has_contact(config.fetch):
        return ""
    titles = [
        source.info.title
        for name, source in sources.items()
        if source.info.wants_contact and not config.source(name).get("base_url")
    ]
    if not titles:
        return ""
    return f"{' and '.join(titles)} asks for a contact in the User-Agent: {HOW_TO_SET}"
