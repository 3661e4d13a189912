"""The built-in sources, one row each: all that is known before a source is imported.

When a group asks several sources, the order of the rows decides between equal ranks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ["GROUPS", "ROWS", "Row", "groups_of", "needs_switch"]


class Row(Struct, frozen=True):
    """The module of a source, the groups that ask it, and the condition for that.

    `only_with` is the setting without which its groups skip it: `enabled` for a source that must be
    enabled (written from documents alone, or unwelcome to the site), `key`, or `url`.
    `key_variable` is the environment variable that usually holds its key.
    """

    target: str  # module below pixtrawl.sources, and class
    groups: tuple[str, ...] = ()  # auto, open, species
    only_with: str = ""
    key_variable: str = ""


ROWS: Final[Mapping[str, Row]] = {
    "bing": Row("web.bing:Bing", ("auto",)),
    "openverse": Row("api.openverse:Openverse", ("auto", "open")),
    "inaturalist": Row("api.inaturalist:INaturalist", ("species",)),
    "gbif": Row("api.gbif:Gbif", ("species",)),
    "wikimedia": Row("api.wikimedia:Wikimedia", ("auto", "open", "species")),
    "flickr": Row("api.flickr:Flickr", ("open",), "key", "FLICKR_API_KEY"),
    "europeana": Row("api.europeana:Europeana", ("open",), "key", "EUROPEANA_API_KEY"),
    "met": Row("api.met:Met", ("open",)),
    "smithsonian": Row("api.smithsonian:Smithsonian", ("open",), "", "SMITHSONIAN_API_KEY"),
    "cleveland": Row("api.cleveland:Cleveland", ("open",)),
    "ecosia": Row("web.ecosia:Ecosia", ("auto",)),
    "google": Row("google.source:Google", ("auto",), "enabled"),
    "duckduckgo": Row("web.duckduckgo:DuckDuckGo", ("auto",), "enabled"),
    "searxng": Row("api.searxng:Searxng", ("auto",), "url"),
    "artic": Row("api.artic:Artic"),
    "baidu": Row("web.baidu:Baidu"),
    "brave": Row("web.brave:Brave"),
    "google_cse": Row("api.google_cse:GoogleCse", key_variable="GOOGLE_CSE_API_KEY"),
    "internet_archive": Row("api.internet_archive:InternetArchive"),
    "loc": Row("api.loc:LibraryOfCongress"),
    "nasa": Row("api.nasa:Nasa"),
    "naver": Row("web.naver:Naver"),
    "page": Row("page.source:WebPage"),
    "pexels": Row("api.pexels:Pexels", key_variable="PEXELS_API_KEY"),
    "pixabay": Row("api.pixabay:Pixabay", key_variable="PIXABAY_API_KEY"),
    "rijksmuseum": Row("api.rijksmuseum:Rijksmuseum"),
    "startpage": Row("web.startpage:Startpage"),
    "unsplash": Row("api.unsplash:Unsplash", key_variable="UNSPLASH_ACCESS_KEY"),
    "urls": Row("lists.url_list:UrlList"),
    "wellcome": Row("api.wellcome:Wellcome"),
    "yandex": Row("web.yandex:Yandex"),
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
