"""The Cleveland Museum of Art's Open Access. Verified against a recorded (cut) answer."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.model import Alternate, Kind
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import Ask, Batch, Found, JsonSource, Place, ShapeError
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.settings import common_settings

BASE_URL: Final = "https://openaccess-api.clevelandart.org"
DELAY_S: Final = 1.0

_PER_PAGE: Final = 100
_CC0: Final = "https://creativecommons.org/publicdomain/zero/1.0/"


class Cleveland(JsonSource):
    """The Cleveland Museum of Art's collection."""

    name: ClassVar[str] = "cleveland"
    words: ClassVar[Words] = {
        "license": {
            "any": "",
            **dict.fromkeys(("open", "public", "commercial", "modify", "cc0"), "1"),
        },
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Cleveland Museum of Art",
        base_url=BASE_URL,
        sentence="Works of art as large JPEG (the museum's TIFF as a fall-back); most are CC0.",
        verified="recorded",
        groups=("open",),
        filters=frozenset(words),
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        license="per image",
        terms="Open Access: works marked CC0 may be used for anything.",
    )

    async def batch(self, ask: Ask, place: Place) -> Batch:
        """One page of works."""
        skip = value.count(place.get("skip")) or 0
        params: dict[str, str | int] = {
            "q": ask.query.text, "has_image": 1, "limit": _PER_PAGE, "skip": skip,
        }  # fmt: skip
        if ask.words.get("license"):
            params["cc0"] = ask.words["license"]
        batch, total, shown = read_page(await ask.json("/api/artworks/", params))
        following = {"skip": skip + shown} if shown and skip + shown < total else None
        return Batch(batch.found, following, batch.empty)


def read_page(said: Any) -> tuple[Batch, int, int]:
    """The works of one answer, how many there are, how many it shows. Raises ShapeError."""
    total, listed = value.count(said, "info", "total"), value.at(said, "data")
    if total is None or not isinstance(listed, list):
        raise ShapeError("cleveland's answer has no list of works")
    found = tuple(one for one in map(_found, listed) if one is not None)
    return Batch(found, empty=total == 0 and not listed), total, len(listed)


def _found(work: Any) -> Found | None:
    images = value.at(work, "images")
    size = next((one for one in ("print", "full", "web") if value.url(images, one, "url")), None)
    if size is None:
        return None
    url, whole = value.url(images, size, "url") or "", value.url(images, "full", "url")
    claim = value.text(work, "share_license_status")
    return Found(
        url=url,
        page_url=value.url(work, "url"),
        title=value.plain(work, "title"),
        width=value.pixels(images, size, "width"),
        height=value.pixels(images, size, "height"),
        thumb_url=value.url(images, "web", "url"),
        license=claim or value.plain(work, "copyright"),
        license_url=_CC0 if claim == "CC0" else None,
        creator=value.plain(work, "creators", 0, "description"),
        alternates=(Alternate(whole, Kind.CACHED),) if whole and whole != url else (),
    )
