"""Reservations inside files of each format, read by the decoder."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, strategies as st

from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.metadata import cbor as reading
from pixtrawl.images.metadata.jumbf import read_training_mining
from pixtrawl.images.metadata.rights import read_rights
from pixtrawl.preferences.marks import is_ai_made
from tests.matrices import crossed
from tests.owners.files import (
    box,
    cbor,
    data_mining,
    opens,
    picture,
    png_with_xmp,
    store,
    superbox,
    with_store,
    with_xmp,
    xmp,
)

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
NO_TRAINING = {"cawg.ai_training": "notAllowed", "cawg.data_mining": "allowed"}


def read(data: bytes) -> dict[str, object]:
    """The fields found, as a decoder does it: only where the first look says so."""
    verdict = inspect_bytes(data, 10**7)
    assert verdict.info is not None, verdict
    assert verdict.states_rights, "or nobody would look"
    return read_rights(data)


@pytest.mark.parametrize("format_", FORMATS)
def test_xmp_reservations_are_found_in_each_format(format_: str) -> None:
    packet = data_mining("DMI-PROHIBITED-AIMLTRAINING")
    found = read(with_xmp(1, format_, packet))
    assert str(found["data_mining"]).endswith("/DMI-PROHIBITED-AIMLTRAINING")


@pytest.mark.parametrize(
    "packet",
    [
        data_mining("DMI-PROHIBITED", prefix="p0"),
        xmp("x='1'><plus:DataMining>DMI-PROHIBITED</plus:DataMining></rdf:Description"),
        xmp("x='1'><plus:DataMining rdf:resource='http://x/DMI-PROHIBITED'/></rdf:Description"),
        xmp("dc:creator='Ada'") + data_mining("DMI-PROHIBITED"),
    ],
    ids=["another prefix", "element", "resource", "second packet"],
)
def test_xmp_reservations_are_found_however_they_are_written(packet: bytes) -> None:
    assert "DMI-PROHIBITED" in str(read(picture(1, xmp=packet))["data_mining"])


def test_compressed_and_late_packets_are_found() -> None:
    packet = data_mining("DMI-PROHIBITED")
    assert "DMI" in str(read(png_with_xmp(1, packet, packed=True))["data_mining"])
    icc = b"\0" * 200_000  # the segments of a large profile come first
    assert "DMI" in str(read(picture(1, icc_profile=icc, xmp=packet))["data_mining"])


def test_constraints_and_tdm_reservations_are_found() -> None:
    found = read(picture(1, xmp=xmp("plus:OtherConstraints='Ask me' tdm:reservation='1'")))
    assert (found["other_constraints"], found["tdm_reservation"]) == ("Ask me", "1")


@pytest.mark.parametrize(
    ("format_", "label", "padding"),
    crossed(
        [*FORMATS, "GIF"],
        ["c2pa.training-mining", "cawg.training-mining__1"],
        [0, 150_000],  # which takes many segments
    ),
)
def test_training_assertions_are_found_in_each_format(
    format_: str, label: str, padding: int
) -> None:
    data = with_store(picture(1, format_), store(NO_TRAINING, label, padding))
    assert opens(data)
    assert read(data)["training_mining"] == "cawg.ai_training=notAllowed; cawg.data_mining=allowed"


def test_refusals_are_reported_first() -> None:
    many = {f"com.example.use{n}": "allowed" for n in range(60)}
    data = with_store(picture(1), store({**many, "c2pa.data_mining": "notAllowed"}))
    assert str(read(data)["training_mining"]).startswith("c2pa.data_mining=notAllowed; ")


def test_an_assertion_of_another_kind_says_nothing_of_training() -> None:
    data = with_store(picture(1), store(NO_TRAINING, "c2pa.actions"))
    assert "training_mining" not in read(data)
    assert read(data)["c2pa"] is True


def test_assertions_written_as_json_are_read() -> None:
    body = json.dumps({"entries": {"c2pa.ai_training": {"use": "constrained"}}}).encode()
    boxed = superbox("c2pa", superbox("c2pa.training-mining", box(b"json", body)))
    assert read_training_mining(with_store(picture(1), boxed)) == "c2pa.ai_training=constrained"


def test_broken_boxes_are_no_error() -> None:
    whole = store(NO_TRAINING)
    for cut in range(0, len(whole), 7):
        read_training_mining(with_store(picture(1), whole[:cut]))
    deep = whole
    for _ in range(200):
        deep = superbox("c2pa", deep)
    assert read_training_mining(with_store(picture(1), deep)) == ""
    endless = superbox("c2pa", *[box(b"free", b"")] * 50_000, whole)
    assert read_training_mining(with_store(picture(1), endless)) == ""


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner,
                                                               max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_cbor_that_was_written_is_read(value: object) -> None:
    assert reading.decode(cbor(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xbf\x61a\x9f\x01\x02\xff\xff", {"a": [1, 2]}),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\xc1\x1a\x00\x00\x00\x01", 1),
        (b"\xf9\x3c\x00", 1.0),
        (b"\xfb\x3f\xf8" + b"\0" * 6, 1.5),
        (b"\xa2\x80\x01\x61a\x02", {"a": 2}),
    ],
)
def test_cbor_of_indefinite_length_tags_and_floats(data: bytes, value: object) -> None:
    assert reading.decode(data) == value


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\x9a\xff\xff\xff\xff", b"\x81" * 40, b"\x1c", b"\x7f\x81\xff", b"\x5b"]
)
def test_what_is_no_cbor_is_reported_so(data: bytes) -> None:
    with pytest.raises(reading.BadCborError):
        reading.decode(data)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_fail(data: bytes) -> None:
    with contextlib.suppress(reading.BadCborError):
        reading.decode(data)
    heads = (b"\xff\xd8\xff\xeb\x00\x80JP", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"GIF89a",
             b"\0\0\0\x18ftypavif", b"II*\0")  # fmt: skip
    for head in heads:
        read_training_mining(head + data)


MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def made(label: str, kind: bytes, content: object) -> bytes:
    """A manifest store with one assertion."""
    body = cbor(content) if kind == b"cbor" else json.dumps(content).encode()
    assertions = superbox("c2pa.assertions", superbox(label, box(kind, body)))
    return superbox("c2pa", superbox("urn:uuid:0001", assertions))


def actions(*types: str) -> dict[str, object]:
    return {
        "actions": [{"action": "c2pa.created", "digitalSourceType": one} for one in types]
        + [{"action": "c2pa.edited"}]
    }


@pytest.mark.parametrize(
    ("label", "kind", "content", "ai_made"),
    [
        ("c2pa.actions", b"cbor", actions(MODEL), True),
        ("c2pa.actions.v2", b"cbor", actions(CAMERA, MODEL), True),
        ("c2pa.actions__1", b"json", actions(MODEL.rpartition("/")[2]), True),
        ("c2pa.actions", b"cbor", actions(CAMERA), False),
        ("c2pa.metadata", b"json", {"Iptc4xmpExt:DigitalSourceType": MODEL}, True),
        ("cawg.metadata", b"json", {"Iptc4xmpExt:DigitalSourceType": {"@id": MODEL}}, True),
        ("stds.iptc", b"json", {"Iptc4xmpExt:DigitalSourceType": CAMERA}, False),
        ("com.example.actions", b"cbor", actions(MODEL), False),
        ("c2pa.actions", b"cbor", {"actions": ["x", {"digitalSourceType": 7}]}, False),
    ],
)
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_content_credentials_alone_tell_that_a_model_made_it(
    format_: str, label: str, kind: bytes, content: object, ai_made: bool
) -> None:
    found = read(with_store(picture(1, format_), made(label, kind, content)))
    assert is_ai_made(found) is ai_made
    assert found["c2pa"] is True


@pytest.mark.parametrize(
    ("in_xmp", "in_c2pa", "ai_made"),
    [(CAMERA, MODEL, True), (MODEL, CAMERA, True), (CAMERA, CAMERA, False)],
)
def test_of_two_statements_the_one_that_names_a_model_holds(
    in_xmp: str, in_c2pa: str, ai_made: bool
) -> None:
    packet = (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description>"
        f"<Iptc4xmpExt:DigitalSourceType>{in_xmp}</Iptc4xmpExt:DigitalSourceType>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    data = with_store(picture(1, xmp=packet), made("c2pa.actions", b"cbor", actions(in_c2pa)))
    assert is_ai_made(read(data)) is ai_made
