"""The state of one studio process: the data sets that are open, thumbnails and events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from pixtrawl import __version__
from pixtrawl.catalog import samples
from pixtrawl.catalog.database import connect
from pixtrawl.config.groups import Config
from pixtrawl.errors import PixtrawlError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.disk_trouble import explained_disk_errors
from pixtrawl.studio.events import EventRing
from pixtrawl.studio.job_events import JobEvents
from pixtrawl.studio.jobs import Jobs
from pixtrawl.studio.messages import SetLine, StudioError, StudioState
from pixtrawl.studio.sets import known_sets
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.sets.thumbs import ThumbMaker

__all__ = ["Studio"]

T = TypeVar("T")

KEYS_VERSION: Final = 1
_WATCH_S: Final = 0.2
_THREADS: Final = 6  # each has a connection to each catalog


class Studio:
    """Everything that requests share; bound to one event loop."""

    def __init__(
        self, default: Path | None = None, config: Config | None = None, roots: Sequence[Path] = ()
    ) -> None:
        """Open the data set `default`. Raise UsageError or StorageError as `OpenSet` does."""
        self.thumbs = ThumbMaker()
        self._sets: dict[str, OpenSet] = {}
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, "studio")
        self._watcher: asyncio.Task[None] | None = None
        self._warmed: dict[str, asyncio.Task[None]] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._reported: set[str] = set()  # data sets whose trouble was shown
        self.events = EventRing()
        self.jobs = Jobs(config or Config.load(), roots)
        self._job_events = JobEvents(self.jobs, self.events)
        self.default = None if default is None else self.open(default).id

    def open(self, path: Path) -> OpenSet:
        """Open a data set, or return it where it is open. Raise UsageError or StorageError."""
        root = Folder(path).root
        with self._opening:
            key = known_sets.set_id(root)
            found = self._sets.get(key)
            if found is None:
                found = self._sets[key] = OpenSet(root)
        known_sets.remember(root)
        return found

    def require(self, key: str) -> OpenSet:
        """Return an open data set, or open a known one. Raise StudioError 404 for another."""
        found = self._sets.get(key)
        if found is not None:
            return found
        for path in known_sets.known_paths():
            if known_sets.set_id(path) == key:
                return self.open(path)
        raise StudioError(404, "no such data set is open; open its folder first")

    def state(self) -> StudioState:
        """Return the version and the known data sets."""
        paths = {one.folder.root: None for one in self._sets.values()}
        paths |= dict.fromkeys(known_sets.known_paths())
        lines = [self._line(path) for path in paths]
        return StudioState(__version__, lines, self.default, KEYS_VERSION)

    def _line(self, path: Path) -> SetLine:
        key, found = known_sets.set_id(path), self._sets.get(known_sets.set_id(path))
        try:  # a known one is only counted: opening dozens would take seconds
            count = _count(path) if found is None else found.remembered("kept", samples.count)
        except PixtrawlError as error:  # damaged, or gone meanwhile
            return SetLine(key, str(path), path.name, 0, 0, str(error))
        return SetLine(key, str(path), path.name, count, self.jobs.open_of(path))

    async def run(self, work: Callable[[], T]) -> T:
        """Do blocking work in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def open_sets(self) -> list[OpenSet]:
        """Return the data sets that are open."""
        return list(self._sets.values())

    def known(self) -> list[Path]:
        """Return the folders of all known data sets, open ones first."""
        own = [one.folder.root for one in self._sets.values()]
        return list(dict.fromkeys([*own, *known_sets.known_paths()]))

    async def begin(self) -> None:
        """Begin to watch the open data sets, and to publish their revisions."""
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        seen: dict[str, int] = {}
        while True:
            for one in list(self._sets.values()):
                try:
                    revision = await self.run(one.watch)
                except (PixtrawlError, sqlite3.Error, OSError) as error:
                    self._notice(one, str(error))
                    continue
                settling = self._settling.get(one.id)
                if settling is None or settling.done():  # it may take long: nobody waits for it
                    self._settling[one.id] = asyncio.create_task(self._settle(one))
                if one.id not in self._warmed:
                    self._warmed[one.id] = asyncio.create_task(self._warm(one))
                if seen.get(one.id) not in {None, revision}:
                    data = {"set": one.id, "revision": revision}
                    self.events.publish("revision", data, data_set=one.id)
                changed, seen[one.id] = seen.get(one.id) != revision, revision
                await self._job_events.publish(one, self.run, changed=changed)
            await asyncio.sleep(_WATCH_S)

    async def _settle(self, data_set: OpenSet) -> None:
        try:
            await self.run(data_set.settling.settle)
        except (PixtrawlError, sqlite3.Error, OSError) as error:
            self._notice(data_set, str(error))
        else:
            self._reported.discard(data_set.id)

    async def _warm(self, data_set: OpenSet) -> None:
        try:
            await self.run(data_set.compare)
            await self.run(data_set.warm)
        except PixtrawlError as error:
            self._notice(data_set, str(error))

    def _notice(self, data_set: OpenSet, sentence: str) -> None:
        """Tell once that a data set cannot be read any more."""
        if data_set.id not in self._reported:
            self._reported.add(data_set.id)
            self.events.publish("notice", {"text": sentence}, data_set=data_set.id)

    async def aclose(self) -> None:
        """End the jobs and the decoders, write what is due, close the data sets."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        for one in self._sets.values():
            one.begin_to_close()
        await asyncio.gather(*self._warmed.values(), *self._settling.values())
        self.events.close()
        await self.run(self.jobs.close)
        await self.thumbs.aclose()
        for one in self._sets.values():
            try:
                await self.run(one.close)
            except PixtrawlError as error:  # its folder was removed meanwhile, say
                logging.getLogger("pixtrawl").warning("%s", error)
        self._threads.shutdown()


def _count(path: Path) -> int:
    """Count the images of a data set that is not open. Raise UsageError or StorageError."""
    folder = Folder(path)
    folder.require()
    with explained_disk_errors(folder), closing(connect(folder.catalog, read_only=True)) as db:
        return samples.count(db)
