"""Reads block lists: hexadecimal hashes, one a line, or a table with a column of them.

A file may be a plain list, the output of `sha256sum` or `md5sum`, or CSV, with or without a header,
parted by commas, semicolons or tabs. 32 digits are an MD5, 64 a SHA-256 or a PDQ hash: the two look
alike, so 64 digits of no stated kind are held as both.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from pixtrawl.errors import UsageError

__all__ = ["KINDS", "BlockedHash", "read", "split_kind"]

KINDS: Final = ("sha256", "md5", "pdq")
EITHER: Final = "sha256 or pdq"
_DIGITS: Final[Mapping[str, int]] = {"sha256": 64, "md5": 32, "pdq": 64}
_MAX_LINE: Final = 16_384  # characters
_MAX_BYTES: Final = 4 * 2**30
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_TAGGED: Final = re.compile(
    r"(sha-?256|md5|pdq)\s*(?:\(.*\)\s*=|[:=])\s*([0-9a-f]+)", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"\\?([0-9a-fA-F]+)(?:\s+[*#]?.*)?")  # a sum, then the name of its file
_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "sha256": frozenset({"sha256", "sha256hash", "hashsha256", "filesha256", "sha2256"}),
    "md5": frozenset({"md5", "md5hash", "hashmd5", "filemd5", "md5sum"}),
    "pdq": frozenset({"pdq", "pdqhash", "hashpdq", "pdqsignature"}),
}
_ANY_NAMES: Final = frozenset(
    {
        "hash", "hashvalue", "value", "indicator", "signal", "signalstr", "signature", "digest",
        "contenthash", "fingerprint", "hashhex", "checksum",
    }
)  # fmt: skip
_KIND_NAMES: Final = frozenset(
    {
        "type", "hashtype", "kind", "algorithm", "algo", "hashalgorithm", "signaltype",
        "indicatortype", "signaturetype", "fingerprinttype",
    }
)  # fmt: skip
_QUALITY_NAMES: Final = frozenset({"quality", "pdqquality", "hashquality"})


class BlockedHash(Struct, frozen=True):
    """One hash of a list."""

    kind: str  # one of KINDS, or EITHER
    digest: bytes
    quality: int | None = None  # of a PDQ hash, where the list has it


class _ListColumns(Struct):
    """Which column holds what."""

    hashes: list[tuple[int, str]]  # column and kind; "" where another column or the length decides
    kind: int | None = None
    quality: int | None = None


def split_kind(text: str) -> tuple[str, str]:
    """Return the kind that is put before a file's name (`pdq:FILE`), or "", and the name."""
    kind, colon, name = text.partition(":")
    return (kind.lower(), name) if colon and kind.lower() in KINDS else ("", text)


def read(given: str) -> Iterator[BlockedHash]:
    """Yield the hashes of a file, which may have its kind before its name: `pdq:FILE`.

    Raise UsageError: it cannot be read, or a line (named) holds no hash.
    """
    kind, name = split_kind(given)
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            raise UsageError(f"--block-hashes {name}: there is no such file")
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"--block-hashes {name}: larger than 4 GiB; split it")
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield from _entries(file, name, kind)
    except OSError as error:
        raise UsageError(f"--block-hashes {name}: {error.strerror or error}") from error


def _entries(file: IO[str], name: str, kind: str) -> Iterator[BlockedHash]:
    columns: _ListColumns | None = None
    first = True
    for number, line in _lines(file, name):
        try:
            if columns is None and _is_hash(line):  # the usual line: a list has a million of them
                yield _entry(line, kind)
            else:
                cells = _cells(line)
                columns = _header(line, cells, kind) if first else columns
                if columns is None:
                    yield _of_line(line, cells, kind)
                elif not first:
                    yield from _of_row(cells, columns, kind)
        except ValueError as error:
            raise _fault(name, number, str(error)) from None
        first = False


