"""Image files: from the staging folder to their place, never over another file by accident.

Staged files lie in the data set folder, so that a rename is atomic and stays on one file system.

What a file system lacks (renames that refuse to replace, hard links) it says by whatever error its
author chose: EINVAL, ENOSYS, EPERM, EACCES, EIO have been seen. So every error but the two that
mean something leads to the next best way, and the error of the last one is told.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import temporary_name

AnyPath = str | os.PathLike[str]
"""Files are put in place by the thousand: text does where a `Path` would cost as much as the move.
"""

_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1


def _find_renameat2() -> Callable[[AnyPath, AnyPath], None] | None:
    """Linux's rename that refuses to replace, in one system call (renameat2(2))."""
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
        Path(target).unlink()  # one file must not lie in two places
        raise


def _look_rename(source: AnyPath, target: AnyPath) -> None:
    """Another process could come in between; the lock of the data set keeps ours out."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    Path(source).rename(target)


def move_new(source: AnyPath, target: AnyPath) -> bool:
    """Renames without replacing. Returns False where the target exists already.

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
            continue  # the next way says what is wrong, if more than this one is
        return
    _look_rename(source, target)


def replace(source: Path, target: Path) -> None:
    """Renames over whatever is there: a better copy takes its predecessor's place."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(f"cannot put {target} in place: {error}") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def discard(path: Path) -> None:
    """Removes a file that may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def remove_empty(folder: Path) -> None:
    """Removes a label's folder that holds nothing any more: to a loader it is a class still."""
    with contextlib.suppress(OSError):  # it holds something, or is gone
        folder.rmdir()


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` make a temporary file beside `path`, then renames it over `path`.

    Raises StorageError; the old content stays then.
    """
    temporary = path.with_name(temporary_name(f"{path.name}.{os.getpid()}"))
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        discard(temporary)
        raise StorageError(f"cannot write {path}: {error}") from error
    except BaseException:
        discard(temporary)
        raise
