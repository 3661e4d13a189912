"""What the double of the Hub answers with: an answer, and the hashes that name a file."""

from __future__ import annotations

import hashlib
from typing import Any

LARGE = (".parquet",)


class Answer(Exception):  # noqa: N818 - no error
    """An answer other than 200."""

    def __init__(self, status: int, message: str = "", **headers: str) -> None:
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha_of(number: int) -> str:
    return hashlib.sha1(f"commit {number}".encode()).hexdigest()


def entry_of(name: str, data: bytes) -> dict[str, Any]:
    row = {"type": "file", "path": name, "size": len(data), "oid": git_hash(data)}
    if not name.endswith(LARGE):
        return row
    sha256 = hashlib.sha256(data).hexdigest()
    return row | {"lfs": {"oid": sha256, "size": len(data), "pointerSize": 130}}
