"""Faults of the link itself: they need no answer of a server, or no server at all."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pixtrawl.playground.faults.content import SVG

PictureOf = Callable[[str, int], bytes]


@dataclass(frozen=True, slots=True)
class DeadEnds:
    """Addresses (address:port) that behave badly before a request can be sent."""

    refused: str
    full: str


@dataclass(frozen=True, slots=True)
class LinkFault:
    """A URL that is bad in itself; `sentence` describes it."""

    name: str
    reason: str
    sentence: str
    url: Callable[[LinkPlace, str, int], str]
    also: tuple[str, ...] = ()
    waits: bool = False
    common: bool = False


@dataclass(frozen=True, slots=True)
class LinkPlace:
    """Where link faults lead."""

    dead_ends: DeadEnds
    origin: str
    picture: PictureOf


def _data_jpeg(place: LinkPlace, slug: str, index: int) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(place.picture(slug, index)).decode()


def _data_svg(place: LinkPlace, slug: str, index: int) -> str:
    return "data:image/svg+xml," + quote(SVG)


LINK_FAULTS: Final = (
    LinkFault("data-jpeg", "saved", "a whole picture as a data: URI", _data_jpeg,
              also=("thumbnail",), common=True),
    LinkFault("data-svg", "unsupported_format", "a drawing as a data: URI", _data_svg),
    LinkFault("data-bad", "bad_data_url", "a data: URI whose base64 is broken",
              lambda place, slug, index: f"data:image/jpeg;base64,@@{index}@@"),
    LinkFault("ftp", "scheme_refused", "an ftp: URL",
              lambda place, slug, index: f"ftp://127.0.0.1/{slug}/{index}.jpg"),
    LinkFault("file", "scheme_refused", "a file: URL",
              lambda place, slug, index: f"file:///etc/hostname?{slug}{index}"),
    LinkFault("bad-url", "bad_url", "a URL that cannot be read",
              lambda place, slug, index: f"http://[::bad/{slug}/{index}.jpg"),
    LinkFault("inner-address", "address_refused", "a URL with a private address",
              lambda place, slug, index: f"http://10.1.2.3/{slug}/{index}.jpg"),
    LinkFault("unknown-host", "dns_failed", "a host name that does not exist (RFC 2606)",
              lambda place, slug, index: f"http://no-such-host.invalid/{slug}/{index}.jpg"),
    LinkFault("refused", "connect_failed", "nothing listens there",
              lambda place, slug, index: f"http://{place.dead_ends.refused}/{slug}/{index}.jpg",
              also=("host_out",)),
    LinkFault("never-connects", "connect_timeout", "the connection is never taken",
              lambda place, slug, index: f"http://{place.dead_ends.full}/{slug}/{index}.jpg",
              also=("host_out", "connect_failed", "first_byte_timeout"), waits=True),
    LinkFault("tls", "tls_failed", "https: to a server that speaks only http",
              lambda place, slug, index:
              f"https://{place.origin.removeprefix('http://')}/photo/{slug}/{index}.jpg",
              also=("connect_failed", "protocol_error")),
)  # fmt: skip
