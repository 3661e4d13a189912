"""Owners who say that their pictures are not for training, each in a place of its own."""

from __future__ import annotations

import struct
from typing import Final

from pixtrawl.playground.faults.base import Case, Fault
from pixtrawl.playground.messages import Answer, ServerResponse

ROBOTS_LINES: Final = (
    "Content-Usage: /fault/robots-content-usage/ train-ai=n\n"
    "Content-Signal: /fault/robots-content-signal/ search=yes, ai-train=no\n"
)
"""Of the group for everyone, in robots.txt of every host."""

TDMREP: Final = b'[{"location": "/fault/tdmrep/", "tdm-reservation": 1}]'
"""`/.well-known/tdmrep.json` of every host."""


class _Sound(Fault):
    """Answers with the sound picture and some headers."""

    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, case: Case) -> Answer:
        return case.jpeg(*self.headers)


class ContentSignalHeader(_Sound):
    """A sound picture with `Content-Signal: ai-train=no`."""

    name, reason = "content-signal", "opted_out"
    headers = (("Content-Signal", "search=yes, ai-train=no"),)


class ContentUsageHeader(_Sound):
    """A sound picture with `Content-Usage: train-ai=n`."""

    name, reason = "content-usage", "opted_out"
    headers = (("Content-Usage", "train-ai=n"),)


class TdmReservationHeader(_Sound):
    """A sound picture with `tdm-reservation: 1`."""

    name, reason = "tdm-reservation", "opted_out"
    headers = (("tdm-reservation", "1"), ("tdm-policy", "https://example.org/policy.json"))


class RobotsContentUsage(_Sound):
    """A sound picture under a path with `Content-Usage: train-ai=n` in robots.txt."""

    name, reason = "robots-content-usage", "opted_out"


class RobotsContentSignal(_Sound):
    """A sound picture under a path with `Content-Signal: ai-train=no` in robots.txt."""

    name, reason = "robots-content-signal", "opted_out"


class Tdmrep(_Sound):
    """A sound picture under a path that tdmrep.json reserves."""

    name, reason = "tdmrep", "opted_out"


class DataMining(Fault):
    """A sound picture whose XMP has `plus:DataMining` DMI-PROHIBITED-AIMLTRAINING."""

    name, reason = "plus-data-mining", "opted_out"

    def answer(self, case: Case) -> Answer:
        packet = (
            b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
            b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
            b"xmlns:plus='http://ns.useplus.org/ldf/xmp/1.0/' plus:DataMining="
            b"'http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING'/></rdf:RDF></x:xmpmeta>"
        )
        return _with_segment(case, 0xE1, packet)


class TrainingAssertion(Fault):
    """A sound picture whose C2PA manifest says notAllowed to generative training."""

    name, reason = "c2pa-training", "opted_out"

    def answer(self, case: Case) -> Answer:
        entry = b"\xa1\x63use\x6anotAllowed"
        name = b"cawg.ai_generative_training"
        assertion = b"\xa1\x67entries\xa1\x78" + bytes([len(name)]) + name + entry
        store = _superbox(b"cawg.training-mining", _box(b"cbor", assertion))
        for label in (b"c2pa.assertions", b"urn:uuid:1", b"c2pa"):
            store = _superbox(label, store)
        return _with_segment(case, 0xEB, b"JP" + struct.pack(">HI", 1, 1) + store)


def _with_segment(case: Case, marker: int, body: bytes) -> ServerResponse:
    segment = struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body
    return ServerResponse(case.picture[:2] + segment + case.picture[2:], 200, "image/jpeg")


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _superbox(label: bytes, body: bytes) -> bytes:
    return _box(b"jumb", _box(b"jumd", bytes(16) + b"\x03" + label + b"\0") + body)
