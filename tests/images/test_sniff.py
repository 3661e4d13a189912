from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from tests.shared_data import shared, shared_rows

from pixtrawl.images.formats.sniff import EXTENSIONS, HEAD_BYTES, IMAGE_FORMATS, extension, sniff

MARKUP = {"html", "xml", "pdf"}


def test_the_third_party_suite_is_all_right() -> None:
    wrong = []
    suites = shared("suites")
    for case in shared_rows("suites/sniff.jsonl"):
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
        # MIME Sniffing, section 6.1
        (b"\x00\x00\x02\x00\x01\x00\x20\x20\x00\x00\x00\x00\x00\x00\xa8\x10\x00\x00\x16\x00\x00\x00", "cur"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "bmp"),
        (b"GIF87a\x01\x00", "gif"),
        (b"GIF89a\x01\x00", "gif"),
        (b"GIF88a\x01\x00", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "png"),
        (b"\x89PNG\n\x1a\n", None),  # line ends converted on the way
        (b"\xff\xd8", None),
        # other pictures, by their own specifications
        (b"II*\x00\x08\x00\x00\x00", "tiff"), (b"MM\x00*\x00\x00\x00\x08", "tiff"),
        (b"\xff\x0a\xfa\x1f", "jxl"), (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"), (b"\xff\x4f\xff\x51\x00\x2f", "jp2"),
        (b"v/1\x01\x02\x00\x00\x00", "exr"), (b"qoif\x00\x00\x00\x01", "qoi"),
        (b"P6 # by hand\n3 2\n255\n", "pnm"), (b"P6 is a road", None), (b"P7\nWIDTH 1", None),
        (b"DDS |\x00\x00\x00", "dds"), (b"gimp xcf v011", "xcf"), (b"icns\x00\x00\x00\x10", "icns"),
        # no pictures: sound, film, archives, fonts, programs, text
        (b"ID3\x03\x00", None), (b"OggS\x00\x02", None), (b"fLaC\x00", None), (b"\xff\xfb\x90\x44", None),
        (b"\x1aE\xdf\xa3", None), (b"FORM\x00\x00\x00\x10AIFF", None), (b"RIFF\x10\x00\x00\x00AVI LIST", None),
        (b"\x00\x00\x00\x20ftypmp42\x00\x00\x00\x00mp42isom", None), (b"\x00\x00\x00\x14ftypM4A ", None),
        (b"PK\x03\x04", None), (b"\x1f\x8b\x08", None), (b"Rar!\x1a\x07\x00", None), (b"7z\xbc\xaf\x27\x1c", None),
        (b"BZh91AY", None), (b"\xfd7zXZ\x00", None), (b"wOF2\x00\x01", None), (b"\x00\x01\x00\x00\x00", None),
        (b"\x7fELF\x02", None), (b"MZ\x90\x00", None), (b"%!PS-Adobe-3.0", None), (b"SQLite format 3\x00", None),
        (b"just words", None), (b'{"a": 1}', None), (b"\x00" * 64, None),
    ],
)  # fmt: skip
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
