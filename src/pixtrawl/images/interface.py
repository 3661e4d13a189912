"""What the worker sees of inspection: a staged file in, an image info or a reason out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pixtrawl.model import ImageInfo, Reason
from pixtrawl.transform import Picture


class Verdict(Struct, frozen=True):
    """`info` when the file is a whole image, else the `reason` why it is refused.

    `info.sha256` is left empty: identity is the business of whoever wrote the file.
    """

    info: ImageInfo | None
    reason: Reason | None = None
    detail: str = ""
    states_rights: bool = False  # it may: worth asking `rights`
    rendition: Picture | None = None  # the picture as it will be exported, where that was asked for


class Inspector(Protocol):
    """Looks at staged files without ever being hurt by them."""

    async def inspect(self, name: str, size_bytes: int) -> Verdict:
        """`name` is a file inside the staging folder. Raises EngineError, nothing else."""
        ...

    async def rights(self, name: str) -> Mapping[str, str | bool]:
        """What a staged file states of its rights. Raises EngineError, nothing else."""
        ...

    async def aclose(self) -> None: ...
