"""Requests as received and answers as sent: what handlers of the playground take and give.

A handler gets a `ServerRequest` and returns a `ServerResponse`, an awaitable of one, or `Raw`: it
has then written to the connection itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from pixtrawl.playground.server import Connection

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass
class ServerRequest:
    """A request as received. `headers` with names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: Connection

    @property
    def host(self) -> str:
        """Address and port that the client connected to."""
        return self.connection.listener.host

    @cached_property
    def path(self) -> str:
        """Path as sent, still percent-encoded."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> dict[str, str]:
        """Decoded query parameters; of repeated ones the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """Decoded fields of a posted form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @cached_property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: unquote(value) for name, _, value in pairs if name}


@dataclass(slots=True)
class ServerResponse:
    """An answer with its whole body; Content-Length is added unless `headers` has one."""

    body: bytes = b""
    status: int = 200
    content_type: str | None = "text/html; charset=utf-8"
    headers: Iterable[tuple[str, str]] = ()
    close: bool = False  # end the connection after it

    def head(self) -> bytes:
        """Return status line and headers, blank line included."""
        lines = [f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, 'Unknown')}"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        names = set()
        for name, value in self.headers:
            lines.append(f"{name}: {value}")
            names.add(name.lower())
        if "content-length" not in names and "transfer-encoding" not in names:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


class Ready(bytes):
    """A whole answer, head and body, that is sent as it is."""

    __slots__ = ()


class Raw:
    """Tells that the handler has written to the connection itself and is done with it."""


Answer = ServerResponse | Ready | Raw
Handler = Callable[[ServerRequest], Answer | Awaitable[Answer]]
