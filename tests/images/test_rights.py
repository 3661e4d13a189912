from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from PIL import Image

from pixtrawl.config.groups import Images
from pixtrawl.images import record
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.metadata.rights import read_rights
from pixtrawl.model import FINE_BYTES

XMP = b"""<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description
 photoshop:Credit="Agency &amp; Co" xmpRights:WebStatement='https://example.org/terms'>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bert</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">\xc2\xa9 Ada</rdf:li></rdf:Alt></dc:rights>
<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>
</rdf:Description></rdf:RDF></x:xmpmeta>"""

Encoded = Callable[..., bytes]
Picture = Callable[..., Image.Image]


def test_xmp_exif_and_c2pa_are_read(picture: Picture, encoded: Encoded) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ada of EXIF"
    exif[0x8298] = "(c) EXIF"
    plain = read_rights(encoded(picture(1), exif=exif))
    assert plain == {"c2pa": False, "creator": "Ada of EXIF", "copyright": "(c) EXIF"}
    assert read_rights(encoded(picture(1), exif=exif, xmp=XMP)) == {
        "c2pa": False,
        "creator": "Ada, Bert",
        "copyright": "© Ada",
        "credit": "Agency & Co",
        "web_statement": "https://example.org/terms",
        "license_url": "https://creativecommons.org/licenses/by/4.0/",
        "digital_source_type": (
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
        ),
    }
    assert read_rights(encoded(picture(1), "PNG", exif=exif))["creator"] == "Ada of EXIF"
    assert read_rights(encoded(picture(1), "WEBP", exif=exif))["creator"] == "Ada of EXIF"
    assert read_rights(encoded(picture(1)) + b"jumb..jumdc2pa")["c2pa"] is True


def test_iptc_fields_are_read(picture: Picture, encoded: Encoded) -> None:
    def dataset(field: int, text: bytes) -> bytes:
        return b"\x1c\x02" + bytes([field]) + len(text).to_bytes(2, "big") + text

    body = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x20"
    body += dataset(80, b"Carl") + dataset(110, b"Wire") + dataset(116, b"(c) Carl")
    segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    data = encoded(picture(1))
    found = read_rights(data[:2] + segment + data[2:])
    assert (found["creator"], found["credit"], found["copyright"]) == ("Carl", "Wire", "(c) Carl")


def test_a_decoder_answers_with_the_same(
    picture: Picture, encoded: Encoded, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(encoded(picture(1), xmp=XMP))

    async def ask() -> tuple[object, object]:
        pool = DecoderPool(Images(decoders=1), tmp_path)
        try:
            return await pool.rights("a"), await pool.rights("missing")
        finally:
            await pool.aclose()

    found, missing = asyncio.run(ask())
    assert found == read_rights((tmp_path / "a").read_bytes())
    assert missing == {}


def test_an_answer_longer_than_its_record_loses_its_longest_fields() -> None:
    packed = record.pack_rights(7, {"creator": "x" * 20_000, "credit": "Wire", "c2pa": True})
    assert len(packed) == record.ANSWER_BYTES[record.RIGHTS]
    assert record.unpack_rights(packed, 7) == {"credit": "Wire", "c2pa": True}


@pytest.mark.parametrize("text", ["[1]", "{", "nul", "[" * 9000])
def test_an_answer_that_is_no_object_is_hostile(text: str) -> None:
    packed = record.pack_rights(7, {})
    forged = packed[:4] + len(text).to_bytes(4, "little") + text.encode()
    with pytest.raises(record.HostileAnswerError):
        record.unpack_rights(forged.ljust(len(packed), b"\0"), 7)


def test_unknown_fields_and_control_characters_do_not_pass() -> None:
    text = json.dumps({"creator": "a\x1b[31mb\n", "path": "/etc", "credit": ["x"], "c2pa": 1})
    packed = record.pack_rights(7, {})
    forged = packed[:4] + len(text).to_bytes(4, "little") + text.encode()
    assert record.unpack_rights(forged.ljust(len(packed), b"\0"), 7) == {"creator": "a[31mb"}


# The rest are thumbnail and fine greys, where every byte is possible.
FIELDS = record.ANSWER_BYTES[1] - 4000 - FINE_BYTES


@given(st.binary(min_size=FIELDS, max_size=FIELDS))
def test_a_forged_verdict_is_refused_or_within_its_ranges(fields: bytes) -> None:
    looks = fields[4:5] * 4000, fields[5:6] * FINE_BYTES
    answer = fields[:100] + looks[0] + fields[100:-120] + looks[1] + fields[-120:]
    try:
        verdict = record.unpack_verdict(answer, int.from_bytes(answer[:4], "little"), 10, 10**8)
    except record.HostileAnswerError:
        return
    assert verdict.detail.isprintable()
    assert (verdict.info is None) != (verdict.reason is None)


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_rights_fail(data: bytes) -> None:
    for start in (
        b"",
        b"\xff\xd8\xff",
        b"II*\x00",
        b"<x:xmpmeta",
        b"\xff\xd8\xff\xe1\x00\x40Exif\x00\x00",
    ):
        read_rights(start + data)


def test_a_list_that_is_never_closed_costs_no_time() -> None:
    """Each opening was once searched for its end through all the others: 5 s for this packet."""
    keys = (b"dc:creator", b"dc:rights", b"photoshop:Credit", b"photoshop:Source", b"cc:license")
    lists = (b"<" + key + b">" + b"<rdf:li" * 9000 + b"</" + key + b">" for key in keys)
    begun = time.process_time()
    assert read_rights(b"<x:xmpmeta>" + b"".join(lists))["c2pa"] is False
    assert time.process_time() - begun < 0.5
