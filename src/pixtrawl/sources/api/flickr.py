"""Flickr's API: photographs with licence and owner, for users who have a key.

Verified against a recorded photo with its sizes and the recorded table of licences. No key is part
of pixtrawl: shared keys are switched off for overuse.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar, Final

from pixtrawl import licenses
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
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

BASE_URL: Final = "https://api.flickr.com"
DELAY_S: Final = 1.0  # 3600 requests an hour

MOST: Final = 4000  # results a query; after them the API repeats the first ones
_PER_PAGE: Final = 250
_SIZES: Final = ("o", "6k", "5k", "4k", "3k", "k", "h", "l", "c", "z")  # largest first
_TRANSIENT: Final = frozenset({0, 10, 105, 106, 201})
_KEY_REFUSED: Final = 100
_DAYS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}
_EXTRAS: Final = (
    "license", "owner_name", "o_dims", "media", *(f"url_{size}" for size in (*_SIZES, "n")),
)  # fmt: skip


def _license(text: str) -> str | None:
    """Return Flickr's numbers of the licences that the filter allows."""
    if text.strip().lower() == "any":
        return ""
    numbers = [
        str(number)
        for number in range(17)
        if licenses.allows(licenses.normalise(f"flickr:{number}"), text)
    ]
    return ",".join(numbers) or None


def _date(text: str) -> str | None:
    """Return the days of upload as `first..last` or `first..`."""
    if text in _DAYS:
        today = datetime.datetime.now(datetime.UTC).date()
        return f"{today - datetime.timedelta(days=_DAYS[text])}.."
    return text if ".." in text else None


class Flickr(JsonSource):
    """Flickr's photo search."""

    name: ClassVar[str] = "flickr"
    words: ClassVar[Words] = {
        "license": _license,
        "date": _date,
        "aspect": {"wide": "landscape", "tall": "portrait", "square": "square"},
        "safe": {"off": "3", "moderate": "2", "strict": "1"},
        "type": {"photo": "0"},
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Flickr",
        base_url=BASE_URL,
        sentence="Photographs with licence and owner, the largest size that each owner offers.",
        verified="recorded",
        needs=("key",),
        settings=(key_setting("flickr", "API key"),),
        delay_s=DELAY_S,
        limit="4000 a query (slice by --date beyond); 3600 requests an hour",
        license="per image",
        terms="New keys are given to Pro accounts only. Photographs belong to their owners, most "
        "with all rights reserved: --license. Attribution and a link back are asked for.",
    )
    has_quota: ClassVar[bool] = True

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of photographs."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "method": "flickr.photos.search", "api_key": self.key, "text": search.query.text,
            "format": "json", "nojsoncallback": 1, "media": "photos", "sort": "relevance",
            "per_page": _PER_PAGE, "page": page, "extras": ",".join(_EXTRAS),
        }  # fmt: skip
        names = {"aspect": "orientation", "safe": "safe_search", "type": "content_types"}
        params |= search.params(names)
        if search.words.get("license"):
            params["license"] = search.words["license"]
        if "date" in search.words:
            first, _, last = search.words["date"].partition("..")
            params["min_upload_date"] = first
            if last:
                params["max_upload_date"] = last
        response = await search.get("/services/rest/", params)
        answer = search.read(response)
        if value.text(answer, "stat") == "fail":
            _refuse(search, response, answer)
        batch, pages = read_page(answer)
        more = page < pages and page * _PER_PAGE < MOST
        return Batch(batch.found, {"page": page + 1} if more else None, batch.empty)


def _refuse(search: ApiSearch, response: Response, answer: Any) -> None:
    """Raise for an error that comes with status 200: SourceStop, FetchError or ShapeError."""
    code, words = value.count(answer, "code"), value.plain(answer, "message") or ""
    message = f"flickr answers with error {code}: {words[:200]}"
    if code == _KEY_REFUSED:
        raise search.blocked(response, "login", message, "check --set flickr.key=...")
    if code in _TRANSIENT:
        raise FetchError(Reason.SERVER_ERROR, message)
    raise ShapeError(message)


def read_page(answer: Any) -> tuple[Batch, int]:
    """Return the photographs of one answer, and how many pages there are. Raises ShapeError."""
    total, listed = value.count(answer, "photos", "total"), value.at(answer, "photos", "photo")
    if total is None or not isinstance(listed, list):
        raise ShapeError("flickr's answer has no list of photos")
    found = tuple(one for one in map(read_photo, listed) if one is not None)
    empty = total == 0 and not listed
    empty = empty or (bool(listed) and all(_is_small(one) for one in listed))
    return Batch(found, empty=empty), value.count(answer, "photos", "pages") or 0


def _is_small(photo: Any) -> bool:
    """Return whether its owner offers nothing above 320 pixels."""
    larger = any(f"url_{size}" in photo for size in _SIZES) if isinstance(photo, dict) else True
    return not larger and value.url(photo, "url_n") is not None


def read_photo(photo: Any) -> ImageResult | None:
    """Return one photograph, in the largest size that there is."""
    for size in _SIZES:
        url = value.url(photo, f"url_{size}")
        if url is not None:
            break
    else:
        return None
    number = value.count(photo, "license")
    owner, name = value.text(photo, "owner"), value.text(photo, "id")
    return ImageResult(
        url=url,
        page_url=f"https://www.flickr.com/photos/{owner}/{name}" if owner and name else None,
        title=value.plain(photo, "title"),
        width=value.pixels(photo, f"width_{size}"),
        height=value.pixels(photo, f"height_{size}"),
        thumb_url=value.url(photo, "url_n") or value.url(photo, "url_m"),
        license=None if number is None else f"flickr:{number}",
        license_url=None if number is None else licenses.flickr_url(str(number)),
        creator=value.plain(photo, "ownername"),
    )
