from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pixtrawl.images.sniff import EXTENSIONS, HEAD_BYTES, IMAGE_FORMATS, extension, sniff

MARKUP = {"html", "xml", "pdf"}


def test_the_third_party_suite_is_all_right(suites: Path) -> None:
    wrong = []
    for line in (suites / "sniff.jsonl").read_text().splitlines():
        case = json.loads(line)
        file = suites / case["file"]
        if case["expected"] == "?" or not file.exists():
            continue
        found = sniff(file.read_bytes()[:HEAD_BYTES])
        if found != case["expected"] and not (case["expected"] is None and found in MARKUP):
            wrong.append((case["file"], case["expected"], found))
    assert wrong == []


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", None),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf", "avif"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "avif"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomavif", None),
        (b"BM, the text began", None),
        (
            b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00\x68\x04\x00\x00\x16\x00\x00\x00",
            "ico",
        ),
        (b"\n  <!DOCTYPE html><html>", "html"),
        (b"\xef\xbb\xbf<HTML>", "html"),
        (b"<!-- a --><svg xmlns='x'>", "svg"),
        (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'a' 'b'><svg >", "svg"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", "html"),
        (b"<?xml version='1.0'?><feed>", "xml"),
        ("<html>".encode("utf-16"), "html"),
        (b"%PDF-1.7", "pdf"),
        (b"8BPS\x00\x01\x00\x00\x00\x00\x00\x00\x00\x03", "psd"),
    ],
)
def test_a_signature_names_its_format(head: bytes, expected: str | None) -> None:
    assert sniff(head) == expected


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    assert sniff(head) in {*IMAGE_FORMATS, *MARKUP, None}


@given(
    st.binary(max_size=80), st.sampled_from([b"<", b"<!--", b"<?xml ", b"<!doctype ", b"\xff\xfe<"])
)
def test_broken_markup_has_an_answer(tail: bytes, start: bytes) -> None:
    assert sniff(start + tail) in {*IMAGE_FORMATS, *MARKUP, None}


def test_every_kept_format_has_its_own_short_extension() -> None:
    assert len(set(EXTENSIONS.values())) == len(EXTENSIONS)
    assert all(word.isalnum() and word.islower() for word in EXTENSIONS.values())
    assert extension("jpeg") == "jpg"
