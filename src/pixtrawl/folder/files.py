"""Moves image files from staging to their place without overwriting other files.

Staged files lie in the data set folder, so that a rename is atomic and stays on one file system.

A file system without no-replace renames or hard links may report that by any error: EINVAL, ENOSYS,
EPERM, EACCES and EIO have been seen. So every error except FileExistsError and FileNotFoundError
leads to the next method, and the error of the last method is raised.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pixtrawl import durable
from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import temporary_name

AnyPath = str | os.PathLike[str]
"""Text is allowed because on the hot path building a `Path` costs as much as the rename."""

_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1


def _find_renameat2() -> Callable[[AnyPath, AnyPath], None] | None:
    """Return Linux's rename that refuses to replace (renameat2(2)); None if there is none."""
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None

    def rename(source: AnyPath, target: AnyPath) -> None:
        result = function(
            _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE
        )
        if result != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(source), None, str(target))

    return rename


_renameat2 = _find_renameat2()


def _link_rename(source: AnyPath, target: AnyPath) -> None:
    os.link(source, target)
    try:
        Path(source).unlink()
    except OSError:
        Path(target).unlink()  # one file must not be in two places
        raise


def _look_rename(source: AnyPath, target: AnyPath) -> None:
    """Check, then rename: racy, except towards pixtrawl itself, which holds the lock."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    Path(source).rename(target)


def move_new(source: AnyPath, target: AnyPath) -> bool:
    """Rename without replacing, creating the target's folder. Return False if the target exists.

    Raises:
        FileNotFoundError: the source is gone.
        StorageError: the disk is full, read-only, ...
    """
    try:
        _move_new(source, target)
    except FileExistsError:
        return False
    except FileNotFoundError:
        folder = Path(target).parent
        if folder.exists():
            raise
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot put {target} in place: {error}") from error
        return move_new(source, target)
    except OSError as error:
        raise StorageError(f"cannot put {target} in place: {error}") from error
    return True


def _move_new(source: AnyPath, target: AnyPath) -> None:
    if sys.platform == "win32":
        Path(source).rename(target)  # refuses to replace by itself
        return
    for rename in (_renameat2, _link_rename):
        if rename is None:
            continue
        try:
            rename(source, target)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:
            continue  # the next method reports errors that are not due to this one
        return
    _look_rename(source, target)


def replace(source: Path, target: Path) -> None:
    """Rename over an existing file, such as a worse copy.

    Raise FileNotFoundError if the source is gone, StorageError for any other failure.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(f"cannot put {target} in place: {error}") from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raise OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no hard links."""
    with contextlib.suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)


def has_bytes(path: Path, sha256: str) -> bool:
    """Return whether a file is there and whole: a power cut may leave a name without its bytes."""
    return path.is_file() and sha256_of(path) == sha256


def discard(path: Path) -> None:
    """Remove a file; do nothing if it is gone already."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def remove_empty(folder: Path) -> None:
    """Remove a label's folder if it is empty, since loaders would take it for a class."""
    with contextlib.suppress(OSError):  # it holds something, or is gone
        folder.rmdir()


def write_whole(path: Path, write: Callable[[Path], None], *, synced: bool = True) -> None:
    """Call `write` with a temporary path beside `path`, then rename that file over `path`.

    With `synced` its bytes are on the disk before the rename: after a power cut the name has the
    old or the new content, never an empty file (`durable.sync_directories` makes the rename last).
    Raise StorageError if that fails; the old content then stays.
    """
    temporary = path.with_name(temporary_name(f"{path.name}.{os.getpid()}"))
    try:
        write(temporary)
        if synced:
            durable.sync_files([temporary])
        temporary.replace(path)
    except OSError as error:
        discard(temporary)
        raise StorageError(f"cannot write {path}: {error}") from error
    except BaseException:
        discard(temporary)
        raise
