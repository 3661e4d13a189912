"""Pixabay's API: pictures under its own licence. Verified against recorded answers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.config import parse
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

BASE_URL: Final = "https://pixabay.com"
DELAY_S: Final = 0.6  # 100 requests a minute

MOST: Final = 500  # results a query
_MAX_QUERY: Final = 100  # characters
_PER_PAGE: Final = 200
_LICENSE_URL: Final = "https://pixabay.com/service/license-summary/"
_LONGEST_PX: Final = {"imageURL": None, "fullHDURL": 1920, "largeImageURL": 1280}
_COLOURS: Final = (
    "transparent", "red", "orange", "yellow", "green", "blue", "pink", "white", "gray", "black",
    "brown",
)  # fmt: skip


def _size(text: str) -> str:
    width, height = parse.size_px(text)
    return f"{width}x{height}"


class Pixabay(JsonSource):
    """Pixabay's image search."""

    name: ClassVar[str] = "pixabay"
    words: ClassVar[Words] = {
        "aspect": {"wide": "horizontal", "tall": "vertical"},
        "color": {**{word: word for word in _COLOURS}, "gray": "grayscale", "teal": "turquoise",
                  "purple": "lilac"},
        "type": {"photo": "photo", "clipart": "illustration", "lineart": "vector"},
        "safe": {"off": "false", "moderate": "true", "strict": "true"},
        "lang": lambda text: text.partition("-")[0].lower(),
        "size": _size,
    }  # fmt: skip
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Pixabay",
        base_url=BASE_URL,
        sentence="Photographs and drawings, 1280 pixels wide unless your key has full access.",
        verified="recorded",
        needs=("key",),
        settings=(key_setting("pixabay", "API key"),),
        delay_s=DELAY_S,
        limit="500 a query; addresses live for 24 hours",
        license="pixabay",
        terms="Free key; answers are to be kept for 24 hours (a data set keeps them), systematic "
        "mass downloads are forbidden, and Pixabay is to be named as the source.",
    )
    has_quota: ClassVar[bool] = True

    def explain(self, search: ApiSearch, response: Response, answer: Any) -> SourceStop | None:
        """Return the stop for a status 400, whose text is a plain sentence."""
        words = " ".join(response.text[:300].split())
        if response.status in {400, 401} and "api key" in words.lower():
            message = f"pixabay refuses the key: {words}"
            return search.blocked(response, "login", message, "check --set pixabay.key=...")
        return None

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of hits."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "key": self.key, "q": search.query.text[:_MAX_QUERY], "per_page": _PER_PAGE,
            "page": page,
        }  # fmt: skip
        names = {
            "aspect": "orientation", "color": "colors", "type": "image_type", "safe": "safesearch",
            "lang": "lang",
        }  # fmt: skip
        params |= search.params(names)
        if "size" in search.words:
            params["min_width"], _, params["min_height"] = search.words["size"].partition("x")
        batch, total = read_page(await search.json("/api/", params))
        more = page * _PER_PAGE < min(total, MOST)
        return Batch(batch.found, {"page": page + 1} if more else None, batch.empty)


def read_page(answer: Any) -> tuple[Batch, int]:
    """Return the hits of one answer, and how many can be had. Raises ShapeError."""
    total, listed = value.count(answer, "totalHits"), value.at(answer, "hits")
    if total is None or not isinstance(listed, list):
        raise ShapeError("pixabay's answer has no list of hits")
    found = tuple(one for one in map(_found, listed) if one is not None)
    return Batch(found, empty=total == 0 and not listed), total


def _found(hit: Any) -> ImageResult | None:
    name = next((one for one in _LONGEST_PX if value.url(hit, one)), "")
    url = value.url(hit, name)
    if url is None:
        return None
    width, height = _fitted(
        value.pixels(hit, "imageWidth"), value.pixels(hit, "imageHeight"), _LONGEST_PX[name]
    )
    return ImageResult(
        url=url,
        page_url=value.url(hit, "pageURL"),
        title=value.plain(hit, "tags"),
        width=width,
        height=height,
        thumb_url=value.url(hit, "webformatURL") or value.url(hit, "previewURL"),
        license="Pixabay Content License",
        license_url=_LICENSE_URL,
        creator=value.plain(hit, "user"),
    )


def _fitted(
    width: int | None, height: int | None, longest_px: int | None
) -> tuple[int | None, int | None]:
    """Return the size of a picture whose longer side was brought down to `longest_px`."""
    if width is None or height is None:
        return None, None
    if longest_px is None or max(width, height) <= longest_px:
        return width, height
    scale = longest_px / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
