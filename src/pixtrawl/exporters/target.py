"""Where an export is written: a local folder, or anything that fsspec reaches.

A file appears under its final name whole or not at all. Locally that is a rename; object stores
publish an object when its upload ends; other remote systems get a temporary name and a move.
"""

from __future__ import annotations

import itertools
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname  # noqa: TID251 - a spelling of paths, no request

from pixtrawl.errors import ExportError, MissingExtraError, UsageError

__all__ = ["STATE", "LocalTarget", "RemoteTarget", "Target", "local_path", "open_target"]

STATE: Final = ".pixtrawl-export"  # the folder of an export that is not complete
_ATOMIC: Final = frozenset(
    {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "hf", "memory", "b2"}
)
_IN_MEMORY_BYTES: Final = 8 * 2**20


class Target(Protocol):
    """A folder for files; names are relative, with forward slashes."""

    shown: str

    def write(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for writing; published when the block ends, dropped when it raises."""
        ...

    def read(self, name: str) -> bytes | None:
        """Read a small file; None where there is none."""
        ...

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield a file's lines. Raises ExportError where there is none."""
        ...

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes; None where there is none."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it exists, and folders that become empty."""
        ...

    def remove_state(self) -> None:
        """Remove the folder of temporary files and records (`STATE`)."""
        ...

    def is_empty(self) -> bool:
        """Return whether there is nothing but the state folder."""
        ...


class LocalTarget:
    """A local folder. Raises ExportError for errors of the system (no space, no permission)."""

    def __init__(self, root: Path, state: str = STATE) -> None:
        self.root = root
        self._state = state
        self.shown = str(root)
        self._made: set[Path] = set()
        self._temporaries = _temporary_names()
        if root.exists() and not root.is_dir():
            raise UsageError(f"{root} is a file; an export needs a folder")

    @contextmanager
    def write(self, name: str) -> Iterator[IO[bytes]]:
        path = self._path(name)
        # In the state folder, which is removed as a whole: a kill leaves nothing among the files.
        temporary = self.root / self._state / next(self._temporaries)
        try:
            for folder in (temporary.parent, path.parent):
                if folder not in self._made:
                    folder.mkdir(parents=True, exist_ok=True)
                    self._made.add(folder)
            with temporary.open("wb") as file:
                yield file
            temporary.replace(path)
        except OSError as error:
            raise ExportError(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                temporary.unlink()

    def read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return self._path(name).read_bytes()
        return None

    def lines(self, name: str) -> Iterator[bytes]:
        try:
            with self._path(name).open("rb") as file:
                yield from file
        except OSError as error:
            raise ExportError(f"cannot read {self._path(name)}: {error.strerror}") from error

    def size(self, name: str) -> int | None:
        with suppress(FileNotFoundError, NotADirectoryError):
            return self._path(name).stat().st_size
        return None

    def remove(self, name: str) -> None:
        path = self._path(name)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:  # something else is in it
                break
        self._made.clear()

    def remove_state(self) -> None:
        folder = self.root / self._state
        if folder.is_dir():
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        self._made.clear()

    def is_empty(self) -> bool:
        return not self.root.is_dir() or all(
            path.name == self._state for path in self.root.iterdir()
        )

    def _path(self, name: str) -> Path:
        return self.root.joinpath(*name.split("/"))


class RemoteTarget:
    """A folder on a file system of fsspec's."""

    def __init__(self, url: str, state: str = STATE) -> None:
        self._state = state
        try:
            import fsspec
        except ImportError:
            raise MissingExtraError(f"exporting to {url}", "formats") from None
        self.shown = url
        try:
            self._fs: Any
            self._fs, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:  # unknown protocol, or its package is missing
            raise UsageError(f"cannot export to {url}: {error}") from error
        self._root = str(root).rstrip("/")
        self._temporaries = _temporary_names()
        protocols = {self._fs.protocol} if isinstance(self._fs.protocol, str) else self._fs.protocol
        self._is_atomic = bool(_ATOMIC & set(protocols))

    @contextmanager
    def write(self, name: str) -> Iterator[IO[bytes]]:
        path = self._path(name)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
            yield spool
            spool.seek(0)
            goal = (
                path if self._is_atomic else self._path(f"{self._state}/{next(self._temporaries)}")
            )
            try:
                for file_path in {goal, path}:
                    self._fs.makedirs(file_path.rpartition("/")[0], exist_ok=True)
                with self._fs.open(goal, "wb") as file:
                    while piece := spool.read(2**20):
                        file.write(piece)
                if goal != path:
                    self._fs.mv(goal, path)
            except OSError as error:
                raise ExportError(f"cannot write {name} to {self.shown}: {error}") from error

    def read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError), self._explained_errors("read"):
            return bytes(self._fs.cat_file(self._path(name)))
        return None

    def lines(self, name: str) -> Iterator[bytes]:
        try:
            with self._fs.open(self._path(name), "rb") as file:
                yield from file
        except OSError as error:
            raise ExportError(f"cannot read {name} from {self.shown}: {error}") from error

    def size(self, name: str) -> int | None:
        with suppress(FileNotFoundError), self._explained_errors("read"):
            size = self._fs.info(self._path(name))["size"]
            return None if size is None else int(size)
        return None

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError), self._explained_errors("write"):
            self._fs.rm_file(self._path(name))

    def remove_state(self) -> None:
        with suppress(FileNotFoundError), self._explained_errors("write"):
            self._fs.rm(self._path(self._state), recursive=True)
        self._fs.invalidate_cache()

    def is_empty(self) -> bool:
        self._fs.invalidate_cache()
        with suppress(FileNotFoundError), self._explained_errors("read"):
            names = self._fs.ls(self._root, detail=False)
            return all(name.rstrip("/").rpartition("/")[2] == self._state for name in names)
        return True

    @contextmanager
    def _explained_errors(self, what: str) -> Iterator[None]:
        """Turn errors such as wrong keys or lost connections into a one-line ExportError."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ExportError(f"cannot {what} {self.shown}: {error}") from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _temporary_names() -> Iterator[str]:
    """Yield names that no concurrent export to the same place uses."""
    token = secrets.token_hex(4)
    return (f"{token}-{count}.part" for count in itertools.count())


def local_path(out: str | Path) -> Path | None:
    """Return the local path, given as such or as a file: URL; None for remote places."""
    text = str(out)
    scheme, colon, _ = text.partition("://")
    if not colon or len(scheme) < 2:  # C:// is a drive
        return Path(text)
    return Path(url2pathname(urlsplit(text).path)) if scheme in {"file", "local"} else None


def open_target(out: str | Path, state: str = STATE) -> LocalTarget | RemoteTarget:
    """Open the target for a path or URL. Raises UsageError, MissingExtraError."""
    path = local_path(out)
    return RemoteTarget(str(out), state) if path is None else LocalTarget(path, state)
