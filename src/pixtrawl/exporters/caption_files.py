"""Caption files beside the pictures of an export.

One that a person wrote or changed is never overwritten and never removed: it becomes the caption of
its image. Such files are recognised by their bytes: the export notes the SHA-256 of each caption
file before it writes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pixtrawl.exporters.columns import TEXT, Columns
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.exporters.target import Target

__all__ = ["CaptionFiles", "digest_of", "stem_of", "text_name", "words_of"]


def text_name(picture: str) -> str:
    """Return the name of the caption file of a picture."""
    return f"{picture.rpartition('.')[0]}.txt"


def stem_of(name: str) -> str:
    """Return what a caption is found by again: numbers are unique in a data set."""
    return name.rpartition("/")[2].rpartition(".")[0]


def digest_of(data: bytes) -> str:
    """Return the digest by which an export knows its own caption files."""
    return hashlib.sha256(data).hexdigest()


def words_of(data: bytes) -> str:
    """Return the caption in a file."""
    return data.decode("utf-8-sig", "replace").strip()


class CaptionFiles:
    """Writes caption files into a target: none for an image without a caption.

    Trainers take their default caption where there is no file, and stumble over an empty one.

    Args:
        target: where the pictures are written.
        by_hand: captions that a person wrote into an earlier export, by `stem_of` their files.
    """

    def __init__(self, target: Target, by_hand: Mapping[str, str]) -> None:
        self._target = target
        self._by_hand = by_hand

    def digests(self, pictures: Sequence[str], entries: Sequence[PlannedImage]) -> dict[str, str]:
        """Return the digest of each file that is going to be written for these pictures."""
        return {
            text_name(picture): digest_of(_bytes(entry.columns))
            for picture, entry in zip(pictures, entries, strict=True)
            if entry.columns.get(TEXT)
        }

    def put(self, picture: str, columns: Columns) -> Columns:
        """Write the caption file of a picture; return the columns with the caption that holds."""
        if TEXT not in columns:
            return columns
        name, own = text_name(picture), _bytes(columns)
        found = self._target.read(name)
        if found is None and (moved := self._by_hand.get(stem_of(name))) is not None:
            found = f"{moved}\n".encode()
            self._write(name, found)
        if found is not None and found != own:
            text = words_of(found)
            return {**columns, "caption": text, TEXT: text, "caption_origin": "hand"}
        if found is None and own:
            self._write(name, own)
        return columns

    def _write(self, name: str, data: bytes) -> None:
        with self._target.write(name) as file:
            file.write(data)


def _bytes(columns: Columns) -> bytes:
    text = str(columns[TEXT])
    return f"{text}\n".encode("utf-8", "replace") if text else b""
