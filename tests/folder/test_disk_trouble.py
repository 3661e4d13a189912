"""A full disk is told with the folder, what is free, and the next step."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.disk_trouble import cause_of, explained_disk_errors

SPACE = OSError(errno.ENOSPC, "No space left on device")


def _caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        SPACE,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        sqlite3.OperationalError("database or disk is full"),
        _caused(
            StorageError("the catalog cannot be written"),
            sqlite3.OperationalError("database or disk is full"),
        ),
        ExceptionGroup("tasks", [ValueError("x"), ExceptionGroup("more", [SPACE])]),
    ],
)
def test_every_form_of_a_full_disk_is_one_sentence(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught, explained_disk_errors(Folder(tmp_path)):
        raise error
    text = str(caught.value)
    assert str(tmp_path) in text
    assert " free" in text
    assert "0 images are safe" in text
    assert "the same command goes on" in text
    assert "Errno" not in text
    assert ("quota" in text) == (isinstance(error, OSError) and error.errno == errno.EDQUOT)


def test_a_device_that_is_really_full_is_recognised(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with (
        pytest.raises(StorageError, match="the disk is full"),
        explained_disk_errors(Folder(tmp_path)),
    ):
        Path("/dev/full").write_text("x")


@pytest.mark.parametrize(
    "error", [ValueError("full"), OSError(errno.EACCES, "no"), StorageError("in use")]
)
def test_other_errors_stay_what_they_are(error: Exception, tmp_path: Path) -> None:
    assert cause_of(error) is None
    with pytest.raises(type(error)), explained_disk_errors(Folder(tmp_path)):
        raise error
