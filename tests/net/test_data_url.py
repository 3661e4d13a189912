"""data: URLs, base64 and MIME types as browsers read them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.shared_data import shared_rows

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.data_url import decode, forgiving_base64, respond
from pixtrawl.net.mime import parse_mime_type


def octets(value: Any) -> bytes | None:
    return None if value is None else base64.b64decode(value["base64"])


def test_every_data_url_of_the_suite() -> None:
    for row in shared_rows("suites/data-urls.jsonl"):
        found, expected = decode(row["input"]), row["expected"]
        if expected is None:
            assert found is None, row
        else:
            assert found is not None, row
            assert (str(found[0]), found[1]) == (expected[0], octets(expected[1])), row


def test_every_base64_text_of_the_suite() -> None:
    for row in shared_rows("suites/base64.jsonl"):
        assert forgiving_base64(row["input"].encode()) == octets(row["expected"]), row


def test_every_mime_type_of_the_suite() -> None:
    for row in shared_rows("suites/mime-types.jsonl"):
        found = parse_mime_type(row["input"])
        assert (None if found is None else str(found)) == row["expected"], row


PLAIN = "text/plain;charset=US-ASCII"


@pytest.mark.parametrize(
    ("url", "kind", "body"),
    [
        # RFC 2397: its grammar and its examples
        ("data:,A%20brief%20note", PLAIN, b"A brief note"),
        ("data:text/plain;charset=iso-8859-7,%be%fg%be", "text/plain;charset=iso-8859-7", b"\xbe%fg\xbe"),
        ("data:image/gif;base64,R0lGODdhMAAwAPAAAAAA", "image/gif", b"GIF87a0\x000\x00\xf0\x00\x00\x00\x00"),
        ("data:,", PLAIN, b""),
        # the Fetch standard, its processor of these URLs
        ("data:;charset=UTF-8,x", "text/plain;charset=UTF-8", b"x"),
        ("DATA:IMAGE/PNG;BASE64,YQ==", "image/png", b"a"),
        ("data:image/png;  base64,YQ", "image/png", b"a"),
        ("data: image/png ;base64,YQ", "image/png", b"a"),
        ("data:image/png;base64;x=1,YQ==", "image/png;x=1", b"YQ=="),
        ("data:image/png;base64=1,YQ==", "image/png;base64=1", b"YQ=="),
        ("data:image/pngbase64,YQ==", "image/pngbase64", b"YQ=="),
        ("data:nonsense,x", PLAIN, b"x"),
        ("data:image/,x", PLAIN, b"x"),
        ("data:,x#fragment", PLAIN, b"x"),
        ("data:,x?y", PLAIN, b"x?y"),
        ("data:,a,b", PLAIN, b"a,b"),
        ("data:,%", PLAIN, b"%"),
        ("data:,\u00e9", PLAIN, b"\xc3\xa9"),
        ("data:image/png;base64,Y%51%3D%3D", "image/png", b"a"),
        ("data:image/png;base64,Y\nQ=\t=", "image/png", b"a"),
        ("data:image/png;base64,", "image/png", b""),
        ('data:text/plain;a=",x";b=c,y', 'text/plain;a=""', b'x";b=c,y'),
    ],
)  # fmt: skip
def test_each_form_of_a_data_url(url: str, kind: str, body: bytes) -> None:
    found = decode(url)
    assert found is not None
    assert (str(found[0]), found[1]) == (kind, body)


@pytest.mark.parametrize(
    "url", ["data:", "data:image/png;base64", "data:image/png;base64,Y", "data:;base64,@@@@", "data:#,x"]
)  # fmt: skip
def test_a_data_url_in_error_gives_nothing(url: str) -> None:
    assert decode(url) is None


@pytest.mark.parametrize(
    ("text", "data"),
    [
        # Infra, "forgiving-base64 decode"; RFC 4648, section 10
        ("", b""), ("Zg==", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("Zm9vYg==", b"foob"),
        ("Zm9vYmE=", b"fooba"), ("Zm9vYmFy", b"foobar"), ("Zg", b"f"), ("Zm8", b"fo"),
        ("Z\ng\t=\f=\r ", b"f"), ("Zh==", b"f"), ("//++", b"\xff\xff\xbe"),
        ("Z", None), ("Zg=", None), ("Zg===", None), ("Z=g=", None), ("=", None), ("====", None),
        ("Zm9v=", None), ("Zm8_", None), ("Zm8-", None), ("Zg==\x0b", None), ("Zg\xa0", None),
        ("Zm9vY", None), ("Zg==Zg==", None),
    ],
)  # fmt: skip
def test_each_rule_of_forgiving_base64(text: str, data: bytes | None) -> None:
    assert forgiving_base64(text.encode()) == data


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # MIME Sniffing, sections 4.4 and 4.5
        ("image/jpeg", "image/jpeg"),
        ("\t IMAGE/Jpeg \n", "image/jpeg"),
        ("image/svg+xml;CharSet=UTF-8", "image/svg+xml;charset=UTF-8"),
        ("x/y; a=1 ;b=2", "x/y;a=1;b=2"),
        ("x/y;;;a=1;", "x/y;a=1"),
        ("x/y;a=1;a=2;A=3", "x/y;a=1"),
        ("x/y;a", "x/y"),
        ("x/y;a=", "x/y"),
        ("x/y;=1;b=2", "x/y;b=2"),
        ("x/y;a =1", "x/y"),
        ("x/y;a= 1", 'x/y;a=" 1"'),
        ("x/y;a=b c", 'x/y;a="b c"'),
        ('x/y;a=""', 'x/y;a=""'),
        ('x/y;a="b"', "x/y;a=b"),
        ('x/y;a="b;c"d;e=f', 'x/y;a="b;c";e=f'),
        ('x/y;a="b', "x/y;a=b"),
        ('x/y;a="\\b\\"\\', 'x/y;a="b\\"\\\\"'),
        ("x/y;a=\u20ac;b=1", "x/y;b=1"),
        ("x/y;a=\u00ff", 'x/y;a="\u00ff"'),
        ("x/y\t;a=1", "x/y;a=1"),
        ("", None), ("image", None), ("image/", None), ("/jpeg", None), ("im age/jpeg", None),
        ("image /jpeg", None), ("image/jp eg", None), ("image/jpeg/x", None), ("(/)", None),
        ("\u00e9/x", None),
    ],
)  # fmt: skip
def test_each_rule_of_mime_types(text: str, written: str | None) -> None:
    found = parse_mime_type(text)
    assert (None if found is None else str(found)) == written
    if written is not None:
        assert str(parse_mime_type(written)) == written


@given(st.binary())
def test_what_is_encoded_comes_back(data: bytes) -> None:
    assert forgiving_base64(base64.b64encode(data)) == data
    found = decode("data:image/png;base64," + base64.b64encode(data).decode())
    assert found is not None
    assert found[1] == data


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    decode("data:" + text)
    parse_mime_type(text)


def test_a_picture_above_the_cap_is_refused() -> None:
    for url in ("data:," + "x" * 101, "data:," + "x" * 10_000):
        with pytest.raises(FetchError) as caught:
            respond(url, 100)
        assert caught.value.reason is Reason.TOO_MANY_BYTES
    assert respond("data:," + "x" * 100, 100).size_bytes == 100


def test_base64_in_an_http_path_means_nothing_here() -> None:
    with pytest.raises(FetchError) as caught:
        respond("data:image/png;base64,%%%", 100)
    assert caught.value.reason is Reason.BAD_DATA_URL
