"""One data set that the studio has open: its rows, its views, and whether it has changed."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from pixtrawl.catalog import run_log, samples
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.files import derived_mark
from pixtrawl.catalog.reading import Reader, data_version
from pixtrawl.catalog.run_log import Run
from pixtrawl.catalog.views.table import LookTable, kept_ids
from pixtrawl.folder.dataset_folder import Folder, holds, in_use
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.disk_trouble import explained_disk_errors
from pixtrawl.folder.recovery.catch_up import catch_up, is_behind
from pixtrawl.images.record import MEASURES
from pixtrawl.numeric import give_back
from pixtrawl.studio.messages import RunLine
from pixtrawl.studio.sets.known_sets import set_id
from pixtrawl.studio.sets.long_work import LongWork
from pixtrawl.studio.sets.settling import Settling
from pixtrawl.studio.sets.views import ViewCache

if TYPE_CHECKING:
    from pixtrawl.scoring.likeness.dominant_colours import ColourIndex
    from pixtrawl.scoring.likeness.held_vectors import HeldVectors
    from pixtrawl.scoring.likeness.spaces import Space

__all__ = ["PATIENCE_S", "OpenSet"]

T = TypeVar("T")

# Of the measures, those that every image has and that say something to a person.
_SHOWN: Final = tuple(
    one for one in MEASURES if not one.startswith("mean_") and one not in ("human_check", "one_ink")
)
_HOLDER_S: Final = 1.0  # how long it is believed who holds the lock
# Images: fewer are compared with their files in 50 ms, and filtered in a tenth of a second anyhow.
_MANY: Final = 5_000
PATIENCE_S: Final = 1.0  # until a request answers with what there is so far
_CACHE_KB: Final = 1024  # of the connection of each thread; the system has the pages, too
_READ_AT_ONCE: Final = 1024
_TAKEN_AT_ONCE: Final = 4096  # images whose columns are copied: 60 ms of processor time
_MOST_WARMED: Final = 200_000


class OpenSet:
    """An open data set; its methods may be called by any thread.

    `revision` begins at the time of opening, so that it grows over restarts of the studio, too.
    """

    def __init__(self, path: Path) -> None:
        """Open a folder, and take changes made by hand into its catalog.

        Of many images that is left to `compare`: it takes a second for 100,000, the page less.

        Raise UsageError where it is no data set, StorageError where it cannot be read.
        """
        self.folder = Folder(path)
        self.folder.require()
        with explained_disk_errors(self.folder):
            self._is_compared = self.read_apart(samples.count) < _MANY
        if self._is_compared:
            catch_up(self.folder, derive=False)
        self.id = set_id(self.folder.root)
        self.name = self.folder.root.name
        self.views = ViewCache()
        self.measures = _SHOWN
        self.settling = Settling(self.folder, self.read)
        self._expect_derived()
        self.revision = int(time.time() * 1000)
        self._reader = Reader(_CACHE_KB)
        self._watching = threading.Lock()
        self._seen: tuple[Any, ...] | None = None
        self._watched: sqlite3.Connection | None = None
        self._file: tuple[int, int] = (0, 0)
        self._looking = threading.Lock()
        self._colouring = threading.Lock()
        self._colours: ColourIndex | None = None
        self._look: LookTable | None = None
        self._look_file: tuple[int, int] = (0, 0)
        self._memory: dict[str, tuple[int, Any]] = {}
        self._comparing = threading.Lock()
        self._vectors: HeldVectors | None = None
        self._closing = threading.Event()
        self._long_turn = threading.Lock()
        self._works: dict[str, LongWork[Any]] = {}
        self._held = (0.0, False)

    def compare(self) -> None:
        """Take changes made by hand into the catalog where opening has left that for later."""
        if self._is_compared:
            return
        self._is_compared = True
        if is_behind(self.folder):  # decisions need not wait for this look
            with self.settling.following():
                catch_up(self.folder, derive=False)
            self._expect_derived()

    def _expect_derived(self) -> None:
        if self.read_apart(derived_mark.is_stale) and os.access(self.folder.root, os.W_OK):
            self.settling.expect()

    def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Call a function with a connection to read by, and return its result."""
        return function(self._reader.connection(self.folder.catalog))

    def read_apart(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Do the same with a connection for this once: for a thread that ends."""
        with closing(connect(self.folder.catalog, read_only=True)) as db:
            return function(db)

    def remembered(self, name: str, function: Callable[[sqlite3.Connection], T]) -> T:
        """Do the same once for each revision."""
        revision = self.watch()
        found = self._memory.get(name)
        if found is None or found[0] != revision:
            found = self._memory[name] = (revision, self.read(function))
        result: T = found[1]
        return result

    def long_work(self, name: str) -> LongWork[Any]:
        """Return the one work of this name on this data set."""
        with self._watching:
            found = self._works.get(name)
            if found is None:
                found = LongWork(name, self._long_turn, self._closing.is_set)
                self._works[name] = found
            return found

    def look(
        self, function: Callable[[LookTable], T], *, patience_s: float = PATIENCE_S
    ) -> tuple[T, float]:
        """Call a function with the table of columns, brought up to date for so long at the most.

        Return its result, and the share of the images that are in the table: ask again for the
        others.
        """
        deadline = time.monotonic() + patience_s
        while True:  # let go between the parts: others ask, too
            with self._looking:
                table = self._look_table()
                done = table.update(most=_TAKEN_AT_ONCE)
                if done == 1 or time.monotonic() >= deadline or self._closing.is_set():
                    return function(table), done

    def _look_table(self) -> LookTable:
        file = _identity(self.folder.catalog)
        if self._look is None or file != self._look_file:
            if self._look is not None:
                self._look.close()
            db = connect(self.folder.catalog, read_only=True)
            self._look, self._look_file = LookTable(db, self.measures), file
        return self._look

    def with_colour(self, ids: array[int], colour: str) -> tuple[array[int], float]:
        """Return those of the images that have a colour, in their order. Raise ValueError.

        Colours that are not known yet are read for about a second; the share of the images whose
        colours are known is returned, too. Ask again for the others.
        """
        from pixtrawl.scoring.likeness.dominant_colours import parse_colour

        parse_colour(colour)
        deadline = time.monotonic() + PATIENCE_S
        left = self._read_colours(ids)  # at least a part, however slow the machine is
        while left and time.monotonic() < deadline:
            left = self._read_colours(ids)
        with self._colouring:
            found = self._colours_held().having(colour, ids)
        done = 1 - left / max(len(ids), 1)
        return array("I", compress(ids, found.tolist())), done

    def _read_colours(self, ids: array[int]) -> int:
        """Read the colours of some more images; return how many of them are left."""
        with self._colouring:  # let go between the parts: others ask, too
            index = self._colours_held()
            missing = index.missing(ids)
            part = missing[:_READ_AT_ONCE].tolist()
            self.read(lambda db: index.update(db, part))
            return len(missing) - len(part)

    def _colours_held(self) -> ColourIndex:
        from pixtrawl.scoring.likeness.dominant_colours import ColourIndex

        if self._colours is None:
            self._colours = ColourIndex()
        return self._colours

    def most_alike(
        self, space: Space, ids: array[int], examples: Sequence[int]
    ) -> tuple[list[int], float]:
        """Return those of the images that have a vector, the most alike to examples first.

        As for colours, the share of the images whose vectors are known is returned, too.
        """
        return self._ordered(space, ids, lambda held, db: held.order(db, ids, examples))

    def nearest_to(
        self, space: Space, ids: array[int], vector: Sequence[float]
    ) -> tuple[list[int], float]:
        """Return those of the images that have a vector, the most alike to this one first."""
        import numpy as np

        return self._ordered(space, ids, lambda held, _: held.order_to(ids, np.asarray(vector)))

    def _ordered(
        self,
        space: Space,
        ids: array[int],
        order: Callable[[HeldVectors, sqlite3.Connection], list[int]],
    ) -> tuple[list[int], float]:
        deadline = time.monotonic() + PATIENCE_S
        left = self._read_vectors(space, ids)
        while left and time.monotonic() < deadline:
            left = self._read_vectors(space, ids)
        with self._comparing:
            vectors = self._vectors_of(space)
            return self.read(lambda db: order(vectors, db)), 1 - left / max(len(ids), 1)

    def _read_vectors(self, space: Space, ids: array[int]) -> int:
        """Read the vectors of some more images; return how many of them are left."""
        with self._comparing:
            vectors = self._vectors_of(space)
            missing = vectors.missing(ids)
            part = missing[:_READ_AT_ONCE].tolist()
            self.read(lambda db: vectors.update(db, part))
            return len(missing) - len(part)

    def _vectors_of(self, space: Space) -> HeldVectors:
        from pixtrawl.scoring.likeness.held_vectors import HeldVectors

        if self._vectors is None or self._vectors.space != space:  # of one space at a time
            if self._vectors is not None:
                self._vectors.close()
            self._vectors = HeldVectors(space)
        return self._vectors

    def warm(self) -> None:
        """Prepare what the first filter and the first likeness of a large data set need."""
        ids = self.read(kept_ids)
        if not _MANY <= len(ids) <= _MOST_WARMED:
            return
        self.look(lambda table: None, patience_s=math.inf)
        from pixtrawl.scoring.likeness.spaces import space_of

        space = self.read(space_of)
        left = len(ids)
        while left and not self._closing.is_set():
            left = max(self._read_vectors(space, ids), self._read_colours(ids))
        give_back()

    def watch(self) -> int:
        """Return the revision, after a look at the disk."""
        with self._watching:
            file = _identity(self.folder.catalog)
            if self._watched is None or file != self._file:
                if self._watched is not None:
                    self._watched.close()
                self._watched, self._file = connect(self.folder.catalog, read_only=True), file
            seen = (file, data_version(self._watched), journal.size(self.folder), self.is_held())
            if self._seen is not None and seen != self._seen:
                self.revision += 1
            self._seen = seen
            return self.revision

    def touch(self) -> None:
        """Raise the revision: something changed that no look at the disk finds."""
        with self._watching:
            self.revision += 1

    def is_held(self) -> bool:
        """Return whether a run, or another command, holds the data set; looked up once a second."""
        at_s, held = self._held
        if time.monotonic() - at_s > _HOLDER_S:
            held = in_use(self.folder) and not self.settling.is_at_work
            self._held = (time.monotonic(), held)
        return held

    def run_line(self) -> RunLine | None:
        """Return the run at work on the data set, or None."""
        if not self.is_held():
            return None
        run = self.read(run_log.last_run)
        if run is None or run.has_ended:
            return None
        since = self.read(lambda db: run_log.started_at(db, run.id))
        paused = self._paused(run)
        holder: Literal["studio", "shell"] = "studio" if holds(self.folder) else "shell"
        return RunLine(holder, "" in paused, since, sorted(paused - {""}))

    def _paused(self, run: Run) -> set[str]:
        """Return the queries of a run that are paused; "" is the whole run."""
        paused: set[str] = set()
        for one in journal.read(self.folder).records:
            if one.run != run.id:
                continue
            if one.action == "pause":
                paused.add(one.query)
            elif one.action == "resume":  # the whole: each of them
                paused = paused - {one.query} if one.query else set()
        return paused

    def begin_to_close(self) -> None:
        """End what is prepared in the background."""
        self._closing.set()

    def close(self) -> None:
        """Write what is due, and close the connections."""
        self.begin_to_close()
        self.settling.settle(closing=True)
        with self._watching, self._looking:
            if self._watched is not None:
                self._watched.close()
            if self._look is not None:
                self._look.close()
            self._watched = self._look = None
        with self._comparing:
            if self._vectors is not None:
                self._vectors.close()
            self._vectors = None


def _identity(path: Path) -> tuple[int, int]:
    """Return what changes where a file is replaced by another."""
    try:
        found = path.stat()
    except OSError:  # `connect` says why
        return (0, 0)
    return (found.st_dev, found.st_ino)
