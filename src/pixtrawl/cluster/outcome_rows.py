"""The columns of outcome tables, and the row of one outcome. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pixtrawl.cluster.job.spool import Row
from pixtrawl.model import Outcome

__all__ = ["COLUMNS", "PICTURE_COLUMNS", "key_of", "row_of_outcome"]

COLUMNS: Final[Mapping[str, str]] = {
    "shard": "string",
    "row": "int64",  # from 1, over all manifests
    # -- as the manifest says
    "url": "string",
    "query": "string",
    "label": "string",
    "source": "string",
    "rank": "int64",
    "page_url": "string",
    "title": "string",
    "alt": "string",
    "license": "string",
    "license_url": "string",
    "creator": "string",
    "extra": "string",  # JSON: the manifest's own columns
    # -- how it ended
    "status": "string",
    "reason": "string",
    "detail": "string",
    "kind": "string",
    "fetched_url": "string",
    "final_url": "string",
    "http_status": "int32",
    "attempts": "int32",
    "fetched_bytes": "int64",
    "elapsed_s": "double",
    "fetched_at": "string",
    "rights": "string",  # JSON: what the file states, and its owner of its use
    # -- the picture, where one was saved
    "data": "string",  # the object that holds it
    "key": "string",  # its name there
    "offset": "int64",  # of its bytes in a tar
    "length": "int64",
    "format": "string",
    "width": "int32",
    "height": "int32",
    "frames": "int32",
    "size_bytes": "int64",
    "sha256": "string",
    "phash": "binary",
    "phash_trim": "binary",
    "flat": "bool",
    "orientation": "int32",  # of EXIF
    "measures": "string",  # JSON
    # -- the picture as it is stored, where --resize or --encode changed it
    "stored_format": "string",
    "stored_width": "int32",
    "stored_height": "int32",
    "stored_bytes": "int64",
    "stored_sha256": "string",
}

_NO_FACTS: Final = frozenset(
    {
        "shard",
        "status",
        "reason",
        "detail",
        "data",
        "phash",
        "phash_trim",
        "attempts",
        "elapsed_s",
        "offset",
        "length",
    }
)
PICTURE_COLUMNS: Final = tuple(name for name in COLUMNS if name not in _NO_FACTS)


def key_of(number: int) -> str:
    """Return the key of a row's picture in its data object."""
    return f"{number:012d}"


def row_of_outcome(shard_id: str, row: Row, outcome: Outcome) -> dict[str, Any]:
    """Return the row of an outcome, without the columns of the stored picture."""
    candidate = row.candidate
    found: dict[str, Any] = dict.fromkeys(COLUMNS)
    found |= {
        "shard": shard_id,
        "row": row.number,
        "url": candidate.url,
        "query": candidate.query,
        "label": candidate.label,
        "source": candidate.source,
        "rank": candidate.rank,
        "page_url": candidate.page_url,
        "title": candidate.title,
        "alt": candidate.alt,
        "license": candidate.license,
        "license_url": candidate.license_url,
        "creator": candidate.creator,
        "extra": candidate.extra or None,
        "status": outcome.status.value,
        "reason": outcome.reason.value,
        "detail": outcome.detail or None,
        "kind": outcome.kind.value,
        "fetched_url": outcome.url or None,
        "final_url": outcome.final_url or None,
        "http_status": outcome.http_status or None,
        "attempts": outcome.attempts,
        "fetched_bytes": outcome.size_bytes,
        "elapsed_s": outcome.elapsed_s,
        "fetched_at": outcome.fetched_at or None,
        "rights": _json(outcome.rights) if outcome.rights else None,
    }
    info = outcome.info
    if info is not None:
        found |= {
            "format": info.format,
            "width": info.width or None,
            "height": info.height or None,
            "frames": info.frames,
            "size_bytes": info.size_bytes,
            "sha256": info.sha256,
            "phash": info.phash or None,
            "phash_trim": info.phash_trim or None,
            "flat": info.flat,
            "orientation": info.orientation,
            "measures": _json(info.measures) if info.measures else None,
        }
    return found


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
