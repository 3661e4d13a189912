"""Interface of inspection for the worker: a staged file in, an image info or a reason out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pixtrawl.model import ImageInfo, Reason
from pixtrawl.transform import Picture


class Verdict(Struct, frozen=True):
    """The result of inspection: `info` for a whole image, else the `reason` of the refusal.

    `info.sha256` is empty: the process that wrote the file computes it.
    """

    info: ImageInfo | None
    reason: Reason | None = None
    detail: str = ""
    states_rights: bool = False  # the file may state rights: call `rights`
    rendition: Picture | None = None  # the picture to export, where requested


Pdq = tuple[int, tuple[bytes, ...]]
"""PDQ of a picture: quality, 0..100, and the hashes of its eight turns, as stored first."""


class Inspector(Protocol):
    """Inspects staged files, which may be hostile."""

    async def inspect(self, name: str, size_bytes: int) -> Verdict:
        """Inspect the file `name` in the staging folder. Raises EngineError only."""
        ...

    async def rights(self, name: str) -> Mapping[str, str | bool] | None:
        """Return the rights statements in a staged file; None where the machine kept it from it.

        Raises EngineError only.
        """
        ...

    async def pdq(self, name: str, size_bytes: int) -> list[Pdq] | Verdict:
        """Return the PDQ hashes of a staged file, or why there are none. Raises EngineError only.

        One for each way to read the picture; none where it is no picture.
        """
        ...

    async def aclose(self) -> None: ...
