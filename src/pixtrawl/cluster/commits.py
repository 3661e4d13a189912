"""Commits: one small manifest per shard, created only if there is none. Readers see nothing else.

Data objects carry the name of an attempt, so that two attempts at one shard never write the same
object; the commit names those that count. `roll_up` puts thousands of commits into one object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct, field

from pixtrawl.batches import batches
from pixtrawl.cluster.store import Store
from pixtrawl.errors import StorageError
from pixtrawl.net.hosts.state import HostState

__all__ = ["PER_ROLL", "Commit", "Commits", "ObjectEntry", "now_to_ms", "roll_up", "time_at_work_s"]

_FOLDER: Final = "commits"
_ROLLED: Final = "rollups"
_ENDING: Final = ".json"
_AT_ONCE: Final = 16
PER_ROLL: Final = 5_000


class ObjectEntry(Struct, frozen=True, kw_only=True):
    """An object that a commit names."""

    name: str
    size_bytes: int
    sha256: str
    rows: int


class Commit(Struct, frozen=True, kw_only=True):
    """A finished shard."""

    version: int = 1
    shard: str
    attempt: str
    worker: str
    rows: int
    data: list[ObjectEntry] = field(default_factory=list)
    outcomes: ObjectEntry
    looks: ObjectEntry | None = None  # thumbnails, for near duplicates; None: no picture
    reasons: Mapping[str, int]
    fetched_bytes: int = 0
    begun_at: str = ""  # ISO 8601, UTC
    ended_at: str = ""  # its objects are written
    elapsed_s: float = 0.0
    hosts: tuple[HostState, ...] = ()  # for the next shard of a chain
    own: Mapping[str, str] | None = None  # types of the user's own columns; None: not known

    @property
    def objects(self) -> list[ObjectEntry]:
        """Every object that the commit names."""
        return [*self.data, self.outcomes, *([] if self.looks is None else [self.looks])]


class Commits:
    """The commits of a store. Methods wait for the network."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rolled: dict[str, Commit] = {}
        self._read_rolls: set[str] = set()
        self.single = 0  # commits with an object of their own, when last listed

    def create(self, commit: Commit) -> bool:
        """Commit a shard. Return False where another attempt has done so. Raise StorageError."""
        if self.is_there(commit.shard):
            return False
        return self._store.create(_name(commit.shard), msgspec.json.encode(commit))

    def is_there(self, shard_id: str) -> bool:
        """Return whether a shard is committed."""
        if self._store.size(_name(shard_id)) is not None:
            return True
        self._read_rolled()
        return shard_id in self._rolled

    def read(self, shard_id: str) -> Commit | None:
        """Return the commit of a shard, None where there is none."""
        self._read_rolled()
        if (known := self._rolled.get(shard_id)) is not None:
            return known
        return self._store.read_json(_name(shard_id), Commit)

    def ids(self) -> set[str]:
        """Return the ids of all committed shards."""
        names = self._names()  # first, as in `all`
        self._read_rolled()
        return {*self._rolled, *map(_id, names)}

    def all(self) -> Iterator[Commit]:
        """Yield all commits, each shard once."""
        names = self._names()  # first: what is rolled up meanwhile is then in the rolls as well
        self._read_rolled()
        yield from self._rolled.values()
        single = (name for name in names if _id(name) not in self._rolled)
        for data, name in self._read_many(single):
            if data is not None:
                yield self._store.decoded(name, data, Commit)
            elif (found := self.read(_id(name))) is not None:
                yield found

    def rolled(self) -> Mapping[str, Commit]:
        """Return the commits that are rolled up."""
        self._read_rolled()
        return self._rolled

    def _names(self) -> list[str]:
        names = [e.name for e in self._store.entries(_FOLDER) if e.name.endswith(_ENDING)]
        self.single = len(names)
        return names

    def _read_rolled(self) -> None:
        """Read the rolls that are new; of two that hold one shard the first counts."""
        names = [e.name for e in self._store.entries(_ROLLED) if e.name.endswith(_ENDING)]
        new = [name for name in names if name not in self._read_rolls]
        for data, name in self._read_many(new):
            if data is None:
                raise StorageError(f"{name} of {self._store.url} is gone")
            for commit in self._store.decoded(name, data, list[Commit]):
                self._rolled.setdefault(commit.shard, commit)
            self._read_rolls.add(name)

    def _read_many(self, names: Iterable[str]) -> Iterator[tuple[bytes | None, str]]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for some in batches(names, 20 * _AT_ONCE):
                yield from zip(pool.map(self._store.read, some), some, strict=True)


def roll_up(store: Store, is_stopped: Callable[[], bool] = lambda: False) -> tuple[int, int]:
    """Put single commits together, thousands into one object; remove them and their leases.

    Return the numbers of commits and of objects written. Workers may be at work meanwhile, and
    another roll-up. Once `is_stopped`, what is left to be removed stays for the next one.
    """
    commits = Commits(store)
    rolled = set(commits.rolled())
    new = [commit for commit in commits.all() if commit.shard not in rolled]
    written = 0
    for some in batches(new, PER_ROLL):
        data = msgspec.json.encode(list(some))
        number = len(store.entries(_ROLLED))
        while not store.create(f"{_ROLLED}/{number:06d}.json", data):
            number += 1  # another roll-up was first
        written += 1
    done = {*rolled, *(commit.shard for commit in new)}
    left = [entry.name for entry in store.entries(_FOLDER) if _id(entry.name) in done]
    left += [e.name for e in store.entries("leases") if e.name.split("/")[1] in done]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for names in batches(left, _AT_ONCE):
            if is_stopped():
                break
            list(pool.map(store.remove, names))
    return len(new), written


def now_to_ms() -> str:
    """Return the time in UTC, to the millisecond, as ISO 8601: a shard may take less than 1 s."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def time_at_work_s(commits: Iterable[Commit]) -> float:
    """Return the seconds during which at least one of the shards was at work.

    Many shards are at work at once, by one worker and by several, and a job may stand still for
    days. Times are those of the workers' clocks.
    """
    spans = []
    for commit in commits:
        if commit.begun_at and commit.ended_at:
            begin, end = map(datetime.fromisoformat, (commit.begun_at, commit.ended_at))
            spans.append((begin.timestamp(), end.timestamp()))
    total_s, until_s = 0.0, float("-inf")
    for begin_s, end_s in sorted(spans):
        total_s += max(0.0, end_s - max(begin_s, until_s))
        until_s = max(until_s, end_s)
    return total_s


def _name(shard_id: str) -> str:
    return f"{_FOLDER}/{shard_id}{_ENDING}"


def _id(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(_ENDING)
