"""A fetcher on a loop of its own, and requests by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.config.groups import Politeness
from pixtrawl.net.client import Client
from pixtrawl.net.fetcher import Fetched, Fetcher, FetchFailedError
from pixtrawl.net.interface import Request


def with_fetcher(
    fetch: Any,
    use: Callable[[Fetcher], Awaitable[Any]],
    staging: Path,
    politeness: Politeness | None = None,
) -> Any:
    async def main() -> Any:
        client = Client(fetch, staging=staging)
        fetcher = Fetcher(client, politeness or Politeness(), fetch)
        try:
            return await use(fetcher)
        finally:
            await fetcher.aclose()
            await client.aclose()

    return asyncio.run(main())


def fetch_one(
    fetch: Any, url: str, staging: Path, politeness: Politeness | None = None, **more: Any
) -> Fetched:
    headers = more.pop("headers", {})
    request = Request(url=url, headers=headers, timeout_s=more.pop("timeout_s", None))

    async def use(fetcher: Fetcher) -> Fetched:
        return await fetcher.fetch(request, stage_as="a", **more)

    fetched: Fetched = with_fetcher(fetch, use, staging, politeness)
    return fetched


def failed(
    fetch: Any, url: str, staging: Path, politeness: Politeness | None = None, **more: Any
) -> FetchFailedError:
    with pytest.raises(FetchFailedError) as caught:
        fetch_one(fetch, url, staging, politeness, **more)
    assert list(staging.iterdir()) == []
    return caught.value