def _lines(file: IO[str], name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither empty nor comments, with their numbers."""
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise _fault(name, number, f"longer than {_MAX_LINE:,} characters: no list of hashes")
        if "\0" in line:
            raise _fault(name, number, "no text in UTF-8")
        if (line := line.strip()) and not line.startswith("#"):
            yield number, line


def _cells(line: str) -> list[str]:
    for mark in ("\t", ";", ","):
        if mark in line:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]
    return [line.strip("\"' ")]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _header(line: str, cells: Sequence[str], kind: str) -> _ListColumns | None:
    """Return the columns that a first line names, or None where it is no header.

    Raise ValueError for a header that names no column of hashes.
    """
    names = [_plain(cell) for cell in cells]
    if any(map(_is_hash, cells)) or _is_hash(line.split()[0].lstrip("\\")):
        return None
    found = [(at, k) for at, name in enumerate(names) for k in KINDS if name in _NAMES[k]]
    found = [one for one in found if not kind or one[1] == kind]
    if not found:
        found = [(at, kind) for at, name in enumerate(names) if name in _ANY_NAMES][:1]
    if not found:
        if len(cells) > 1 and _TAGGED.match(line) is None:
            raise ValueError("no column is called sha256, md5, pdq or hash")
        return None
    at_kind = next((at for at, name in enumerate(names) if name in _KIND_NAMES), None)
    quality = next((at for at, name in enumerate(names) if name in _QUALITY_NAMES), None)
    return _ListColumns(found, at_kind, quality)


def _of_row(cells: Sequence[str], columns: _ListColumns, kind: str) -> Iterator[BlockedHash]:
    """Yield the hashes of a table's row; empty cells and kinds that are not compared are none."""
    found = ""
    if columns.kind is not None and columns.kind < len(cells):
        found = _kind_in(cells[columns.kind])
        if not found or (kind and found != kind):
            return  # such as SHA-1 or PhotoDNA in a list of several kinds
    quality: int | None = None
    if columns.quality is not None and columns.quality < len(cells):
        text = cells[columns.quality]
        quality = int(text) if text.isascii() and text.isdigit() else None
    for at, own in columns.hashes:
        text = cells[at] if at < len(cells) else ""
        if text:
            yield _entry(text, own or found, quality)


def _of_line(line: str, cells: Sequence[str], kind: str) -> BlockedHash:
    """Return the hash of a line without a header over it."""
    tagged = _TAGGED.match(line)
    if tagged is not None:
        return _entry(tagged[2], kind or _kind_in(tagged[1]))
    for at, cell in enumerate(cells):
        if _is_hash(cell):
            found = kind or next((k for other in cells if (k := _kind_in(other))), "")
            after = cells[at + 1] if at + 1 < len(cells) else ""
            quality = int(after) if after.isascii() and after.isdigit() and len(after) < 4 else None
            return _entry(cell, found, quality)
    plain = _PLAIN.fullmatch(line)
    if plain is None or len(plain[1]) < 16:
        raise ValueError(f"no hash: {line[:40]!r}")
    return _entry(plain[1], kind)


def _kind_in(text: str) -> str:
    """Return the kind that a word names: `HASH_PDQ`, `SHA-256`, `md5`; "" for another."""
    word = _plain(text)
    return next((kind for kind in KINDS if word in _NAMES[kind]), "")


def _is_hash(text: str) -> bool:
    return len(text) in {32, 64} and _HEX.fullmatch(text) is not None


def _entry(text: str, kind: str, quality: int | None = None) -> BlockedHash:
    digits = text.removeprefix("0x").removeprefix("0X").lower()
    if _HEX.fullmatch(digits) is None:
        raise ValueError(f"no hash in hexadecimal digits: {text[:40]!r}")
    count = len(digits)
    if kind and count != _DIGITS[kind]:
        raise ValueError(f"{count} digits are no {kind} hash, which has {_DIGITS[kind]}")
    if count not in {32, 64}:
        raise ValueError(
            f"{count} digits are no SHA-256 or PDQ hash (64) and no MD5 (32); "
            "other kinds are not compared"
        )
    return BlockedHash(kind or ("md5" if count == 32 else EITHER), bytes.fromhex(digits), quality)


def _fault(name: str, number: int, text: str) -> UsageError:
    return UsageError(f"--block-hashes {name}, line {number}: {text}")
