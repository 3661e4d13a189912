"""Block lists in memory: exact hashes by set, PDQ hashes by multi-index hashing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pixtrawl.block_lists import reader
from pixtrawl.config.groups import Images
from pixtrawl.errors import UsageError
from pixtrawl.images.interface import Pdq

if TYPE_CHECKING:
    from pixtrawl.dedup.search.hash_index import HashIndex

__all__ = ["BlockLists", "load", "md5_of", "pack_looks", "unpack_looks"]

_LOOK_BYTES: Final = 1 + 8 * 32


class BlockLists:
    """The hashes of all lists of a run. Can be pickled."""

    def __init__(self, *, distance: int = 31, quality: int = 50) -> None:
        """`distance`: bits of a PDQ hash; `quality`: below it no PDQ hash is compared."""
        self.names: list[str] = []
        self.unclear = 0  # hashes held as SHA-256 and as PDQ
        self.poor = 0  # PDQ hashes left out for their quality
        self._distance = distance
        self._quality = quality
        self._sha256: dict[bytes, int] = {}  # digest -> number of its list
        self._md5: dict[bytes, int] = {}
        self._pdq: HashIndex | None = None
        self._pdq_count = 0
        self._certain_pdq = False

    def __len__(self) -> int:
        return len(self._sha256) + len(self._md5) + self._pdq_count

    @property
    def wants_md5(self) -> bool:
        return bool(self._md5)

    @property
    def wants_pdq(self) -> bool:
        return self._pdq_count > 0

    def remark(self) -> str | None:
        """Return the remark on hashes that are held otherwise than a user may think, or None."""
        parts = []
        if self.unclear:
            parts.append(
                f"{self.unclear:,} hashes of 64 digits are held as SHA-256"
                + (" and as PDQ" if self.wants_pdq else "")
                + ": their list does not say which (sha256:FILE or pdq:FILE does)"
            )
        if self.poor:
            parts.append(f"{self.poor:,} PDQ hashes are left out for their low quality")
        return f"block lists: {'; '.join(parts)}" if parts else None

    def add(self, name: str, entries: Iterable[reader.BlockedHash]) -> None:
        """Add the hashes of one list; `name` is how it is called where it matches."""
        number = len(self.names)
        self.names.append(name)
        looks: dict[bytes, None] = {}
        for one in entries:
            if one.kind == "md5":
                self._md5.setdefault(one.digest, number)
                continue
            if one.kind != "pdq":
                self._sha256.setdefault(one.digest, number)
            if one.kind == "sha256":
                continue
            self.unclear += one.kind == reader.EITHER
            self._certain_pdq |= one.kind == "pdq"
            if one.quality is not None and one.quality < self._quality:
                self.poor += 1
            else:
                looks[one.digest] = None
        if looks:
            self._index(number, list(looks))

    def _index(self, number: int, looks: list[bytes]) -> None:
        from pixtrawl.dedup.search.hash_index import HashIndex  # numpy: not for lists without PDQ

        self._pdq = self._pdq or HashIndex()
        self._pdq.extend([number] * len(looks), looks)
        self._pdq_count += len(looks)

    def give_up_looks(self) -> None:
        """Take hashes that may be SHA-256 or PDQ for SHA-256: no picture will be decoded.

        Raise UsageError where some are PDQ for certain.
        """
        if self._certain_pdq:
            raise UsageError(
                "PDQ hashes are compared with decoded pictures: leave out --check none"
            )
        self._pdq, self._pdq_count = None, 0

    def why_bytes(self, sha256: str, md5: bytes | None = None) -> str | None:
        """Return which list has these bytes, as the detail of an outcome, or None."""
        number = self._sha256.get(bytes.fromhex(sha256))
        if number is not None:
            return f"sha256, list {self.names[number]}"
        number = self._md5.get(md5) if md5 is not None else None
        return None if number is None else f"md5, list {self.names[number]}"

    def why_look(self, found: Sequence[Pdq]) -> str | None:
        """Return which list has this look, turned and mirrored included, or None."""
        if self._pdq is None:
            return None
        for quality, hashes in found:
            for one in hashes if quality >= self._quality else ():
                near = self._pdq.query(one, self._distance)
                if near:
                    return f"pdq within {near[0][1]} bits, list {self.names[near[0][0]]}"
        return None


def load(images: Images) -> BlockLists | None:
    """Read the lists of the settings; None without any.

    Raise UsageError: a file cannot be read, or needs pictures decoded where none is.
    """
    if not images.block_hashes:
        return None
    lists = BlockLists(distance=images.block_distance, quality=images.block_quality)
    for given in images.block_hashes:
        lists.add(Path(reader.split_kind(given)[1]).name, reader.read(given))
    if images.check == "none":
        lists.give_up_looks()
    return lists


def pack_looks(found: Sequence[Pdq]) -> bytes:
    """Return PDQ hashes as bytes, for the catalog: quality and eight hashes of each picture."""
    return b"".join(bytes([quality]) + b"".join(hashes) for quality, hashes in found)


def unpack_looks(packed: bytes) -> list[Pdq]:
    """Return what `pack_looks` packed."""
    rows = (packed[at : at + _LOOK_BYTES] for at in range(0, len(packed), _LOOK_BYTES))
    return [(row[0], tuple(row[at : at + 32] for at in range(1, _LOOK_BYTES, 32))) for row in rows]


def md5_of(path: Path) -> bytes:
    """Return the MD5 of a file. Raise OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
