"""Caption files beside the images of a data set: written on request, read back where edited.

Files that we wrote are recognised by their SHA-256. A file with other bytes is a person's: its text
becomes the caption of its image, and it is never overwritten. Digests are noted before a file is
written, beside those of its last content, so that a kill in between makes nothing look edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.folder.files import write_whole
from pixtrawl.folder.layout import CAPTION_FILES, inside

__all__ = ["MAX_BYTES", "CaptionFilesWritten", "edited", "hand_text", "is_in_use", "write"]

MAX_BYTES: Final = 64 * 1024  # of a caption file; more is no caption

Notes = dict[str, list[str]]  # digests of what pixtrawl wrote, by the path of the text file


class CaptionFilesWritten(Struct, frozen=True):
    """The text files that were written, kept and removed."""

    written: int
    kept: int  # a person's, whose text the image does not have yet, or which have no image
    removed: int


def is_in_use(root: Path) -> bool:
    """Return whether caption files were requested for this data set."""
    return (root / CAPTION_FILES).exists()


def hand_text(root: Path, file_name: str) -> str | None:
    """Return the text that a person put beside an image; None without one, or an empty file."""
    data = _bytes_of(inside(root, _text_name(file_name)))
    if not data or _digest(data) in _noted(root).get(_text_name(file_name), ()):
        return None
    return _words(data)


def edited(root: Path, file_names: Iterable[str]) -> dict[str, str]:
    """Return the texts that a person put beside images or changed there, by image."""
    found = ((name, hand_text(root, name)) for name in file_names)
    return {name: text for name, text in found if text is not None}


def write(root: Path, captions: Mapping[str, str]) -> CaptionFilesWritten:
    """Write the caption of each image beside it, and remove files written for others.

    Args:
        root: the data set folder.
        captions: of every image, by its path; "" for none, which has no file.

    Raise OSError, StorageError.
    """
    notes = dict(_noted(root))
    wanted = {_text_name(name): text for name, text in captions.items()}
    kept, changes = _planned(root, wanted, notes)
    _note(root, {**notes, **{name: [*notes.get(name, []), _digest(data)]
                             for name, data in changes.items()}})  # fmt: skip
    removed = 0
    for name, data in changes.items():
        if data:
            _write(inside(root, name), data)
        else:
            removed += 1
            with suppress(FileNotFoundError):
                inside(root, name).unlink()
    now = {name: [_digest(_data(text))] for name, text in wanted.items() if text}
    _note(root, {name: now[name] for name in now if name not in kept})
    return CaptionFilesWritten(len(changes) - removed, len(kept), removed)


def _planned(
    root: Path, wanted: Mapping[str, str], notes: Notes
) -> tuple[set[str], dict[str, bytes]]:
    """Return a person's files that stay, and the new content of others; b"" removes one."""
    kept: set[str] = set()
    changes: dict[str, bytes] = {}
    for name in {**wanted, **notes}:
        there, text = _bytes_of(inside(root, name)), wanted.get(name, "")
        if there is not None and _words(there) == text and text:
            continue  # as it should be, whoever wrote it
        if there and _digest(there) not in notes.get(name, ()):
            kept.add(name)
        elif there is not None or text:
            changes[name] = _data(text)
    return kept, changes


def _text_name(file_name: str) -> str:
    return f"{file_name.rpartition('.')[0]}.txt"


def _data(text: str) -> bytes:
    return f"{text}\n".encode() if text else b""


def _words(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace").strip()


def _digest(data: bytes) -> str:
    """Return the digest of a caption; its surrounding blanks do not count."""
    return hashlib.sha256(_words(data).encode()).hexdigest()


def _bytes_of(path: Path) -> bytes | None:
    """Return the content of a text file; None where there is none, or more than a caption."""
    with suppress(OSError), path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
        return data if len(data) <= MAX_BYTES else None
    return None


def _noted(root: Path) -> Notes:
    path = root / CAPTION_FILES
    try:
        stat = path.stat()
    except OSError:
        return {}
    return _read(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=4)
def _read(path: Path, *_state: int) -> Notes:
    """Return the notes; damaged ones make every file a person's, which loses nothing."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: list(map(str, one)) for name, one in found.items() if isinstance(one, list)}


def _note(root: Path, notes: Notes) -> None:
    text = json.dumps(notes, ensure_ascii=False)
    write_whole(root / CAPTION_FILES, lambda temporary: _fill(temporary, text.encode()))


def _write(path: Path, data: bytes) -> None:
    """Write a caption; a power cut may leave it empty, and an empty file is written anew."""
    write_whole(path, lambda temporary: _fill(temporary, data), synced=False)


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)
