"""Where things lie in a data set folder: names and paths; pure.

images/
  <label>/000001.jpg     numbers are never reused, the extension is the content's
  metadata.jsonl, keyword_urls.txt, README.md, ATTRIBUTION.md
  .pixtrawl-*            catalog, lock, decisions, staged files, evidence, quarantine, renditions

Loaders take each directory for a class (torchvision), or each file with a picture's ending wherever
it lies (timm, fastai, Keras). So the labels are the only directories, and a picture that is no part
of the data set has an ending that no loader takes, at every moment. Every name that begins with
`.pixtrawl-` is pixtrawl's own, and no other module spells one.
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
    "CATALOG",
    "DECISIONS",
    "KEYWORD_URLS",
    "LOCK",
    "MAX_LABEL_BYTES",
    "METADATA",
    "OLD_CONTROL",
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
    "same_name",
    "staged_name",
    "temporary_name",
]

_OWN: Final = ".pixtrawl-"
_STAGED: Final = f"{_OWN}staging-"
_EVIDENCE: Final = f"{_OWN}evidence-"
_HELD: Final = ".held"  # an ending that no loader takes, and no program opens as a picture
CATALOG: Final = f"{_OWN}catalog.sqlite3"
LOCK: Final = f"{_OWN}lock"
DECISIONS: Final = f"{_OWN}decisions.jsonl"  # what people decided; only ever added to
OLD_CONTROL: Final = ".pixtrawl"  # the folder that held all of it once
# What a browser or an editor opens as it lies, and no loader takes for a picture.
_READABLE: Final = frozenset({"html", "txt", "json", "xml"})
METADATA: Final = "metadata.jsonl"
KEYWORD_URLS: Final = "keyword_urls.txt"
CARD: Final = "README.md"
ATTRIBUTION: Final = "ATTRIBUTION.md"
_DERIVED: Final = frozenset({METADATA, KEYWORD_URLS, CARD, ATTRIBUTION})

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


def staged_name(name: str) -> str:
    """The file that a download is written to before it has a place; of such a name, itself."""
    return name if name.startswith(_STAGED) else f"{_STAGED}{name}.part"


def quarantine_name(sha256: str) -> str:
    """A file that was dropped as a copy or withdrawn, by its SHA-256 in hex."""
    return f"{_OWN}quarantine-{sha256}{_HELD}"


def evidence_name(name: str) -> str:
    """An answer of a source, `bing-changed.html`; a screenshot gets an ending of ours behind it."""
    readable = name.rpartition(".")[2].lower() in _READABLE
    return f"{_EVIDENCE}{name}" if readable else f"{_EVIDENCE}{name}{_HELD}"


def parse_evidence_name(file: str) -> str | None:
    """The name that `evidence_name` was given, else None."""
    return file.removeprefix(_EVIDENCE).removesuffix(_HELD) if file.startswith(_EVIDENCE) else None


def renditions_name(key: str) -> str:
    """A pack of renditions; `*` in place of a key gives a pattern of all."""
    return f"{_OWN}renditions-{key}.pack"


def held_name(name: str) -> str:
    """A file of unknown use that lay in the control folder of an older version."""
    return f"{_OWN}old-{name.replace('/', '_')}{_HELD}"


def temporary_name(name: str) -> str:
    """A file that is being written and will be renamed to `name`."""
    return f"{_OWN}{name.removeprefix(_OWN)}.tmp"


def is_passing(file: str) -> bool:
    """Whether a file is staged or temporary: nobody misses it once no run is at work."""
    return file.startswith(_STAGED) or (file.startswith(_OWN) and file.endswith(".tmp"))


def is_own(file: str) -> bool:
    """Whether an entry of the data set folder is neither a label nor somebody else's."""
    return file.startswith(_OWN) or file in _DERIVED or file == OLD_CONTROL


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
