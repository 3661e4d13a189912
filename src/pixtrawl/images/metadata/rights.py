"""Rights statements inside an image file: EXIF, IPTC, XMP, and what C2PA asserts.

Runs in the decoder. Nothing is resolved or fetched, and no XML parser is used on hostile bytes: XMP
properties are extracted from the packet with regular expressions.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from pixtrawl.images.formats import exif, jpeg
from pixtrawl.images.metadata import jumbf
from pixtrawl.preferences.marks import is_ai_made

__all__ = ["read_rights"]

_MAX_XMP_BYTES: Final = 1 << 20
_MAX_TEXT: Final = 2000

# XMP properties (IPTC Photo Metadata Standard 2023.2, PLUS 2.0, Creative Commons rights).
_XMP_FIELDS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "creator": (b"dc:creator",),
    "copyright": (b"dc:rights", b"xmpRights:Owner"),
    "credit": (b"photoshop:Credit",),
    "source": (b"photoshop:Source", b"dc:source"),
    "usage_terms": (b"xmpRights:UsageTerms",),
    "web_statement": (b"xmpRights:WebStatement",),
    "license_url": (b"cc:license", b"plus:LicensorURL", b"xmp:License"),
    "digital_source_type": (b"Iptc4xmpExt:DigitalSourceType",),
    "data_mining": (b"plus:DataMining",),
    "other_constraints": (b"plus:OtherConstraints",),
    "tdm_reservation": (b"tdm:reservation",),
}
# Prefixes are a file's own choice: those of a reservation are looked up by their namespaces.
_NAMESPACES: Final[Mapping[bytes, tuple[bytes, ...]]] = {
    b"plus": (b"http://ns.useplus.org/ldf/xmp/1.0/",),
    b"tdm": (b"http://www.w3.org/ns/tdmrep/", b"http://www.w3.org/ns/tdmrep#"),
}
_RESERVED: Final = ("data_mining", "other_constraints", "tdm_reservation")
_MAX_PACKETS: Final = 8
_XMP_STARTS: Final = (b"<x:xmpmeta", b"<rdf:RDF")
_EXIF_FIELDS: Final = {0x010E: "description", 0x013B: "creator", 0x8298: "copyright"}
_IPTC_FIELDS: Final = {
    80: "creator", 110: "credit", 115: "source", 116: "copyright", 120: "description",
}  # fmt: skip
_LANGUAGE: Final = re.compile(
    rb"<rdf:li(?:[^>]{0,200}?xml:lang\s*=\s*[\"']([\w-]{1,40})[\"'])?[^>]{0,200}>([^<]{1,2000})"
)


def read_rights(data: bytes) -> dict[str, Any]:
    """Return the fields that `data` states, and `c2pa`. Never raises for a bad file."""
    found: dict[str, Any] = {"c2pa": _has_c2pa(data)}
    if data.startswith(b"\xff\xd8\xff"):
        head = jpeg.read_head(data)
        _merge(found, _from_exif(head.exif))
        _merge(found, _from_iptc(data, head))
    else:
        at = data.find(b"Exif\x00\x00")
        block = data if data[:4] in (b"II*\x00", b"MM\x00*") else _exif_chunk(data, at)
        _merge(found, _from_exif(block))
    _merge(found, _from_xmp(data))
    if found["c2pa"]:
        asserted = jumbf.read_assertions(data)
        if "digital_source_type" in found and not is_ai_made(asserted):
            asserted.pop("digital_source_type", None)  # XMP says it in its own words
        _merge(found, asserted)
    return found


def _merge(found: dict[str, Any], more: Mapping[str, str]) -> None:
    """Merge fields; later ones win, as XMP is what current tools write."""
    for name, text in more.items():
        cleaned = " ".join(text.split())[:_MAX_TEXT]
        if cleaned:
            found[name] = cleaned


def _has_c2pa(data: bytes) -> bool:
    """Find a JUMBF superbox labelled c2pa (C2PA 2.2, 11.1), or the chunk or box that holds one."""
    if b"jumd" in data and b"c2pa" in data:
        return True
    return b"caBX" in data[: 1 << 16] and data.startswith(b"\x89PNG")


def _exif_chunk(data: bytes, at: int) -> bytes:
    if at >= 0:
        return data[at + 6 : at + 6 + (1 << 16)]
    for mark in (b"eXIf", b"EXIF"):  # PNG chunk; WebP chunk with its size after the name
        at = data.find(mark)
        if at >= 0:
            start = at + (4 if mark == b"eXIf" else 8)
            return data[start : start + (1 << 16)]
    return b""


def _from_exif(block: bytes) -> dict[str, str]:
    found = {}
    order = "little" if block[:2] == b"II" else "big"
    for tag, kind, count, value in exif.entries(block):
        name = _EXIF_FIELDS.get(tag)
        if name and kind in (1, 2, 7, 129) and count:
            at = int.from_bytes(value, "little" if order == "little" else "big")
            raw = value[:count] if count <= 4 else block[at : at + min(count, _MAX_TEXT)]
            found[name] = _text(raw)
    return found


def _from_iptc(data: bytes, head: jpeg.JpegHead) -> dict[str, str]:
    """Read IIM datasets of record 2 in the Photoshop resource block (IIM 4.2, 1.5)."""
    found: dict[str, str] = {}
    for marker, start, end in head.segments:
        body = data[start + 4 : end]
        if marker != 0xED or not body.startswith(b"Photoshop 3.0\x00"):
            continue
        at = body.find(b"\x1c\x02")
        while 0 <= at < len(body) - 5 and body[at] == 0x1C:
            record, field = body[at + 1], body[at + 2]
            length = body[at + 3] << 8 | body[at + 4]
            if record == 2 and field in _IPTC_FIELDS and length < 0x8000:
                found.setdefault(_IPTC_FIELDS[field], _text(body[at + 5 : at + 5 + length]))
            at += 5 + length
    return found


def _from_xmp(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for packet in _packets(data):
        prefixes = _prefixes(packet)
        if "description" not in found and (text := _description(packet, prefixes)):
            found["description"] = text
        for name, properties in _XMP_FIELDS.items():
            if name in found and name not in _RESERVED:
                continue
            for key in _spelt(properties, prefixes):
                text = _property(packet, key)
                if text and text not in found.get(name, ""):
                    found[name] = ", ".join(filter(None, (found.get(name), text)))
                if text:
                    break
    return found


def _description(packet: bytes, prefixes: Mapping[bytes, list[bytes]]) -> str:
    """Return dc:description in one language: the default, else English, else the first."""
    for key in _spelt([b"dc:description"], prefixes):
        at = packet.find(b"<" + key)
        end = packet.find(b"</" + key, at)
        texts = _LANGUAGE.findall(packet[at : min(end, at + 65536)]) if 0 <= at < end else []
        if texts:
            wished = {language.lower(): text for language, text in reversed(texts)}
            text = wished.get(b"x-default") or wished.get(b"en") or texts[0][1]
            return html.unescape(_text(text))
        if found := _property(packet, key):
            return found
    return ""


def _packets(data: bytes) -> Iterator[bytes]:
    """Yield the XMP packets of a file: a second one may state what the first does not."""
    if data.startswith(b"\x89PNG"):
        yield from _png_packets(data)
    at = 0
    for _ in range(_MAX_PACKETS):
        starts = [start for mark in _XMP_STARTS if (start := data.find(mark, at)) >= 0]
        if not starts:
            return
        packet = data[min(starts) : min(starts) + _MAX_XMP_BYTES]
        outer = packet.startswith(b"<x:xmpmeta")
        end = packet.find(b"</x:xmpmeta>" if outer else b"</rdf:RDF>")
        yield packet[:end] if end >= 0 else packet
        at = min(starts) + max(end, 8)


def _png_packets(data: bytes) -> Iterator[bytes]:
    """Yield the packets of iTXt chunks that are compressed (PNG, 3rd edition, 11.3.3.4)."""
    at = -1
    for _ in range(_MAX_PACKETS):
        at = data.find(b"iTXtXML:com.adobe.xmp\x00\x01", at + 1)
        if at < 4:
            return
        body = data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], "big")]
        parts = body[20:].split(b"\x00", 2)  # after the method: language, keyword, text
        if len(parts) == 3:
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(parts[2], _MAX_XMP_BYTES)


def _prefixes(packet: bytes) -> dict[bytes, list[bytes]]:
    """Return the prefixes that a packet uses for each of `_NAMESPACES`, the usual one first."""
    found = {usual: [usual] for usual in _NAMESPACES}
    for prefix, uri in re.findall(rb"xmlns:([\w.-]{1,40})\s*=\s*[\"']([^\"']{1,100})", packet):
        for usual, uris in _NAMESPACES.items():
            if uri in uris and prefix not in found[usual]:
                found[usual].append(prefix)
    return found


def _spelt(keys: Iterable[bytes], prefixes: Mapping[bytes, list[bytes]]) -> Iterator[bytes]:
    for key in keys:
        usual, _, name = key.partition(b":")
        for prefix in prefixes.get(usual, [usual]):
            yield prefix + b":" + name


def _property(packet: bytes, key: bytes) -> str:
    """Return an attribute's value, a resource, or an element's text with its list items."""
    at = packet.find(b"<" + key)
    if at >= 0:
        end = packet.find(b"</" + key, at)
        opening = packet[at : packet.find(b">", at) + 1]
        resource = re.search(rb"rdf:resource\s*=\s*[\"']([^\"']{1,2000})", opening)
        if resource:
            return html.unescape(_text(resource[1]))
        inner = packet[at + len(opening) : end if end >= 0 else at + len(opening)]
        items = re.findall(rb"<rdf:li[^<>]*>([^<]{1,2000})", inner[:65536])
        text = b", ".join(items) if items else inner[:_MAX_TEXT]
        return html.unescape(_text(re.sub(rb"<[^>]*>", b" ", text)))
    match = re.search(
        rb"\s" + re.escape(key) + rb"\s*=\s*(?:\"([^\"]{1,2000})\"|'([^']{1,2000})')", packet
    )
    return html.unescape(_text(match[1] or match[2])) if match else ""


def _text(raw: bytes) -> str:
    raw = raw.split(b"\x00", 1)[0] if not raw.startswith(b"\x00") else b""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
