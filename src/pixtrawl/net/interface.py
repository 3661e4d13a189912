"""The HTTP interface for the rest of pixtrawl: `Request`, `Response`, `Http`.

No type of an HTTP library appears in it; a failed transfer raises `FetchError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from pixtrawl.errors import FetchError


class NotSentError(FetchError):
    """The request was held back at the last moment: the server has not seen it."""


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
        """Return the body as text, by the content type's charset, else UTF-8. Never raises."""
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
        """Return the body as JSON. Raises ValueError for anything else (deep nesting included)."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("JSON nested too deeply") from None


class Http(Protocol):
    """Network access of a source: request a page and get it in memory."""

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Send a GET, follow redirects, return an answer of any status. Raises FetchError."""
        ...

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a POST, otherwise as `get`. Raises FetchError."""
        ...
