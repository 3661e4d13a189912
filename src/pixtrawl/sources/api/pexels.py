"""Pexels' API: photographs under its own licence. Verified against recorded answers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

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

BASE_URL: Final = "https://api.pexels.com"
DELAY_S: Final = 1.0

_PER_PAGE: Final = 80
_LICENSE_URL: Final = "https://www.pexels.com/license/"
_COLOURS: Final = (
    "red", "orange", "yellow", "green", "blue", "pink", "brown", "black", "gray", "white",
)  # fmt: skip
_LOCALES: Final = {
    "en": "en-US", "pt": "pt-BR", "es": "es-ES", "ca": "ca-ES", "de": "de-DE", "it": "it-IT",
    "fr": "fr-FR", "sv": "sv-SE", "id": "id-ID", "pl": "pl-PL", "ja": "ja-JP", "zh": "zh-CN",
    "ko": "ko-KR", "th": "th-TH", "nl": "nl-NL", "hu": "hu-HU", "vi": "vi-VN", "cs": "cs-CZ",
    "da": "da-DK", "fi": "fi-FI", "uk": "uk-UA", "el": "el-GR", "ro": "ro-RO", "nb": "nb-NO",
    "sk": "sk-SK", "tr": "tr-TR", "ru": "ru-RU",
}  # fmt: skip


def _locale(text: str) -> str | None:
    return _LOCALES.get(text.partition("-")[0].lower())


class Pexels(JsonSource):
    """Pexels' photo search."""

    name: ClassVar[str] = "pexels"
    words: ClassVar[Words] = {
        "aspect": {"wide": "landscape", "tall": "portrait", "square": "square"},
        "color": {"teal": "turquoise", "purple": "violet", **{word: word for word in _COLOURS}},
        "size": {"large": "large", "medium": "medium", "small": "small"},  # 24, 12, 4 megapixels
        "lang": _locale,
        "type": {"photo": ""},
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Pexels",
        base_url=BASE_URL,
        sentence="Photographs in full size under the Pexels licence.",
        verified="recorded",
        needs=("key",),
        settings=(key_setting("pexels", "API key"),),
        delay_s=DELAY_S,
        limit="200 requests an hour, 20000 a month",
        license="pexels",
        terms="Free key; a link to Pexels and the photographer's name are asked for. Copying its "
        "library as a whole is forbidden.",
    )
    has_quota: ClassVar[bool] = True

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of photos."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "query": search.query.text, "page": page, "per_page": _PER_PAGE,
        }  # fmt: skip
        names = {"aspect": "orientation", "color": "color", "size": "size", "lang": "locale"}
        params |= search.params(names)
        batch, more = read_page(
            await search.json("/v1/search", params, {"Authorization": self.key})
        )
        return Batch(batch.found, {"page": page + 1} if more else None, batch.empty)


def read_page(answer: Any) -> tuple[Batch, bool]:
    """Return the photos of one answer, and whether there are more. Raises ShapeError."""
    total, listed = value.count(answer, "total_results"), value.at(answer, "photos")
    if total is None or not isinstance(listed, list):
        raise ShapeError("pexels' answer has no list of photos")
    found = tuple(one for one in map(_found, listed) if one is not None)
    return Batch(found, empty=total == 0 and not listed), bool(value.url(answer, "next_page"))


def _found(photo: Any) -> ImageResult | None:
    url = value.url(photo, "src", "original")
    if url is None:
        return None
    return ImageResult(
        url=url,
        page_url=value.url(photo, "url"),
        title=value.plain(photo, "alt"),
        alt=value.plain(photo, "alt"),
        width=value.pixels(photo, "width"),
        height=value.pixels(photo, "height"),
        thumb_url=value.url(photo, "src", "medium"),
        license="Pexels License",
        license_url=_LICENSE_URL,
        creator=value.plain(photo, "photographer"),
    )
