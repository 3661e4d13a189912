"""What servers name as Content-Encoding is often wrong and harmless: the picture arrives."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from typing import Any

import pycurl
import pytest
from hypothesis import given, strategies as st
from tests.matrices import crossed
from tests.net.clients import with_client

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.coding import coding_of
from pixtrawl.net.interface import Request

PICTURE = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + random.Random(1).randbytes(30_000)
PNG = b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(3_000)


def plain(data: bytes) -> bytes:
    return data


def raw_deflate(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(data) + packing.flush()


def twice(data: bytes) -> bytes:
    return gzip.compress(gzip.compress(data))


def two_members(data: bytes) -> bytes:
    return gzip.compress(data[:100]) + gzip.compress(data[100:])


def with_a_tail(data: bytes) -> bytes:
    return gzip.compress(data) + b"\0" * 40


def without_its_end(data: bytes) -> bytes:
    return gzip.compress(data)[:-8]


ROWS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZIP", gzip.compress),
    (" gzip ", gzip.compress),
    ("gzip, gzip", twice),
    ("gzip, gzip", gzip.compress),  # the header twice, the coding once
    ("gzip,identity", gzip.compress),
    ("gzip", plain),
    ("gzip", two_members),
    ("gzip", with_a_tail),
    ("gzip", without_its_end),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("deflate", plain),
    ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ("aws-chunked", plain),
    ("aws-chunked,gzip", gzip.compress),
    ("gzip,aws-chunked", gzip.compress),
    ("base64,gzip", gzip.compress),
    *(
        (word, plain)
        for word in (
            "utf-8", "UTF8", "utf-8, utf-8", "iso-8859-1", "windows-1252", "us-ascii", "base64",
            "binary", "8bit", "identity", "none", "None", "", ",", ", ,", "null", "undefined",
            "image/jpeg", "jpeg", "raw", "text", "*", "compress", "x-compress", "exi", "dcb", "7bit",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("named", "packed", "picture"), crossed(ROWS, [PICTURE, PNG]),
    ids=[f"{at}: {row[0]}-{kind}" for at, row in enumerate(ROWS) for kind in ("jpeg", "png")],
)  # fmt: skip
def test_a_picture_arrives_whatever_its_content_encoding_is_called(
    server: Any, settings: Any, named: str, packed: Callable[[bytes], bytes], picture: bytes
) -> None:
    url = server.route("/a", body=packed(picture), Content_Encoding=named)

    async def use(client: Client) -> None:
        assert (await client.transfer(Request(url=url))).body == picture

    with_client(settings(), use)
    assert len(server.seen) == 1


def test_what_only_libcurl_unpacks_is_asked_for_once_more(server: Any, settings: Any) -> None:
    if "brotli" not in pycurl.version:
        pytest.skip("this libcurl unpacks no brotli")
    stored = b"\x0b\x02\x80hello\x03"  # brotli: one uncompressed meta-block
    url = server.route("/a", body=stored, Content_Encoding="br")
    other = server.route("/b", body=PICTURE, Content_Encoding="utf-8")

    async def use(client: Client) -> None:
        assert (await client.transfer(Request(url=url))).body == b"hello"
        assert (await client.transfer(Request(url=other))).body == PICTURE  # by the same handle

    with_client(settings(), use)
    assert [seen.target for seen in server.seen] == ["/a", "/a", "/b"]
    assert server.seen[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("named", "packed"),
    [
        ("utf-8", plain),
        ("gzip", plain),
        ("deflate", plain),
        ("gzip", gzip.compress),
        ("aws-chunked,gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip,gzip", twice),
    ],
)
def test_the_caps_hold_before_and_after_unpacking(
    server: Any, settings: Any, named: str, packed: Callable[[bytes], bytes]
) -> None:
    url = server.route("/a", body=packed(bytes(3_000_000)), Content_Encoding=named)

    async def use(client: Client) -> None:
        with pytest.raises(FetchError) as caught:
            await client.transfer(Request(url=url, max_bytes=100_000))
        assert caught.value.reason is Reason.TOO_MANY_BYTES

    with_client(settings(), use)


def test_a_packed_body_that_is_damaged_is_reported(server: Any, settings: Any) -> None:
    body = bytearray(gzip.compress(PICTURE))
    body[5_000:5_100] = bytes(100)
    body[-8:-4] = b"\1\2\3\4"
    url = server.route("/a", body=bytes(body), Content_Encoding="gzip")

    async def use(client: Client) -> None:
        with pytest.raises(FetchError, match="cannot be decoded") as caught:
            await client.transfer(Request(url=url))
        assert caught.value.reason is Reason.PROTOCOL_ERROR

    with_client(settings(), use)


def test_codings_without_end_are_refused(server: Any, settings: Any) -> None:
    url = server.route("/a", body=b"x", Content_Encoding=", ".join(["gzip"] * 40))

    async def use(client: Client) -> None:
        with pytest.raises(FetchError, match="40 content codings"):
            await client.transfer(Request(url=url))

    with_client(settings(), use)


@given(
    st.binary(max_size=300),
    st.sampled_from([plain, gzip.compress, zlib.compress, raw_deflate]),
    st.integers(1, 40),
)
def test_pieces_of_any_length_make_the_same_body(
    data: bytes, packed: Callable[[bytes], bytes], piece_bytes: int
) -> None:
    names: dict[object, str] = {plain: "identity, utf-8", gzip.compress: "gzip"}
    named = names.get(packed, "deflate")
    coding = coding_of(named)
    if coding is None:
        assert packed is plain
        return
    body = packed(data)
    pieces = [body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes)]
    found = b"".join(part for piece in pieces for part in coding.feed(piece))
    assert found + b"".join(coding.finish()) == data
