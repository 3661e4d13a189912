"""Keeps the list of URLs of a data set written while candidates come in."""

from __future__ import annotations

import asyncio
from typing import Final

from pixtrawl.catalog.database import Catalog
from pixtrawl.folder import derived
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["UrlListWriter"]

_FIRST_WRITE_S: Final = 0.2  # keyword_urls.txt is there from the first URL on,
_WRITE_GROWTH: Final = 2.0  # then written anew ever more rarely: it grows with the set


class UrlListWriter:
    """Writes keyword_urls.txt anew when candidates have come since the last time."""

    def __init__(self, catalog: Catalog, folder: Folder) -> None:
        self._catalog = catalog
        self._folder = folder
        self._behind = False

    def note(self) -> None:
        """Candidates have come."""
        self._behind = True

    async def run(self) -> None:
        """Writes until it is cancelled. Raises StorageError."""
        pause_s = _FIRST_WRITE_S
        while True:
            await asyncio.sleep(pause_s)
            if self._behind:
                self._behind = False
                await self._catalog.write(lambda db: derived.write_keyword_urls(db, self._folder))
                pause_s *= _WRITE_GROWTH
