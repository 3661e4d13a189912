"""Openverse: openly licensed images of many collections, each with licence and creator.

Verified against recorded answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Final

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
)
from pixtrawl.sources.base import SourceInfo, SourceSetting
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://api.openverse.org"
DELAY_S: Final = 3.0  # 20 requests a minute are allowed without an account

MOST: Final = 240  # results a query, with or without an account, as `result_count` states
_ANONYMOUS: Final = 20  # results a page; more gives status 401
_REGISTERED: Final = 80
_TOKEN_SPARE_S: Final = 60.0

_LICENSES: Final = "by,by-sa,by-nc,by-nd,by-nc-sa,by-nc-nd,cc0,pdm"


def _license(text: str) -> str | None:
    """Return parameters as `name=value`; empty for a filter that every result meets."""
    word = text.strip().lower()
    known = {
        "any": "",
        "open": "",
        "public": "license=cc0,pdm",
        "commercial": "license_type=commercial",
        "modify": "license_type=modification",
    }
    if word in known:
        return known[word]
    code = word.removeprefix("cc-")
    return f"license={code}" if code in _LICENSES.split(",") else None


class Openverse(JsonSource):
    """Openverse's image search."""

    name: ClassVar[str] = "openverse"
    words: ClassVar[Words] = {
        "size": {"small": "small", "medium": "medium", "large": "large"},
        "aspect": {"tall": "tall", "wide": "wide", "square": "square"},
        "type": {"photo": "photograph", "clipart": "illustration"},
        "safe": {"off": "true", "moderate": "", "strict": ""},
        "license": _license,
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Openverse",
        base_url=BASE_URL,
        sentence="Openly licensed images of Flickr, museums and others, with licence and creator.",
        verified="recorded",
        settings=(
            SourceSetting("client_id", "", "of a registered application, for larger pages"),
            SourceSetting("client_secret", "", "of the same application", secret=True),
        ),
        delay_s=DELAY_S,
        limit="240 a query; 200 requests a day without an account",
        license="per image",
        terms="Free to use by its API; the catalogue may not be scraped whole, nor limits evaded "
        "with several machines or accounts. Attribution as each licence asks.",
    )
    has_quota: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._client = (settings.get("client_id", ""), settings.get("client_secret", ""))
        self._token = ""
        self._token_until = 0.0
        self._tokens = asyncio.Lock()

    def secrets(self) -> tuple[str, ...]:
        """Return the application's secret and its present token."""
        return tuple(one for one in (self._client[1], self._token) if one)

    def explain(self, search: ApiSearch, response: Response, answer: Any) -> SourceStop | None:
        """Return the stop for a 401 without an account: more was asked for than is allowed then."""
        if response.status != 401 or self._token or not isinstance(answer, dict):
            return None
        step = (
            "register an application (terms: https://api.openverse.org) and give "
            "--set openverse.client_id=... --set openverse.client_secret=..."
        )
        return search.quota(response, answer, next_step=step)

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of results."""
        headers = await self._authorization(search)
        size = _REGISTERED if headers else _ANONYMOUS
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {"q": search.query.text, "page": page, "page_size": size}
        for name, parameter in (("size", "size"), ("aspect", "aspect_ratio"), ("type", "category")):
            if name in search.words:
                params[parameter] = search.words[name]
        if search.words.get("safe"):
            params["unstable__include_sensitive_results"] = search.words["safe"]
        if search.words.get("license"):
            parameter, _, word = search.words["license"].partition("=")
            params[parameter] = word
        batch, pages = read_page(await search.json("/v1/images/", params, headers))
        last = page >= pages or page * size >= MOST or not batch.found
        return Batch(batch.found, None if last else {"page": page + 1}, batch.empty)

    async def _authorization(self, search: ApiSearch) -> dict[str, str]:
        """Return the token's header, renewed before it expires; empty without an application."""
        if not all(self._client):
            return {}
        async with self._tokens:
            now = asyncio.get_running_loop().time()
            if now >= self._token_until:
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self._client[0],
                    "client_secret": self._client[1],
                }
                answer = search.read(await search.post("/v1/auth_tokens/token/", form))
                token = value.text(answer, "access_token")
                if token is None:
                    raise ShapeError("openverse gives no access token")
                self._token = token
                lifetime_s = value.count(answer, "expires_in") or 0
                self._token_until = now + max(0.0, lifetime_s - _TOKEN_SPARE_S)
        return {"Authorization": f"Bearer {self._token}"}


def read_page(answer: Any) -> tuple[Batch, int]:
    """Return results and number of pages. Raises ShapeError."""
    total, results = value.count(answer, "result_count"), value.at(answer, "results")
    if total is None or not isinstance(results, list):
        raise ShapeError("openverse's answer has no list of results")
    found = tuple(one for one in map(_found, results) if one is not None)
    return Batch(found, empty=total == 0 and not results), value.count(answer, "page_count") or 1


def _found(result: Any) -> ImageResult | None:
    url = value.url(result, "url")
    if url is None:
        return None
    claim = (value.text(result, "license"), value.text(result, "license_version"))
    return ImageResult(
        url=url,
        page_url=value.url(result, "foreign_landing_url"),
        title=value.plain(result, "title"),
        width=value.pixels(result, "width"),
        height=value.pixels(result, "height"),
        thumb_url=value.url(result, "thumbnail"),
        license=" ".join(part for part in claim if part) or None,
        license_url=value.url(result, "license_url"),
        creator=value.plain(result, "creator"),
    )
