"""Bad behaviour of servers: each a class, with its name in the URL and the expected Reason.

`/fault/NAME/SLUG/N.jpg` on any host of the playground behaves badly about picture N of SLUG. Each
fault listed by a query lies on a host of its own, so that one client's back-off from one of them
touches no other. `reason` is how a careful client with default settings ends; `also` lists what is
right too, by setting, system or HTTP library.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import ClassVar, Final

from pixtrawl.playground.messages import Answer, ServerRequest, ServerResponse
from pixtrawl.playground.server import Connection

REGISTRY: Final[dict[str, type[Fault]]] = {}


@dataclass(frozen=True, slots=True)
class Case:
    """One request to a fault. `attempt` counts the requests for this very URL from 1."""

    request: ServerRequest
    attempt: int
    slug: str
    index: int
    picture: bytes  # a sound JPEG of 640 x 480
    origin: str  # scheme, address and port of the host asked
    patience: float  # factor on every waiting time, 1.0 on the playground as it comes

    @property
    def connection(self) -> Connection:
        return self.request.connection

    def jpeg(self, *headers: tuple[str, str]) -> ServerResponse:
        """Return the sound answer."""
        return ServerResponse(self.picture, 200, "image/jpeg", headers)

    async def wait(self, seconds: float) -> None:
        """Sleep, scaled by `patience`."""
        await asyncio.sleep(seconds * self.patience)

    def head(self, length: int | None, *headers: str, content_type: str = "image/jpeg") -> bytes:
        """Return a head written by hand; `length` None leaves Content-Length out."""
        lines = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", *headers]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Fault(ABC):
    """One kind of misbehaviour. A subclass registers itself; its docstring describes it."""

    name: ClassVar[str]
    reason: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    file: ClassVar[str] = "{}.jpg"  # last path component, with the index in place of {}
    common: ClassVar[bool] = False  # part of `faults="some"`
    waits: ClassVar[bool] = False  # costs a client seconds

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "name"):
            REGISTRY[cls.name] = cls

    @abstractmethod
    def answer(self, case: Case) -> Answer | Awaitable[Answer]:
        """Send the bad answer."""

    def url(self, origin: str, slug: str, index: int) -> str:
        """Return the URL of the fault on the host `origin`."""
        return f"{origin}/fault/{self.name}/{slug}/{self.file.format(index)}"
