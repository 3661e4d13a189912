"""Europeana: pictures of Europe's museums, archives and libraries.

Verified against a recorded answer of its search. Works with a free key.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final
from urllib.parse import quote

from pixtrawl import licenses
from pixtrawl.errors import SourceStop
from pixtrawl.net.interface import Response
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import (
    ApiSearch,
    Batch,
    ImageResult,
    JsonSource,
    Place,
    ShapeError,
    key_setting,
)
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://api.europeana.eu"
DELAY_S: Final = 0.5

_PER_PAGE: Final = 100
_COUNTRIES: Final[dict[str, str]] = {
    "at": "Austria", "be": "Belgium", "bg": "Bulgaria", "cz": "Czech Republic", "de": "Germany",
    "dk": "Denmark", "ee": "Estonia", "es": "Spain", "fi": "Finland", "fr": "France",
    "gb": "United Kingdom", "gr": "Greece", "hu": "Hungary", "ie": "Ireland", "it": "Italy",
    "lt": "Lithuania", "lv": "Latvia", "nl": "Netherlands", "no": "Norway", "pl": "Poland",
    "pt": "Portugal", "ro": "Romania", "se": "Sweden", "si": "Slovenia", "sk": "Slovakia",
}  # fmt: skip


class Europeana(JsonSource):
    """Europeana's search."""

    name: ClassVar[str] = "europeana"
    words: ClassVar[Words] = {
        "size": {word: f"IMAGE_SIZE:{word}" for word in ("small", "medium", "large")},
        "color": {"color": "IMAGE_COLOUR:true", "gray": "IMAGE_COLOUR:false"},
        "aspect": {
            "wide": "IMAGE_ASPECTRATIO:landscape",
            "tall": "IMAGE_ASPECTRATIO:portrait",
        },
        "license": {
            "any": "",
            "open": "open",
            "public": "open",
            "commercial": "open",
            "modify": "open",
        },
        "region": lambda text: f'COUNTRY:"{_COUNTRIES[text]}"' if text in _COUNTRIES else None,
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Europeana",
        base_url=BASE_URL,
        sentence="Pictures of some 3000 museums, archives and libraries, with rights statements.",
        verified="recorded",
        needs=("key",),
        settings=(key_setting("europeana"),),
        delay_s=DELAY_S,
        limit="all there are, by cursor",
        license="per image",
        terms="Free key. Metadata are CC0; each picture has a rights statement of its own. "
        "--license public asks for open ones and leaves the rest to the check of the claim.",
    )
    has_quota: ClassVar[bool] = True

    def explain(self, search: ApiSearch, response: Response, answer: Any) -> SourceStop | None:
        """Return the stop for a refused key; None for other answers."""
        words = value.plain(answer, "error") or value.plain(answer, "message") or ""
        if response.status in {400, 401, 403} and "key" in words.lower():
            message = f"europeana refuses the key: {words[:200]}"
            return search.blocked(response, "login", message, "check --set europeana.key=...")
        return None

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of items."""
        params: list[tuple[str, str | int]] = [
            ("wskey", self.key), ("query", search.query.text), ("qf", "TYPE:IMAGE"),
            ("media", "true"), ("rows", _PER_PAGE), ("profile", "rich"),
            ("cursor", value.text(place.get("cursor")) or "*"),
        ]  # fmt: skip
        for name, word in search.words.items():
            if word:
                params.append(("reusability" if name == "license" else "qf", word))
        return read_page(await search.json("/record/v2/search.json", params))


def read_page(answer: Any) -> Batch:
    """Return the items of one answer. Raises ShapeError."""
    listed = value.at(answer, "items")
    if value.at(answer, "success") is False or not isinstance(listed, list):
        words = value.plain(answer, "error") or "there is no list of items"
        raise ShapeError(f"europeana's answer is none: {words[:200]}")
    found = tuple(one for one in map(_found, listed) if one is not None)
    total, cursor = value.count(answer, "totalResults"), value.text(answer, "nextCursor")
    empty = not listed and total is not None  # the page behind the last one is empty too
    return Batch(found, {"cursor": cursor} if cursor and listed else None, empty)


def _found(item: Any) -> ImageResult | None:
    url = value.url(item, "edmIsShownBy", 0)
    if url is None:
        return None
    name = value.text(item, "id") or ""
    rights = licenses.one_claim(value.text(one) for one in value.items(item, "rights")[:20])
    return ImageResult(
        url=url,
        # `guid` and `link` hold the key that asked, so the page is named by the item's id
        page_url=f"https://www.europeana.eu/item{quote(name)}" if name.startswith("/") else None,
        title=value.plain(item, "title", 0),
        thumb_url=value.url(item, "edmPreview", 0),
        license=rights,
        license_url=value.url(rights),
        creator=_creator(item),
    )


def _creator(item: Any) -> str | None:
    """Return a name; many items give URLs of authority files instead, with names beside them."""
    names = [*value.items(item, "dcCreator"), *(
        value.at(one, "def") for one in value.items(item, "edmAgentLabel")
    )]  # fmt: skip
    shown = (value.plain(name) for name in names)
    return next((name for name in shown if name and "://" not in name), None)
