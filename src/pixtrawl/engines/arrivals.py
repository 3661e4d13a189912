"""Transfers staged files and renditions from remote workers into the run's own folders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pixtrawl.errors import StorageError
from pixtrawl.model import Outcome
from pixtrawl.transform import Picture
from pixtrawl.worker import KeepRendition

__all__ = ["Arrivals", "FetchBytes"]

FetchBytes = Callable[[str], AsyncIterator[bytes]]
"""Yields the bytes of a file in a node's staging folder, in chunks."""


class Arrivals:
    """Receives the files that outcomes name, into the staging folder of the run."""

    def __init__(self, staging: Path, keep: KeepRendition | None = None) -> None:
        """`keep` stores renditions (None: none are made); it is called from one thread only."""
        self.staging = staging
        self.keep = keep

    async def take(self, outcome: Outcome, fetch: FetchBytes) -> Outcome:
        """Copy the files that an outcome names; call it before `Feed.settled`.

        Return the outcome as a local worker would have returned it. Raise StorageError.
        """
        if outcome.staged_name is not None:
            await self._stage(outcome.staged_name, fetch)
        if outcome.rendition_name is None:
            return outcome
        data = b"".join([piece async for piece in fetch(outcome.rendition_name)])
        if self.keep is not None and outcome.info is not None:
            self.keep(outcome.info.sha256, msgspec.msgpack.decode(data, type=Picture))
        return replace(outcome, rendition_name=None)

    def take_here(self, outcome: Outcome) -> Outcome:
        """Take in the rendition of an outcome that was staged in the run's own folder.

        Return the outcome as a local worker would have returned it. Raise StorageError.
        """
        if outcome.rendition_name is None:
            return outcome
        path = self.staging / outcome.rendition_name
        try:
            data = path.read_bytes()
            path.unlink()
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error}") from error
        if self.keep is not None and outcome.info is not None:
            self.keep(outcome.info.sha256, msgspec.msgpack.decode(data, type=Picture))
        return replace(outcome, rendition_name=None)

    def discard(self, outcome: Outcome) -> None:
        """Delete the files of an outcome that is not used, in the run's own folder."""
        for name in (outcome.staged_name, outcome.rendition_name):
            if name is not None:
                (self.staging / name).unlink(missing_ok=True)

    async def _stage(self, name: str, fetch: FetchBytes) -> None:
        path = self.staging / name
        try:
            with path.open("xb") as file:
                async for piece in fetch(name):
                    file.write(piece)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error}") from error
