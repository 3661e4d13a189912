"""data: URLs, base64 and MIME types as browsers read them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.data_url import decode, forgiving_base64, respond
from pixtrawl.net.mime import parse_mime_type

SUITES = Path(__file__).parents[3] / "shared" / "suites"


def rows(name: str) -> list[dict[str, Any]]:
    path = SUITES / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return [json.loads(line) for line in path.read_text().splitlines()]


def octets(value: Any) -> bytes | None:
    return None if value is None else base64.b64decode(value["base64"])


def test_every_data_url_of_the_suite() -> None:
    for row in rows("data-urls.jsonl"):
        found, expected = decode(row["input"]), row["expected"]
        if expected is None:
            assert found is None, row
        else:
            assert found is not None, row
            assert (str(found[0]), found[1]) == (expected[0], octets(expected[1])), row


def test_every_base64_text_of_the_suite() -> None:
    for row in rows("base64.jsonl"):
        assert forgiving_base64(row["input"].encode()) == octets(row["expected"]), row


def test_every_mime_type_of_the_suite() -> None:
    for row in rows("mime-types.jsonl"):
        found = parse_mime_type(row["input"])
        assert (None if found is None else str(found)) == row["expected"], row


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
