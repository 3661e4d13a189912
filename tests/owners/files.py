"""Writes what owners put into files: XMP packets, and C2PA manifest stores in each format."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

from tests.pipeline.pictures import encoded, scene

PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
VOCABULARY = "http://ns.useplus.org/ldf/vocab/"


def picture(seed: int, format_: str = "JPEG", **options: object) -> bytes:
    return encoded(scene(seed), format_, **options)


def xmp(properties: str, *, prefix: str = "plus") -> bytes:
    """A packet; `properties` are attributes of its one description."""
    return (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description xmlns:{prefix}='{PLUS}' xmlns:tdm='http://www.w3.org/ns/tdmrep/' "
        f"{properties}/></rdf:RDF></x:xmpmeta>"
    ).encode()


def data_mining(code: str, *, prefix: str = "plus") -> bytes:
    return xmp(f"{prefix}:DataMining='{VOCABULARY}{code}'", prefix=prefix)


def cbor(value: Any) -> bytes:
    """Dicts, lists, texts and numbers as CBOR."""
    if isinstance(value, dict):
        pairs = b"".join(cbor(key) + cbor(one) for key, one in value.items())
        return _head(5, len(value)) + pairs
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, bool) or value is None:
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    octets = value.encode() if isinstance(value, str) else value
    return _head(3 if isinstance(value, str) else 2, len(octets)) + octets


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    for short, kind, most in ((24, ">B", 2**8), (25, ">H", 2**16), (26, ">I", 2**32)):
        if count < most:
            return bytes([major << 5 | short]) + struct.pack(kind, count)
    return bytes([major << 5 | 27]) + struct.pack(">Q", count)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def superbox(label: str, *boxes: bytes) -> bytes:
    description = b"\0" * 16 + b"\x03" + label.encode() + b"\0"
    return box(b"jumb", box(b"jumd", description) + b"".join(boxes))


def store(uses: dict[str, str], label: str = "c2pa.training-mining", padding: int = 0) -> bytes:
    """A manifest store with one training-mining assertion, behind `padding` bytes of another."""
    assertion = {"entries": {name: {"use": use} for name, use in uses.items()}}
    other = superbox("stds.schema-org.CreativeWork", box(b"json", b"{" + b" " * padding + b"}"))
    assertions = superbox("c2pa.assertions", other, superbox(label, box(b"cbor", cbor(assertion))))
    return superbox("c2pa", superbox("urn:uuid:0001", assertions))


def with_store(data: bytes, store_: bytes) -> bytes:
    """The picture with a manifest store, where its format has it."""
    if data.startswith(b"\xff\xd8"):
        return data[:2] + _app11(store_) + data[2:]
    if data.startswith(b"\x89PNG"):
        body = b"caBX" + store_
        chunk = struct.pack(">I", len(store_)) + body + struct.pack(">I", zlib.crc32(body))
        return data[:33] + chunk + data[33:]
    if data[:4] == b"RIFF":
        chunk = b"C2PA" + struct.pack("<I", len(store_)) + store_ + b"\0" * (len(store_) & 1)
        return b"RIFF" + struct.pack("<I", len(data) - 8 + len(chunk)) + data[8:] + chunk
    if data.startswith(b"GIF8"):
        parts = [store_[at : at + 255] for at in range(0, len(store_), 255)]
        blocks = b"".join(bytes([len(part)]) + part for part in parts)
        return data[:-1] + b"\x21\xff\x0bC2PA_GIF\x01\0\0" + blocks + b"\0\x3b"
    body = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0" * 4
    return data + box(b"uuid", body + b"manifest\0" + b"\0" * 8 + store_)


def _app11(store_: bytes) -> bytes:
    """Segments of at most 64 KiB; each repeats the box's head."""
    out, at, sequence = b"", 0, 1
    while at < len(store_):
        part = store_[at : at + 65_000]
        head = store_[:8] if at else b""
        body = b"JP" + struct.pack(">HI", 1, sequence) + head + part
        out += b"\xff\xeb" + struct.pack(">H", 2 + len(body)) + body
        at, sequence = at + len(part), sequence + 1
    return out


def with_xmp(seed: int, format_: str, packet: bytes) -> bytes:
    return png_with_xmp(seed, packet) if format_ == "PNG" else picture(seed, format_, xmp=packet)


def png_with_xmp(seed: int, packet: bytes, *, packed: bool = False) -> bytes:
    data = picture(seed, "PNG")
    body = b"iTXtXML:com.adobe.xmp\0" + (b"\x01" if packed else b"\0") + b"\0\0\0"
    body += zlib.compress(packet) if packed else packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def opens(data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    return True
