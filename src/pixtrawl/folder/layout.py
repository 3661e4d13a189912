"""The layout of a data set folder: names and paths, without file access.

images/
  <label>/000001.jpg     numbers are never reused, the extension is the content's
  metadata.jsonl, keyword_urls.txt, README.md, ATTRIBUTION.md
  .pixtrawl-*            catalog, lock, decisions, staged files, evidence, quarantine, renditions,
                         thumbs, map

Loaders treat each directory as a class (torchvision), or pick up every file with an image suffix
at any depth (timm, fastai, Keras). So labels are the only directories, and an image that is not
part of the data set always has a suffix that no loader accepts. Names that begin with `.pixtrawl-`
belong to pixtrawl and are defined only in this module.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pixtrawl.errors import StorageError
from pixtrawl.labels import MAX_LABEL_BYTES, Labels, label_for, same_name

__all__ = [
    "ATTRIBUTION",
    "CAPTION_FILES",
    "CARD",
    "CATALOG",
    "DECISIONS",
    "KEYWORD_URLS",
    "LOCK",
    "MAP",
    "MAX_LABEL_BYTES",
    "METADATA",
    "OLD_CONTROL",
    "THUMBS",
    "Labels",
    "evidence_name",
    "file_name",
    "held_name",
    "inside",
    "is_own",
    "is_passing",
    "label_for",
    "parse_evidence_name",
    "parse_file_name",
    "quarantine_name",
    "renditions_name",
    "require_inside",
    "same_name",
    "staged_name",
    "temporary_name",
]

_OWN: Final = ".pixtrawl-"
_STAGED: Final = f"{_OWN}staging-"
_EVIDENCE: Final = f"{_OWN}evidence-"
_HELD: Final = ".held"  # a suffix that no loader accepts, and no program opens as an image
CATALOG: Final = f"{_OWN}catalog.sqlite3"
LOCK: Final = f"{_OWN}lock"
CAPTION_FILES: Final = f"{_OWN}caption-files.json"  # digests of those written beside images
DECISIONS: Final = f"{_OWN}decisions.jsonl"  # append-only
THUMBS: Final = f"{_OWN}thumbs.sqlite3"  # small pictures that the studio made; may be removed
MAP: Final = f"{_OWN}map.bin"  # where images lie on the studio's map; may be removed
OLD_CONTROL: Final = ".pixtrawl"  # the control folder of older versions
# Suffixes that a browser or editor opens, and no loader takes for an image.
_READABLE: Final = frozenset({"html", "txt", "json", "xml"})
METADATA: Final = "metadata.jsonl"
KEYWORD_URLS: Final = "keyword_urls.txt"
CARD: Final = "README.md"
ATTRIBUTION: Final = "ATTRIBUTION.md"
_DERIVED: Final = frozenset({METADATA, KEYWORD_URLS, CARD, ATTRIBUTION})

_EXTENSION: Final = re.compile(r"[a-z0-9]{1,8}")
# An empty, `.` or `..` component, or a separator or drive of any system.
_UNSAFE: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|[\\:\0]")
# A new catalog has SQLite's own files beside it while it is written.
_PASSING: Final = re.compile(r"\.tmp(?:-wal|-shm|-journal)?\Z")
_FILE_NAME: Final = re.compile(r"([^/]+)/(\d{6,12})\.([a-z0-9]{1,8})")


def file_name(label: str, number: int, extension: str) -> str:
    """Return the path of a kept image relative to the data set folder: `tabby cat/000001.jpg`.

    `extension` is that of the content, without a dot. Raise ValueError for an invalid part.
    """
    if number < 1:
        raise ValueError(f"image numbers start at 1, not {number}")
    if not _EXTENSION.fullmatch(extension):
        raise ValueError(f"{extension!r} is no file extension")
    if _unsafe(label):
        raise ValueError(f"{label!r} is no label")
    return f"{label}/{number:06d}.{extension}"


def parse_file_name(relative: str) -> tuple[str, int, str] | None:
    """Return (label, number, extension) of a name that `file_name` could have made, else None."""
    match = _FILE_NAME.fullmatch(relative)
    if match is None or int(match[2]) < 1 or _unsafe(match[1]):
        return None
    if match[2] != f"{int(match[2]):06d}":
        return None
    return match[1], int(match[2]), match[3]


def staged_name(name: str) -> str:
    """Return the name of a staged download; a name that is staged already stays the same."""
    return name if name.startswith(_STAGED) else f"{_STAGED}{name}.part"


def quarantine_name(sha256: str) -> str:
    """Return the name of a file dropped as a copy or withdrawn, by its SHA-256 in hex."""
    return f"{_OWN}quarantine-{sha256}{_HELD}"


def evidence_name(name: str) -> str:
    """Return the name of saved evidence; a screenshot also gets the suffix `.held`."""
    readable = name.rpartition(".")[2].lower() in _READABLE
    return f"{_EVIDENCE}{name}" if readable else f"{_EVIDENCE}{name}{_HELD}"


def parse_evidence_name(file: str) -> str | None:
    """Return the name that `evidence_name` was given, or None for another file."""
    return file.removeprefix(_EVIDENCE).removesuffix(_HELD) if file.startswith(_EVIDENCE) else None


def renditions_name(key: str) -> str:
    """Return the name of a pack of renditions; the key `*` gives a glob pattern for all."""
    return f"{_OWN}renditions-{key}.pack"


def held_name(name: str) -> str:
    """Return the name for a file of unknown use from an older version's control folder."""
    return f"{_OWN}old-{name.replace('/', '_')}{_HELD}"


def temporary_name(name: str) -> str:
    """Return the name of a file that is being written and will be renamed to `name`."""
    return f"{_OWN}{name.removeprefix(_OWN)}.tmp"


def is_passing(file: str) -> bool:
    """Return whether a file is staged or temporary: safe to remove while no run is active."""
    return file.startswith(_STAGED) or (file.startswith(_OWN) and bool(_PASSING.search(file)))


def is_own(file: str) -> bool:
    """Return whether an entry of the data set folder is pixtrawl's control or derived file."""
    return file.startswith(_OWN) or file in _DERIVED or file == OLD_CONTROL


def inside(root: Path, relative: str) -> Path:
    """Return the path of `relative` (forward slashes) below `root`, without file access.

    Raises:
        StorageError: it leads outside, or has a separator or drive of another system.
    """
    require_inside(relative)
    return root / relative


def require_inside(relative: str) -> None:
    """Raise StorageError as `inside`, where no path is needed: to make one costs ten times this."""
    if _UNSAFE.search(relative):
        raise StorageError(f"{relative!r} is no path inside the data set")


def _unsafe(part: str) -> bool:
    """Return whether a component is empty, `.` or `..`, or has a separator or drive."""
    return "/" in part or _UNSAFE.search(part) is not None


def is_url(place: str) -> bool:
    """Return whether a place is given as a URL (`s3://...`) and not as a path; C:// is a drive."""
    scheme, colon, _ = place.partition("://")
    return bool(colon) and len(scheme) > 1


def is_shards(place: Path | str) -> bool:
    """Return whether a place given as a data set is a set of shards: a URL, or a folder of one."""
    if is_url(str(place)):
        return True
    folder = Path(place)
    return (folder / "job.json").is_file() and not (folder / CATALOG).exists()


def needs_folder(place: str) -> str:
    """Return the error of a command that works on a folder only, for a set of shards."""
    return (
        f"this works on a data set folder: `pixtrawl cluster collect {place} -o DIR` makes one of "
        "a set of shards (report, export, lock and pixtrawl.open read it as it is)"
    )
