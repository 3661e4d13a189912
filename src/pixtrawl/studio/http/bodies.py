"""Reads the bodies of requests and writes answers as JSON."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pixtrawl.studio.messages import Answer, StudioError

__all__ = ["answer", "read_body"]

T = TypeVar("T")

_MOST_BODY_BYTES: Final = 8 * 2**20  # a selection of 500,000 ids


def answer(found: Answer) -> Response:
    """Return an answer as JSON."""
    return Response(msgspec.json.encode(found), media_type="application/json")


def _too_large() -> StudioError:
    return StudioError(413, "the body is larger than 8 MB; name a view instead of ids")


async def read_body(request: Request, type_: type[T]) -> T:
    """Read a body. Raise StudioError where it is too large, no JSON, or not of this type."""
    data = bytearray()
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > _MOST_BODY_BYTES:
        raise _too_large()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > _MOST_BODY_BYTES:
                raise _too_large()
    except ClientDisconnect as error:
        raise StudioError(400, "the connection ended within the body") from error
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the latter: a lone surrogate
        raise StudioError(400, f"the body is not understood: {error}") from error
