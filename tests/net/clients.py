"""A client on a loop of its own, and requests by it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.errors import FetchError
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Request, Response

PICTURE = os.urandom(300_000)


def with_client(
    fetch: Any, use: Callable[[Client], Awaitable[Any]], staging: Path | None = None
) -> Any:
    async def main() -> Any:
        client = Client(fetch, staging=staging)
        try:
            return await use(client)
        finally:
            await client.aclose()

    result = asyncio.run(main())
    gc.collect()  # a leaked socket would warn here, and a warning is an error
    return result


def get(fetch: Any, url: str, staging: Path | None = None, **more: Any) -> Response:
    stage_as = "a" if staging else None

    async def use(client: Client) -> Response:
        return await client.transfer(Request(url=url, **more), stage_as=stage_as)

    response: Response = with_client(fetch, use, staging)
    return response


def reason_of(fetch: Any, url: str, staging: Path | None = None, **more: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        get(fetch, url, staging, **more)
    return caught.value
