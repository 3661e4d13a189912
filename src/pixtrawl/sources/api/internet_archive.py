"""Internet Archive: items of the kind "image", the files that were uploaded.

Verified against a recorded item. A search gives items; the files of each are one more request.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final
from urllib.parse import quote

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import ApiSearch, ImageResult, Place, ShapeError
from pixtrawl.sources.api.lists import Listing, ListingSource
from pixtrawl.sources.base import ReplayHints, SourceInfo

BASE_URL: Final = "https://archive.org"
DELAY_S: Final = 1.0

MOST: Final = 10_000  # results of this search
_PER_PAGE: Final = 50
_MAX_FILES: Final = 200  # of one item: books of scans have thousands
_FIELDS: Final = ("identifier", "title", "creator", "licenseurl", "rights")
_FORMATS: Final = re.compile(r"(?:jpe?g|png|gif|tiff?|webp|jpeg 2000)\b", re.IGNORECASE)
_SYNTAX: Final = re.compile(r'[()\[\]{}":^~*?\\/!&|+-]')  # of the search's language
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")


class InternetArchive(ListingSource):
    """The Internet Archive."""

    name: ClassVar[str] = "internet_archive"
    replay: ClassVar[ReplayHints] = ReplayHints(
        front=b'{"response": {"numFound": 1, "start": 0, "docs": [{"identifier": "x"}]}}'
    )
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Internet Archive",
        base_url=BASE_URL,
        sentence="Image items of the archive, the files as uploaded; licences are often missing.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="10000 items a query",
        license="per image",
        terms="Open to programs at a modest pace (about a request a second); rights are the "
        "uploaders' statements and often missing.",
    )

    async def listing(self, search: ApiSearch, place: Place) -> Listing:
        """Return one page of items."""
        page = value.count(place.get("page")) or 1
        words = " ".join(_SYNTAX.sub(" ", search.query.text).split())
        params: list[tuple[str, str | int]] = [
            ("q", f"({words}) AND mediatype:image"), *(("fl[]", name) for name in _FIELDS),
            ("rows", _PER_PAGE), ("page", page), ("output", "json"),
        ]  # fmt: skip
        records, total = read_items(await search.json("/advancedsearch.php", params))
        more = page * _PER_PAGE < min(total, MOST) and records
        return Listing(records, {"page": page + 1} if more else None)

    async def pictures(self, search: ApiSearch, record: Any) -> list[ImageResult] | None:
        """Return the uploaded image files of one item."""
        name = value.text(record, "identifier") or ""
        if not _NAME.fullmatch(name):
            return None
        answer = await search.json(f"/metadata/{name}")
        return read_files(answer, record, search.base_url)


def read_items(answer: Any) -> tuple[list[Any], int]:
    """Return items and their number. Raises ShapeError."""
    total, listed = (
        value.count(answer, "response", "numFound"),
        value.at(answer, "response", "docs"),
    )
    if total is None or not isinstance(listed, list) or (total and not listed):
        raise ShapeError("internet_archive's answer has no list of items")
    return listed, total


def read_files(answer: Any, record: Any, base_url: str) -> list[ImageResult] | None:
    """Return the uploaded images of an item; None where the answer has no list of files."""
    name = value.text(record, "identifier") or ""
    listed = value.at(answer, "files")
    if not isinstance(listed, list):
        return [] if answer == {} else None  # an item that is gone is answered with {}
    about = value.at(answer, "metadata")
    license_url = value.url(about, "licenseurl") or value.url(record, "licenseurl")
    rights = value.plain(about, "rights") or value.plain(record, "rights")
    creator = value.plain(record, "creator") or value.plain(record, "creator", 0)
    found: list[ImageResult] = []
    for file in listed[: 10 * _MAX_FILES]:
        path = value.text(file, "name")
        if path is None or not _is_image(file, path) or len(found) >= _MAX_FILES:
            continue
        found.append(
            ImageResult(
                url=f"{base_url}/download/{name}/{quote(path)}",
                page_url=f"{base_url}/details/{name}",
                title=value.plain(file, "title") or value.plain(record, "title"),
                width=value.pixels(file, "width"),
                height=value.pixels(file, "height"),
                thumb_url=f"{base_url}/services/img/{name}",
                license=rights or license_url,
                license_url=license_url,
                creator=creator,
            )
        )
    return found


def _is_image(file: Any, path: str) -> bool:
    if value.text(file, "source") != "original" or value.at(file, "private") in {"true", True}:
        return False
    known = _FORMATS.match(value.text(file, "format") or "") is not None
    return known and not path.startswith("__ia_thumb")
