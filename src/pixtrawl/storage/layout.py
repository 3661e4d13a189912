"""Where things lie in a data set folder: names and paths; pure.

images/
  <label>/000001.jpg     numbers are never reused, the extension is the content's
  metadata.jsonl, keyword_urls.txt, README.md, ATTRIBUTION.md
  .pixtrawl/             catalog, staging, evidence, quarantine
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pixtrawl.errors import StorageError
from pixtrawl.labels import MAX_LABEL_BYTES, Labels, label_for, same_name

__all__ = [
    "ATTRIBUTION",
    "CARD",
    "INNER",
    "KEYWORD_URLS",
    "MAX_LABEL_BYTES",
    "METADATA",
    "Labels",
    "file_name",
    "inside",
    "label_for",
    "parse_file_name",
    "same_name",
]

INNER: Final = ".pixtrawl"
METADATA: Final = "metadata.jsonl"
KEYWORD_URLS: Final = "keyword_urls.txt"
CARD: Final = "README.md"
ATTRIBUTION: Final = "ATTRIBUTION.md"

_EXTENSION: Final = re.compile(r"[a-z0-9]{1,8}")
# A component that is empty or climbs; a separator or drive of some system.
_UNSAFE: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|[\\:\0]")
_FILE_NAME: Final = re.compile(r"([^/]+)/(\d{6,12})\.([a-z0-9]{1,8})")


def file_name(label: str, number: int, extension: str) -> str:
    """Path of a kept image relative to the data set folder: `tabby cat/000001.jpg`.

    `extension` comes without a dot and is that of the content. Raises ValueError.
    """
    if number < 1:
        raise ValueError(f"image numbers start at 1, not {number}")
    if not _EXTENSION.fullmatch(extension):
        raise ValueError(f"{extension!r} is no file extension")
    if _unsafe(label):
        raise ValueError(f"{label!r} is no label")
    return f"{label}/{number:06d}.{extension}"


def parse_file_name(relative: str) -> tuple[str, int, str] | None:
    """(label, number, extension) of a name that `file_name` could have made, else None."""
    match = _FILE_NAME.fullmatch(relative)
    if match is None or int(match[2]) < 1 or _unsafe(match[1]):
        return None
    if match[2] != f"{int(match[2]):06d}":
        return None
    return match[1], int(match[2]), match[3]


def inside(root: Path, relative: str) -> Path:
    """The path of `relative` (forward slashes) below `root`, by its spelling alone.

    Raises:
        StorageError: it would lead outside, or names something other on another system.
    """
    if _UNSAFE.search(relative):
        raise StorageError(f"{relative!r} is no path inside the data set")
    return root / relative


def _unsafe(part: str) -> bool:
    """Whether a component climbs, is absolute, or holds a separator or drive of some system."""
    return "/" in part or _UNSAFE.search(part) is not None
