"""C2PA and CAWG assertions of a picture: may it be trained on, did a model make it. Bounded.

Runs in the decoder on hostile bytes. A C2PA manifest store is a tree of JUMBF boxes (ISO/IEC
19566-5). Where it lies in each format: C2PA 2.2, appendix A.3. Signatures are not verified: whoever
writes that the picture must not be trained on is taken at their word. Every manifest counts, those
of the pictures that this one was made from, too; a manifest compressed with Brotli is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pixtrawl.images.formats import exif, jpeg
from pixtrawl.images.metadata import cbor

__all__ = ["read_assertions", "read_training_mining", "stores"]

_LABEL: Final = re.compile(r"(?:c2pa|cawg)\.training-mining(?:\.v\d+)?(?:__\d+)?")
# How a picture came to be: its actions (C2PA 2.2, 18.15), or IPTC's property in JSON-LD.
_ORIGIN_LABEL: Final = re.compile(
    r"(?:c2pa\.actions|(?:c2pa|cawg)\.metadata|stds\.iptc(?:\.photo-metadata)?"
    r"|stds\.schema-org\.CreativeWork)(?:\.v\d+)?(?:__\d+)?"
)
_ORIGIN_KEYS: Final = ("digitalSourceType", "Iptc4xmpExt:DigitalSourceType")
_BY_MODEL: Final = re.compile(r"algorithmic|synthetic", re.IGNORECASE)
_MAX_STORE_BYTES: Final = 16 * 2**20
_MAX_BOXES: Final = 20_000
_MAX_DEPTH: Final = 8
_MAX_ASSERTION_BYTES: Final = 64 * 1024
_MAX_CHUNKS: Final = 4096
_MAX_ENTRIES: Final = 64
_UUID: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_TIFF_TAG: Final = 0xCD41

Box = tuple[bytes, int, int]  # type, start of the content, end


def read_assertions(data: bytes) -> dict[str, str]:
    """Return `training_mining` and `digital_source_type`, as far as stated. Never raises.

    `training_mining` is `NAME=USE; ...` of every entry, refusals first. Of several source types
    the one that names a generative model is returned: a picture edited from a model's is in part
    the model's.
    """
    uses: dict[str, None] = {}
    origins: list[str] = []
    for store in stores(data):
        for label, assertion in _assertions(store):
            if _LABEL.fullmatch(label):
                for name, use in _entries(assertion):
                    uses[f"{name}={use}"] = None
            else:
                origins += _origins(assertion)
    found = {}
    if uses:
        found["training_mining"] = "; ".join(sorted(uses, key=lambda one: one.endswith("=allowed")))
    if origins:
        by_model = (one for one in origins if _BY_MODEL.search(one))
        found["digital_source_type"] = next(by_model, origins[0])
    return found


def read_training_mining(data: bytes) -> str:
    """Return `training_mining` of `read_assertions`; "" without one."""
    return read_assertions(data).get("training_mining", "")


def _origins(assertion: Any) -> Iterator[str]:
    """Yield the source types of actions, or of JSON-LD."""
    if not isinstance(assertion, dict):
        return
    actions = assertion.get("actions")
    for one in (assertion, *(actions[:_MAX_ENTRIES] if isinstance(actions, list) else ())):
        for key in _ORIGIN_KEYS if isinstance(one, dict) else ():
            value = one.get(key)
            if isinstance(value, dict):  # a node of JSON-LD
                value = value.get("@id")
            if isinstance(value, str) and value:
                yield re.sub(r"[^\w:/.#\-]", "", value)[:200]


def _entries(assertion: Any) -> Iterator[tuple[str, str]]:
    entries = assertion.get("entries") if isinstance(assertion, dict) else None
    for name, entry in list(entries.items())[:_MAX_ENTRIES] if isinstance(entries, dict) else ():
        use = entry.get("use") if isinstance(entry, dict) else entry
        if isinstance(name, str) and isinstance(use, str):
            yield _word(name), _word(use)


def _word(text: str) -> str:
    return re.sub(r"[^\w.\-]", "", text)[:80]


# -- the boxes


def _assertions(store: bytes) -> Iterator[tuple[str, Any]]:
    """Yield label and content of every assertion on training or origin."""
    left = [_MAX_BOXES]
    pending = [(0, len(store), 0)]
    while pending:
        start, end, depth = pending.pop()
        boxes = list(_boxes(store, start, end, left))
        label = _label_of(store, boxes[0]) if boxes and boxes[0][0] == b"jumd" else ""
        named = bool(_LABEL.fullmatch(label) or _ORIGIN_LABEL.fullmatch(label))
        for kind, at, to in boxes:
            if named and kind in (b"cbor", b"json") and to - at <= _MAX_ASSERTION_BYTES:
                yield label, _content(kind, store[at:to])
            elif kind == b"jumb" and depth < _MAX_DEPTH:
                pending.append((at, to, depth + 1))


def _boxes(data: bytes, at: int, end: int, left: list[int]) -> Iterator[Box]:
    while at + 8 <= end and left[0] > 0:
        left[0] -= 1
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        to = at + size if size else end
        if to > end or to < at + head:
            return
        yield data[at + 4 : at + 8], at + head, to
        at = to


def _label_of(data: bytes, description: Box) -> str:
    _, at, end = description  # 16 bytes of type, one of toggles, then the label
    return data[at + 17 : min(end, at + 17 + 100)].split(b"\x00", 1)[0].decode("latin-1")


def _content(kind: bytes, body: bytes) -> Any:
    try:
        return cbor.decode(body) if kind == b"cbor" else json.loads(body)
    except (cbor.BadCborError, ValueError, RecursionError):
        return None


# -- where they lie


def stores(data: bytes) -> list[bytes]:
    """Return the manifest stores of a file, as far as they are found."""
    if data.startswith(b"\xff\xd8\xff"):
        return _in_jpeg(data)
    if data.startswith(b"\x89PNG"):
        return _in_chunks(data, 8, "big", b"caBX")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _in_chunks(data, 12, "little", b"C2PA")
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return _in_tiff(data)
    if data.startswith(b"GIF8"):
        return _in_gif(data)
    return _in_bmff(data) if data[4:8] == b"ftyp" else []


def _in_jpeg(data: bytes) -> list[bytes]:
    """Join the APP11 segments of each box (ISO/IEC 19566-5, annex D): `JP`, number, sequence."""
    parts: dict[int, list[tuple[int, bytes]]] = {}
    for marker, start, end in jpeg.read_head(data).segments:
        body = data[start + 4 : end]
        if marker != 0xEB or body[:2] != b"JP" or len(body) < 16:
            continue
        number, sequence = int.from_bytes(body[2:4], "big"), int.from_bytes(body[4:8], "big")
        parts.setdefault(number, []).append((sequence, body[8:]))
    found = []
    for pieces in parts.values():
        pieces.sort(key=lambda piece: piece[0])
        head = 16 if pieces[0][1][:4] == b"\x00\x00\x00\x01" else 8  # repeated in each segment
        joined = pieces[0][1] + b"".join(piece[head:] for _, piece in pieces[1:])
        found.append(joined[:_MAX_STORE_BYTES])
    return found


def _in_chunks(data: bytes, at: int, order: Any, wanted: bytes) -> list[bytes]:
    found = []
    size_first = order == "big"
    for _ in range(_MAX_CHUNKS):
        size_at, name_at = (at, at + 4) if size_first else (at + 4, at)
        if at + 8 > len(data):
            break
        length = int.from_bytes(data[size_at : size_at + 4], order)
        if data[name_at : name_at + 4] == wanted:
            found.append(data[at + 8 : at + 8 + min(length, _MAX_STORE_BYTES)])
        at += 8 + length + (4 if size_first else length & 1)
    return found


def _in_bmff(data: bytes) -> list[bytes]:
    """Return the store of AVIF or HEIF: in a `uuid` box after version, purpose and an offset."""
    found = []
    for kind, at, end in _boxes(data, 0, len(data), [_MAX_CHUNKS]):
        if kind == b"uuid" and data[at : at + 16] == _UUID:
            purpose_end = data.find(b"\x00", at + 20, min(end, at + 20 + 64))
            if purpose_end >= 0 and data[at + 20 : purpose_end] in (b"manifest", b"update"):
                start = purpose_end + 1 + 8
                found.append(data[start : min(end, start + _MAX_STORE_BYTES)])
    return found


def _in_tiff(data: bytes) -> list[bytes]:
    order: Any = "little" if data[:2] == b"II" else "big"
    for tag, _, count, value in exif.entries(data):
        if tag == _TIFF_TAG and count > 4:
            at = int.from_bytes(value, order)
            return [data[at : at + min(count, _MAX_STORE_BYTES)]]
    return []


def _in_gif(data: bytes) -> list[bytes]:
    at = data.find(b"\x21\xff\x0bC2PA_GIF")
    if at < 0:
        return []
    at += 14
    parts, size = [], 0
    while at < len(data) and data[at] and size < _MAX_STORE_BYTES:
        parts.append(data[at + 1 : at + 1 + data[at]])
        size += data[at]
        at += 1 + data[at]
    return [b"".join(parts)]
