"""Files are put in place whatever the file system lacks, and the true cause is told where none can.

Each optional call is made to fail with each error that a file system has been seen to answer.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from pixtrawl.errors import StorageError
from pixtrawl.folder import files
from pixtrawl.folder.derived import writing
from pixtrawl.folder.recovery import crash
from pixtrawl.folder.sample_list import Samples
from tests.catalog.data import Data

ERRORS = [
    errno.ENOSYS, errno.EACCES, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK,
    errno.EIO, errno.EXDEV, errno.ENOTTY,
]  # fmt: skip


class Failing:
    """A call that always fails with one error."""

    def __init__(self, code: int) -> None:
        self.code = code

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise OSError(self.code, os.strerror(self.code))


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "staged"
    path.write_bytes(b"new")
    return path


@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("has_flag", [True, False], ids=["rename refuses", "no such call"])
def test_a_mount_without_links_and_flags_takes_files_all_the_same(
    staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, has_flag: bool
) -> None:
    monkeypatch.setattr(files, "_renameat2", Failing(code) if has_flag else None)
    monkeypatch.setattr(os, "link", Failing(code))
    target = tmp_path / "cat" / "000001.jpg"
    assert files.move_new(staged, target)
    assert target.read_bytes() == b"new"
    assert not staged.exists()


@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("links", [True, False])
def test_no_way_of_renaming_replaces_a_file(
    staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, links: bool
) -> None:
    monkeypatch.setattr(files, "_renameat2", Failing(code))
    if not links:
        monkeypatch.setattr(os, "link", Failing(code))
    target = tmp_path / "there"
    target.write_bytes(b"mine")
    assert not files.move_new(staged, target)
    assert (target.read_bytes(), staged.read_bytes()) == (b"mine", b"new")


def test_a_file_that_can_be_linked_and_not_unlinked_lies_in_one_place(
    staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def only_copies(path: Path, missing_ok: bool = False) -> None:
        if path == staged:
            Failing(errno.EPERM)()
        unlink(path, missing_ok)

    monkeypatch.setattr(files, "_renameat2", None)
    monkeypatch.setattr(Path, "unlink", only_copies)
    assert files.move_new(staged, tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.parametrize("first", [errno.EINVAL, errno.ENOSYS])
@pytest.mark.parametrize("last", [errno.ENOSPC, errno.EROFS])
def test_what_the_last_way_failed_of_is_reported(
    staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, last: int
) -> None:
    monkeypatch.setattr(files, "_renameat2", Failing(first))
    monkeypatch.setattr(os, "link", Failing(first))
    monkeypatch.setattr(Path, "rename", Failing(last))
    with pytest.raises(StorageError, match=os.strerror(last)):
        files.move_new(staged, tmp_path / "target")
    assert staged.read_bytes() == b"new"


def test_metadata_lists_no_image_whose_file_could_not_be_put_in_place(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = data.query()
    data.add(row, "http://h.example/1", "http://h.example/2")
    first, second = data.tasks(row)
    data.accept(first, b"one")
    data.catalog.write_now(lambda db: crash.recover(db, data.folder))
    data.accept(second, b"two")
    monkeypatch.setattr(files, "_move_new", Failing(errno.EROFS))
    with pytest.raises(StorageError, match="Read-only file system"):
        data.catalog.write_now(lambda db: crash.recover(db, data.folder))
    data.catalog.write_now(lambda db: writing.write_all(db, data.folder))
    assert data.folder.metadata.read_text().count("file_name") == 1
    assert data.folder.attribution.exists()
    monkeypatch.undo()
    data.catalog.write_now(lambda db: crash.recover(db, data.folder))
    data.catalog.write_now(lambda db: writing.write_all(db, data.folder))
    assert data.folder.metadata.read_text().count("file_name") == len(Samples(data.folder)) == 2
