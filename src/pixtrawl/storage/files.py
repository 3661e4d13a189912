"""Image files: from the staging folder to their place, never over another file by accident.

Staging lies inside the data set folder, so that a rename is atomic and stays on one file system.
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
    Path(source).unlink()


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
        folder.mkdir(parents=True, exist_ok=True)
        return move_new(source, target)
    except OSError as error:
        raise StorageError(f"cannot put {target} in place: {error}") from error
    return True


def _move_new(source: AnyPath, target: AnyPath) -> None:
    if sys.platform == "win32":
        Path(source).rename(target)  # refuses to replace by itself
        return
    if _renameat2 is not None:
        try:
            _renameat2(source, target)
        except OSError as error:
            # The kernel or the file system (NFS, some FUSE) does not know the flag.
            if error.errno not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
                raise
        else:
            return
    try:
        _link_rename(source, target)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        # No hard links here (FAT, some network shares): the best left is look, then rename.
        if Path(target).exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        Path(source).rename(target)


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


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` make a temporary file beside `path`, then renames it over `path`.

    Raises StorageError; the old content stays then.
    """
    temporary = path.parent / ".pixtrawl" / f"{path.name}.{os.getpid()}.tmp"
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        discard(temporary)
        raise StorageError(f"cannot write {path}: {error}") from error
    except BaseException:
        discard(temporary)
        raise
