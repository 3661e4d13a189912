"""A data set whose control part is missing: a catalog made from metadata.jsonl, to be read only.

A copy made with `cp -r DIR/* ...`, a zip or an upload often lacks the hidden files. metadata.jsonl
describes the kept images, so they can be read and exported; the outcomes of all other URLs are
lost. The catalog is written to a temporary folder that is removed when this process exits.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pixtrawl.captions import WRITTEN
from pixtrawl.catalog.rebuild.described import Described, creating
from pixtrawl.claims import LICENSE_HEADER
from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import inside, parse_file_name
from pixtrawl.model import Caption
from pixtrawl.preferences import KEY

__all__ = ["ODD", "catalog_of", "described", "is_ours"]

_ALWAYS: Final = frozenset({"file_name", "label", "query", "url", "sha256", "format"})
_RIGHTS: Final = (
    "copyright", "credit", "usage_terms", "web_statement", "digital_source_type"
)  # fmt: skip
_MEASURED: Final = (
    "brightness", "contrast", "entropy", "sharpness", "edges", "gradient", "jpeg_quality",
    "upscale", "alpha_mean", "has_alpha", "is_gray", "has_exif", "animated",
)  # fmt: skip
_READ: Final = frozenset(
    {
        *_ALWAYS, *_RIGHTS, *_MEASURED, "final_url", "page_url", "title", "source", "rank", "kind",
        "license", "license_url", "license_id", "license_evidence", "creator", "c2pa", KEY, "width",
        "file_source", "ai_made", "c2pa_training", "aspect_ratio", "aspect_bucket",
        "height", "frames", "size_bytes", "phash", "number", "fetched_at", "text_heavy",
        "relevance", "relevance_outlier",
    }
)  # fmt: skip
# Errors that a line written or edited by another program can cause.
ODD: Final = (KeyError, TypeError, ValueError, OverflowError, StorageError, sqlite3.Error)
_UNKNOWN_SHA256: Final = "00" * 32


def is_ours(metadata: Path) -> bool:
    """Return whether pixtrawl wrote metadata.jsonl; other tools use the same file name."""
    try:
        with metadata.open("rb") as file:
            row = json.loads(file.readline(2**22))
    except (OSError, ValueError):
        return False
    return isinstance(row, dict) and row.keys() >= _ALWAYS


def catalog_of(root: Path, metadata: Path) -> Path:
    """Return the path of a catalog made from the lines of metadata.jsonl whose files exist.

    Cached by the file's mtime and size. Raise StorageError, naming the line, for one that cannot
    be read.
    """
    found = metadata.stat()
    return _made(os.getpid(), root, metadata, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _made(pid: int, root: Path, metadata: Path, mtime_ns: int, size_bytes: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pixtrawl-"))
    atexit.register(_remove, folder, pid)
    path = folder / "catalog.sqlite3"
    with creating(path) as add:
        for number, row in _rows(metadata):
            try:
                if inside(root, row["file_name"]).is_file():
                    add(described(row, number))
            except ODD as error:
                raise StorageError(
                    f"{metadata}:{number}: cannot be understood: {error!r}"
                ) from error
    return path


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child uses the same folder and exits first
        shutil.rmtree(folder, ignore_errors=True)


def _rows(metadata: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with metadata.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise StorageError(f"{metadata}:{number}: is no JSON: {error}") from error
            yield number, row


def described(row: Mapping[str, Any], line: int) -> Described:
    """Return the image that a line describes. Raise any of `ODD`."""
    read = _READ | ({"caption", "caption_origin"} if row.get("caption_origin") else frozenset())
    own = {name: value for name, value in row.items() if name not in read}
    origin = str(row.get("caption_origin") or "")
    caption = str(row.get("caption") or "") if origin else ""
    return Described(
        id=line,
        query=str(row["query"]),
        label=str(row["label"]),
        number=_number(str(row["file_name"]), line),
        file_name=row["file_name"],
        url=row["url"],
        final_url=row.get("final_url"),
        kind=row.get("kind") or "original",
        source=row.get("source") or "",
        rank=row.get("rank") or 0,
        page_url=row.get("page_url") or None,
        title=row.get("title") or None,
        license=row.get("license") or None,
        license_url=row.get("license_url") or None,
        creator=row.get("creator") or None,
        sha256=bytes.fromhex(row["sha256"] or _UNKNOWN_SHA256),
        format=row["format"],
        width=row.get("width") or 0,
        height=row.get("height") or 0,
        frames=row.get("frames") or 1,
        size_bytes=row.get("size_bytes") or 0,
        phash=bytes.fromhex(row.get("phash") or ""),
        measures=json.dumps(_measures(row)),
        rights=json.dumps(_rights(row) | ({"description": caption} if origin == "file" else {})),
        fetched_at=row.get("fetched_at") or "",
        own=json.dumps(own) if own else None,
        relevance=row.get("relevance"),
        outlier=bool(row.get("relevance_outlier")),
        written=Caption(caption, origin) if origin in WRITTEN else None,
        alt=caption if origin == "alt" else None,
        page_text=caption if origin == "page" else None,
    )


def _number(file_name: str, line: int) -> int:
    parsed = parse_file_name(file_name)
    return parsed[1] if parsed is not None else line


def _measures(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(row[name]) for name in _MEASURED if row.get(name) is not None}


def _rights(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the embedded rights; `license_evidence` names the field that held the licence."""
    rights: dict[str, Any] = {name: row[name] for name in _RIGHTS if row.get(name)}
    for name, column in (("source", "file_source"), ("training_mining", "c2pa_training")):
        if row.get(column):
            rights[name] = row[column]
    if row.get("c2pa"):
        rights["c2pa"] = True
    if row.get(KEY):
        rights[KEY] = json.loads(row[KEY])
    evidence = str(row.get("license_evidence") or "")
    field = LICENSE_HEADER if evidence == "header: Link" else evidence.removeprefix("file: ")
    if field != evidence and field not in rights and row.get("license_id"):
        rights[field] = _license_url(str(row["license_id"]))
    return rights


def _license_url(license_id: str) -> str:
    """Return a URL that parses to this licence; metadata.jsonl lacks the one from the file."""
    base = "https://creativecommons.org"
    if license_id in {"cc0", "pdm"}:
        return f"{base}/publicdomain/{'zero' if license_id == 'cc0' else 'mark'}/1.0/"
    terms, _, version = license_id.removeprefix("cc-").rpartition("-")
    return f"{base}/licenses/{terms}/{version}/"
