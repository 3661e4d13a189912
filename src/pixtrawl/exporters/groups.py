"""Group images that must not be on two sides of a split: equal bytes or near duplicates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import IO, Final, Self

from msgspec.structs import replace

from pixtrawl.dedup import Level, NearDuplicates
from pixtrawl.model import Sample

__all__ = ["GroupOf", "NearDuplicateGroups"]

GroupOf = Callable[[Sample], Iterable[str]]
"""Returns the keys of a sample; samples that share a key, also transitively, are one group."""

_THUMB_BYTES: Final = 4_096


class NearDuplicateGroups:
    """Groups by the rule of `--dedup near`, whatever the data set was collected with.

    To be called once for each sample; it remembers them (about 1 KB an image, thumbnails lie in a
    temporary file). A data set that was collected with `near` has hardly any such groups, one
    collected with `exact` or `off` has many. The second look, for crops and frames, takes longer
    the larger a label is (1 ms an image at 2,000, 6 ms at 10,000).
    """

    def __init__(self, *, second_look: bool = True) -> None:
        self._second_look = second_look
        self._near = NearDuplicates(Level.NEAR, self._thumb)
        self._thumbs: IO[bytes] | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thumbs is not None:
            self._thumbs.close()

    def __call__(self, sample: Sample) -> list[str]:
        """Return the sample's own keys, and those of earlier samples that look like it."""
        info = sample.info
        number = self._count
        self._count += 1
        keys = [f"look {number}"]
        if info.sha256:
            keys.append(f"bytes {info.sha256}")
        if info.flat and not info.thumb:
            return keys  # such a hash means nothing, and there is nothing else to compare
        info = replace(info, phash_trim=info.phash_trim or info.phash)
        if not (self._second_look or info.flat):
            info = replace(info, thumb=b"")
        keys += [f"look {match.id}" for match in self._near.alike(sample.label, info)]
        if len(info.thumb) == _THUMB_BYTES:
            if self._thumbs is None:
                self._thumbs = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
            self._thumbs.seek(number * _THUMB_BYTES)
            self._thumbs.write(info.thumb)
        self._near.add(sample.label, number, info)
        return keys

    def _thumb(self, number: int) -> bytes:
        assert self._thumbs is not None
        self._thumbs.seek(number * _THUMB_BYTES)
        return self._thumbs.read(_THUMB_BYTES)
