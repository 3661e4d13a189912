"""Sources asked over real HTTP on loopback, as the pipeline asks them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.net.conftest import Connection, Server
from tests.sources.api.stand_in_parts import Reply, asked
from tests.sources.api.stand_ins import StandIn

from pixtrawl import sources
from pixtrawl.config.groups import Fetch
from pixtrawl.model import Filters, Query
from pixtrawl.net.client import Client
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.sources import contract

CAT = Query("tabby cat", "tabby cat", 100)


def cat(**filters: str) -> Query:
    return Query("tabby cat", "tabby cat", 100, Filters(**filters))


def ask(name: str, settings: Mapping[str, str], query: Query = CAT, **more: Any) -> contract.Ending:
    """Every page that the source gives."""

    async def main() -> contract.Ending:
        client = Client(Fetch(allow_address=("127.0.0.0/8",)))
        source = sources.load(name)(dict(settings))
        try:
            return await contract.ask(source, SourceHttp(client), query, **more)
        finally:
            await source.aclose()
            await client.aclose()

    return asyncio.run(main())


def serve(server: Server, stand_in: StandIn, total: int | None = None) -> dict[str, str]:
    """Puts a stand-in on the server. Returns the settings that lead there."""
    count = stand_in.total if total is None else total

    def handle(connection: Connection) -> None:
        request = asked(server.url("").rstrip("/"), connection.target, connection.headers)
        reply(connection, stand_in.answer(request, count))

    server.on("*", handle)
    return settings(server, stand_in)


def settings(server: Server, stand_in: StandIn) -> dict[str, str]:
    return {**stand_in.settings, "base_url": server.url("").rstrip("/")}


def reply(connection: Connection, value: Any) -> None:
    if isinstance(value, Reply):
        connection.reply(value.status, value.text.encode(), Content_Type=value.kind)
    else:
        connection.reply(200, json.dumps(value).encode(), Content_Type="application/json")
