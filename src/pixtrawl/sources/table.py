"""The built-in sources, one row each: all that is known before a source is imported.

When a group asks several sources, the order of the rows decides between equal ranks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ["GROUPS", "ROWS", "SourceRow", "groups_of", "needs_switch"]


class SourceRow(Struct, frozen=True):
    """The module of a source, the groups that ask it, and the condition for that.

    `only_with` is the setting without which its groups skip it: `enabled` for a source that must be
    enabled (written from documents alone, or unwelcome to the site), `key`, or `url`.
    `key_variable` is the environment variable that usually holds its key.
    """

    target: str  # module below pixtrawl.sources, and class
    groups: tuple[str, ...] = ()  # auto, open, species
    only_with: str = ""
    key_variable: str = ""


ROWS: Final[Mapping[str, SourceRow]] = {
    "bing": SourceRow("web.bing:Bing", ("auto",)),
    "openverse": SourceRow("api.openverse:Openverse", ("auto", "open")),
    "inaturalist": SourceRow("api.inaturalist:INaturalist", ("species",)),
    "gbif": SourceRow("api.gbif:Gbif", ("species",)),
    "wikimedia": SourceRow("api.wikimedia:Wikimedia", ("auto", "open", "species")),
    "flickr": SourceRow("api.flickr:Flickr", ("open",), "key", "FLICKR_API_KEY"),
    "europeana": SourceRow("api.europeana:Europeana", ("open",), "key", "EUROPEANA_API_KEY"),
    "met": SourceRow("api.met:Met", ("open",)),
    "smithsonian": SourceRow("api.smithsonian:Smithsonian", ("open",), "", "SMITHSONIAN_API_KEY"),
    "cleveland": SourceRow("api.cleveland:Cleveland", ("open",)),
    "ecosia": SourceRow("web.ecosia:Ecosia", ("auto",)),
    "google": SourceRow("google.source:Google", ("auto",), "enabled"),
    "duckduckgo": SourceRow("web.duckduckgo:DuckDuckGo", ("auto",), "enabled"),
    "searxng": SourceRow("api.searxng:Searxng", ("auto",), "url"),
    "artic": SourceRow("api.artic:Artic"),
    "baidu": SourceRow("web.baidu:Baidu"),
    "brave": SourceRow("web.brave:Brave"),
    "google_cse": SourceRow("api.google_cse:GoogleCse", key_variable="GOOGLE_CSE_API_KEY"),
    "internet_archive": SourceRow("api.internet_archive:InternetArchive"),
    "loc": SourceRow("api.loc:LibraryOfCongress"),
    "nasa": SourceRow("api.nasa:Nasa"),
    "naver": SourceRow("web.naver:Naver"),
    "page": SourceRow("page.source:WebPage"),
    "pexels": SourceRow("api.pexels:Pexels", key_variable="PEXELS_API_KEY"),
    "pixabay": SourceRow("api.pixabay:Pixabay", key_variable="PIXABAY_API_KEY"),
    "rijksmuseum": SourceRow("api.rijksmuseum:Rijksmuseum"),
    "startpage": SourceRow("web.startpage:Startpage"),
    "unsplash": SourceRow("api.unsplash:Unsplash", key_variable="UNSPLASH_ACCESS_KEY"),
    "urls": SourceRow("lists.url_list:UrlList"),
    "wellcome": SourceRow("api.wellcome:Wellcome"),
    "yandex": SourceRow("web.yandex:Yandex"),
}

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    group: tuple(name for name, row in ROWS.items() if group in row.groups)
    for group in ("auto", "open", "species")
}


def groups_of(name: str) -> tuple[str, ...]:
    """Return the groups that a source belongs to; none for a source of another package."""
    row = ROWS.get(name)
    return row.groups if row else ()


def needs_switch(name: str) -> bool:
    """Return whether groups skip a source until `NAME.enabled=true`."""
    row = ROWS.get(name)
    return row is not None and row.only_with == "enabled"
