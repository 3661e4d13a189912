"""data: URLs answered like http URLs: a `Response`, staged and hashed the same way.

RFC 2397 as browsers read it (the WHATWG Fetch standard's data: URL processor, with the forgiving
base64 of the Infra standard): white space inside, missing padding and percent-escapes are fine.
"""

from __future__ import annotations

import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.body import HEAD_BYTES, StagedBody, Staging
from pixtrawl.net.interface import Response
from pixtrawl.net.mime import MimeType, parse_mime_type

__all__ = ["decode", "forgiving_base64", "respond"]

_BASE64: Final = re.compile(r";\x20*base64\Z", re.IGNORECASE)
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_C0_AND_SPACE: Final = bytes(range(0x21))
_DEFAULT: Final = MimeType("text/plain", {"charset": "US-ASCII"})


def forgiving_base64(data: bytes) -> bytes | None:
    """Return the decoded bytes; None where the standard returns failure."""
    data = data.translate(None, b"\t\n\f\r ")
    if len(data) % 4 == 0:
        data = data.removesuffix(b"=").removesuffix(b"=")
    if len(data) % 4 == 1 or data.translate(None, _ALPHABET):
        return None
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def decode(url: str) -> tuple[MimeType, bytes] | None:
    """Return type and bytes of a data: URL; None without a comma or with invalid base64."""
    raw = url.encode("utf-8", "replace").strip(_C0_AND_SPACE).translate(None, b"\t\n\r")
    head, comma, body = raw[5:].partition(b",")
    if not comma:
        return None
    if b"#" in head:
        return None
    body = unquote_to_bytes(body.partition(b"#")[0])
    # Characters that a URL parser would have escaped in the part before the comma.
    text = "".join(chr(b) if 0x20 <= b <= 0x7E else f"%{b:02X}" for b in head).strip(" ")
    base64 = _BASE64.search(text)
    if base64 is not None:
        decoded = forgiving_base64(body)
        if decoded is None:
            return None
        body, text = decoded, text[: base64.start()]
    if text.startswith(";"):
        text = "text/plain" + text
    return parse_mime_type(text) or _DEFAULT, body


def respond(
    url: str, max_bytes: int, staging: Staging | None = None, stage_as: str | None = None
) -> Response:
    """Return the answer to a data: URL, as if it had come over HTTP with status 200.

    Raises FetchError: `BAD_DATA_URL`, `TOO_MANY_BYTES`, `STORE_FAILED`.
    """
    # Base64 decodes to about three quarters of its length: refuse before decoding.
    if len(url) > 8 * max_bytes + 1024:
        raise FetchError(Reason.TOO_MANY_BYTES, f"a data: URI of {len(url)} characters")
    found = decode(url)
    if found is None:
        raise FetchError(Reason.BAD_DATA_URL, url[:80])
    mime, body = found
    if len(body) > max_bytes:
        raise FetchError(Reason.TOO_MANY_BYTES, f"more than {max_bytes} bytes")
    headers = {"content-type": str(mime)}
    if staging is None or stage_as is None or not body:
        return Response(
            url=url, status=200, headers=headers, body=body, head=body[:HEAD_BYTES],
            size_bytes=len(body),
        )  # fmt: skip
    staged = _stage(staging, stage_as, body)
    return Response(
        url=url, status=200, headers=headers, staged_name=stage_as, sha256=staged.sha256,
        head=staged.head, size_bytes=len(body),
    )  # fmt: skip


def _stage(staging: Staging, name: str, body: bytes) -> StagedBody:
    try:
        staged = StagedBody(staging, name)
    except OSError as error:
        raise FetchError(Reason.STORE_FAILED, str(error)) from None
    try:
        staged.write(body)
        staged.finish()
    except OSError as error:
        staged.discard()
        raise FetchError(Reason.STORE_FAILED, str(error)) from None
    return staged
