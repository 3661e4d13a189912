"""Queries and answers of the tests of single sources."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.net.conftest import Connection, Server


def query_of(connection: Connection) -> dict[str, str]:
    given = parse_qs(urlsplit(connection.target).query, keep_blank_values=True)
    return {name: ",".join(values) for name, values in given.items()}


def json_reply(server: Server, said: Any, status: int = 200, **headers: str) -> None:
    body = json.dumps(said).encode()
    server.route("*", status, body, Content_Type="application/json", **headers)
