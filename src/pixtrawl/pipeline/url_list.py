"""Keeps keyword_urls.txt, the list of URLs of a data set, up to date during a run."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from pixtrawl.catalog.database import Catalog
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived import writing

__all__ = ["UrlListWriter"]

_FIRST_WRITE_S: Final = 0.2  # pause before the first write
_WRITE_GROWTH: Final = 2.0  # factor of the pause after each write, as the file grows with the set
_LEAST_PAUSE: Final = 50  # times as long as the last write took: at most 2 % of the time


class UrlListWriter:
    """Rewrites keyword_urls.txt when candidates were added since the last write."""

    def __init__(self, catalog: Catalog, folder: Folder) -> None:
        self._catalog = catalog
        self._folder = folder
        self._behind = False

    def note(self) -> None:
        """Note that candidates were added."""
        self._behind = True

    async def run(self) -> None:
        """Write until cancelled. Raise StorageError."""
        pause_s = _FIRST_WRITE_S
        while True:
            await asyncio.sleep(pause_s)
            if self._behind:
                self._behind, began = False, time.monotonic()
                await self._catalog.write(lambda db: writing.write_keyword_urls(db, self._folder))
                took_s = time.monotonic() - began
                pause_s = max(_WRITE_GROWTH * pause_s, _LEAST_PAUSE * took_s)
