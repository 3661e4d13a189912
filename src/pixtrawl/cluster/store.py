"""The store of a job: a folder on any file system of fsspec's, local ones included.

Objects are written once under names of their own and never renamed: renaming is two copies on an
object store, and not atomic. `create` writes an object only if there is none of its name, which is
how workers without a coordinator agree; `probe` finds out whether the store keeps to it.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from pixtrawl.durable import sync_many
from pixtrawl.errors import MissingExtraError, StorageError, UsageError
from pixtrawl.exporters.target import local_path

__all__ = ["Store", "StoredObject"]

T = TypeVar("T")

_TRIES: Final = 5
_FIRST_PAUSE_S: Final = 0.2
_PART: Final = ".part"  # ends the name of a file that is being written
_PROBES: Final = "probe"
_MEMORY: Final[AbstractContextManager[Any]] = threading.Lock()


class StoredObject(NamedTuple):
    """An object of the store; `modified_s` is seconds since 1970 by the store's clock."""

    name: str
    size_bytes: int
    modified_s: float


class Store:
    """Objects by name (`commits/x.json`). Methods wait for the network: call them in a thread."""

    def __init__(self, url: str | Path) -> None:
        """Raise UsageError for an unknown protocol, MissingExtraError without fsspec."""
        self.url = str(url).rstrip("/")
        if not self.url or self.url.endswith(":"):
            raise UsageError(f"{str(url)!r} names no folder for a set of shards")
        self._local = local_path(self.url)
        try:
            import fsspec
        except ImportError:
            raise MissingExtraError(f"the store {url}", "formats") from None
        self._fs: Any
        try:
            # An instance of its own: a shared one keeps the keys and endpoint of its first use.
            self._fs, root = fsspec.core.url_to_fs(
                self.url, use_listings_cache=False, skip_instance_cache=True
            )
        except (ValueError, ImportError) as error:
            raise UsageError(f"cannot use the store {url}: {error}") from error
        self._root = str(root).rstrip("/")
        self.is_conditional = True  # False: one writer only, see `probe`
        # fsspec's file system in memory looks first and writes then.
        self._in_memory = _MEMORY if self.url.startswith("memory:") else nullcontext()

    # -- reading

    def read(self, name: str) -> bytes | None:
        """Return the content of an object, None where there is none. Raise StorageError."""
        return self._repeat(f"read {name} of", lambda: self._read(name))

    def _read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return bytes(self._fs.cat_file(self._path(name)))
        return None

    def read_json(self, name: str, kind: type[T]) -> T | None:
        """Return a value that stands as JSON in an object, None where there is none.

        Raise StorageError, also where it is no such value.
        """
        data = self.read(name)
        return None if data is None else self.decoded(name, data, kind)

    def decoded(self, name: str, data: bytes, kind: type[T]) -> T:
        """Return the value in the content of an object. Raise StorageError where there is none."""
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.DecodeError as error:
            raise StorageError(f"{self.url}/{name} is damaged: {error}") from error

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return a part of an object. Raise StorageError."""
        path = self._path(name)
        return self._repeat(
            f"read {name} of",
            lambda: bytes(self._fs.cat_file(path, start=offset, end=offset + length)),
        )

    def open(self, name: str) -> Any:
        """Open an object for reading at any place; nothing is read ahead. Raise StorageError."""
        path = self._path(name)
        more = {} if self._local is not None else {"cache_type": "none"}
        return self._repeat(f"open {name} of", lambda: self._fs.open(path, "rb", **more))

    def fetch(self, name: str, path: Path) -> None:
        """Copy an object into a local file. Raise StorageError."""
        self._repeat(f"read {name} of", lambda: self._fs.get_file(self._path(name), str(path)))

    def entries(self, folder: str) -> list[StoredObject]:
        """Return all objects below a folder, by name. Raise StorageError."""
        return self._repeat(f"list {folder} of", lambda: self._entries(folder))

    def _entries(self, folder: str) -> list[StoredObject]:
        self._fs.invalidate_cache()
        found: dict[str, dict[str, Any]] = {}
        with suppress(FileNotFoundError):
            found = self._fs.find(self._path(folder), detail=True)
        skipped = len(self._root) + 1
        return sorted(
            StoredObject(path[skipped:], int(info["size"] or 0), _modified_s(info))
            for path, info in found.items()
            if not (path.endswith(_PART) or path.rpartition("/")[2].startswith("."))
        )

    def unfinished(self) -> list[StoredObject]:
        """Return what writers that were killed have left: halves of files, and probes."""
        found = self.entries(_PROBES)
        if self._local is not None:
            for path in self._local.rglob(f"*{_PART}"):
                with suppress(FileNotFoundError):
                    info = path.stat()
                    name = path.relative_to(self._local).as_posix()
                    found.append(StoredObject(name, info.st_size, info.st_mtime))
        return found

    def now_s(self) -> float:
        """Return the present by the store's clock, in seconds since 1970. Raise StorageError."""
        name = f"{_PROBES}/{secrets.token_hex(8)}"
        self.put(name, b"now")
        try:
            return self.modified_s(name) or time.time()
        finally:
            self.remove(name)

    def size(self, name: str) -> int | None:
        """Return the size of an object in bytes, None where there is none."""
        found = self._repeat(f"look at {name} of", lambda: self._info(name))
        return None if found is None else int(found["size"])

    def modified_s(self, name: str) -> float | None:
        """Return when an object was written, by the store's clock; None where there is none."""
        found = self._repeat(f"look at {name} of", lambda: self._info(name))
        return None if found is None else _modified_s(found)

    def _info(self, name: str) -> dict[str, Any] | None:
        self._fs.invalidate_cache()
        with suppress(FileNotFoundError):
            found: dict[str, Any] = self._fs.info(self._path(name))
            return found
        return None

    # -- writing

    def put(self, name: str, data: bytes) -> None:
        """Write an object, over one of that name if there is one. Raise StorageError."""
        self._repeat(f"write {name} to", lambda: self._put(name, data))

    def _put(self, name: str, data: bytes) -> None:
        if self._local is not None:
            temporary = self._temporary(name)
            temporary.write_bytes(data)
            temporary.replace(self._local / name)
        else:
            self._fs.pipe_file(self._path(name), data)

    def put_file(self, name: str, path: Path) -> None:
        """Write a local file as an object under a name that nobody else uses."""

        def put() -> None:
            self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            self._fs.put_file(str(path), self._path(name))
            if self._local is not None:  # a commit is to name nothing that a power cut can take
                sync_many(self._local, [self._local / name])

        self._repeat(f"write {name} to", put)

    def create(self, name: str, data: bytes) -> bool:
        """Write an object unless there is one of that name. Return whether it holds this `data`.

        After an unclear answer (a lost connection) the object is read back and compared,
        so the data should be of one writer only (hold a random number). Raise StorageError.
        """
        if not self.is_conditional:
            return self._create_alone(name, data)
        pause_s = _FIRST_PAUSE_S
        trouble: Exception | None = None
        for _ in range(_TRIES):
            try:
                self._create(name, data)
                return True
            except FileExistsError as error:
                found = self.read(name)  # of an earlier try of ours, perhaps
                if found is not None:
                    return found == data
                trouble = error  # there, and not to be read yet
            except Exception as error:  # noqa: BLE001 - clients raise what they like
                trouble = error
            with suppress(StorageError):
                found = self.read(name)
                if found is not None:
                    return found == data
            time.sleep(pause_s)
            pause_s *= 2
        raise StorageError(f"cannot write {name} to {self.url}: {trouble}") from trouble

    def _create_alone(self, name: str, data: bytes) -> bool:
        found = self.read(name)
        if found is None:
            self.put(name, data)
        return found is None or found == data

    def _create(self, name: str, data: bytes) -> None:
        if self._local is None:
            with self._in_memory:
                self._fs.pipe_file(self._path(name), data, mode="create")
            return
        temporary = self._temporary(name)
        try:
            temporary.write_bytes(data)
            sync_many(temporary.parent, [temporary])
            os.link(temporary, self._local / name)  # all of it or nothing, and never over another
        finally:
            temporary.unlink(missing_ok=True)

    def _temporary(self, name: str) -> Path:
        assert self._local is not None
        path = self._local / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f"{path.name}.{secrets.token_hex(4)}{_PART}")

    def remove(self, name: str) -> None:
        """Remove an object, if it is there. Raise StorageError."""

        def remove() -> None:
            with suppress(FileNotFoundError):
                self._fs.rm_file(self._path(name))

        self._repeat(f"remove {name} of", remove)

    def probe(self) -> bool:
        """Return whether `create` refuses to write over an object, by trying. Raise StorageError.

        Some stores take the condition and overwrite all the same. From then on `create` asks for
        no condition: the caller has to see to it that there is one writer.
        """
        self.is_conditional = True
        self.is_conditional = self._keeps_conditions()
        return self.is_conditional

    def _keeps_conditions(self) -> bool:
        name = f"{_PROBES}/{secrets.token_hex(8)}"
        first, second = b"first " + name.encode(), b"second " + name.encode()
        if not self._created(name, first):
            return False
        try:
            return not self._created(name, second) and self.read(name) == first
        finally:
            self.remove(name)

    def _created(self, name: str, data: bytes) -> bool:
        try:
            return self.create(name, data)
        except StorageError as error:
            if isinstance(error.__cause__, (TypeError, NotImplementedError, ValueError)):
                return False  # the client cannot ask for it
            raise

    def _repeat(self, doing: str, work: Callable[[], T]) -> T:
        pause_s = _FIRST_PAUSE_S
        for left in reversed(range(_TRIES)):
            try:
                return work()
            except (PermissionError, UsageError) as error:
                raise StorageError(f"cannot {doing} {self.url}: {error}") from error
            except Exception as error:  # clients raise what they like
                if not left:
                    raise StorageError(f"cannot {doing} {self.url}: {error}") from error
            time.sleep(pause_s)
            pause_s *= 2
        raise AssertionError

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _modified_s(info: dict[str, Any]) -> float:
    found = next(
        (info[key] for key in ("LastModified", "mtime", "updated", "last_modified", "created")
         if info.get(key) is not None),
        None,
    )  # fmt: skip
    if found is None:
        return 0.0
    if isinstance(found, (int, float)):
        return float(found)
    if isinstance(found, str):
        from datetime import datetime

        found = datetime.fromisoformat(found)
    return float(found.timestamp())
