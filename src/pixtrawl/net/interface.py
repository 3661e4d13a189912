"""What the rest of pixtrawl sees of HTTP: requests, responses, and who answers them.

No type of an HTTP library leaks above this line; a failed transfer is a `FetchError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct, field


class Request(Struct, frozen=True, kw_only=True):
    """One URL to fetch.

    `max_bytes` and `timeout_s` of None mean the client's own limits.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    max_bytes: int | None = None
    timeout_s: float | None = None


class Response(Struct, frozen=True, kw_only=True):
    """A complete answer, whatever its status.

    `headers` has lower-case names; a repeated header is joined by ", " (set-cookie and
    x-robots-tag by newline).
    `body` is decoded from its content encoding; it is empty when the body went to a staged file,
    and then `staged_name`, `sha256` (hex) and `head` (its first bytes) are set.
    """

    url: str  # of the last hop
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    staged_name: str | None = None
    sha256: str = ""
    head: bytes = b""
    size_bytes: int = 0
    redirects: tuple[str, ...] = ()  # every URL before the last one
    elapsed_s: float = 0.0

    @property
    def text(self) -> str:
        """The body as text: by charset of the content type, else UTF-8; never an exception."""
        charset = "utf-8"
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.strip().partition("=")
            if name.lower() == "charset":
                charset = value.strip("\"' ")
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none (RecursionError included)."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("JSON nested too deeply") from None


class Http(Protocol):
    """What a source may do on the network: ask for a page and get it whole, in memory."""

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """GET with redirects followed; any status is an answer. Raises FetchError."""
        ...

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """POST. Raises FetchError."""
        ...
