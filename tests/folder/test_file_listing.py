"""The digest of all files by which a large set is opened without reading its rows."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from bench.dataset_size import make

from pixtrawl import durable
from pixtrawl.catalog import kept
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.files import listing as file_listing, records as file_records
from pixtrawl.catalog.files.listing import KnownFiles
from pixtrawl.folder import folder_listing, on_disk
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.derived import writing
from pixtrawl.folder.folder_listing import FolderListing, FolderTimes
from pixtrawl.folder.on_disk import Differences
from pixtrawl.folder.recovery.catch_up import catch_up

IMAGES = 6


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    make(tmp_path / "set", IMAGES, labels=2)
    folder = Folder(tmp_path / "set")
    catch_up(folder)  # the first opening writes metadata.jsonl and its like
    monkeypatch.setattr(on_disk, "WORTH_REMEMBERING", IMAGES)
    return folder


@pytest.fixture
def settled(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The set some seconds later, opened once by a reader."""
    later(monkeypatch, 10)
    catch_up(folder, contents=False)
    assert known(folder).folders is not None
    return folder


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    clock = SimpleNamespace(time_ns=lambda: time.time_ns() + seconds * 10**9)
    monkeypatch.setattr(folder_listing, "time", clock)


def differences(folder: Folder, *, contents: bool = True) -> Differences:
    with closing(connect(folder.catalog, read_only=True)) as db:
        return on_disk.differences(db, folder.root, contents=contents)


def known(folder: Folder) -> KnownFiles:
    with closing(connect(folder.catalog, read_only=True)) as db:
        return file_listing.read(db)


def refuse(*_: object) -> None:
    raise AssertionError("a row was read")


def test_the_second_opening_reads_no_row_of_an_image(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up(folder)
    assert known(folder).digest is not None

    monkeypatch.setattr(file_records, "marked", refuse)
    monkeypatch.setattr(kept, "places", refuse)
    found = differences(folder)

    assert (found.missing, found.changed, found.unknown) == ([], [], [])
    assert found.folders == {"label 00", "label 01"}


def test_a_small_set_is_not_written_by_a_reader(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_disk, "WORTH_REMEMBERING", IMAGES + 1)
    catch_up(folder)
    assert known(folder).digest is None


def test_a_set_that_a_run_holds_is_not_written_by_a_reader(folder: Folder) -> None:
    with DatasetLock(folder):
        catch_up(folder)
    assert known(folder).digest is None


def delete(root: Path) -> None:
    (root / "label 00/000002.jpg").unlink()


def add(root: Path) -> None:
    (root / "label 00/mine.jpg").write_bytes(b"mine")


def add_a_folder(root: Path) -> None:
    (root / "mine").mkdir()
    (root / "mine/1.jpg").write_bytes(b"mine")


def rename(root: Path) -> None:
    (root / "label 00/000002.jpg").rename(root / "label 00/mine.jpg")


def rename_the_label(root: Path) -> None:
    (root / "label 00").rename(root / "mine")


def move(root: Path) -> None:
    (root / "label 00/000002.jpg").rename(root / "label 01/000002.jpg")


def swap(root: Path) -> None:
    one, other = root / "label 00/000002.jpg", root / "label 00/000004.jpg"
    one.rename(root / "third")
    other.rename(one)
    (root / "third").rename(other)


def edit_in_place(root: Path) -> None:
    path = root / "label 00/000002.jpg"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"edited")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # its change time still tells


def replace_by_a_dangling_link(root: Path) -> None:
    path = root / "label 00/000002.jpg"
    path.unlink()
    path.symlink_to(root / "nowhere")


CHANGES = (
    delete, add, add_a_folder, rename, rename_the_label, move, swap, edit_in_place,
    replace_by_a_dangling_link,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_by_hand_is_found_as_without_it(
    folder: Folder, change: Callable[[Path], None]
) -> None:
    catch_up(folder)
    assert known(folder).digest is not None
    change(folder.root)
    found = differences(folder)
    with closing(connect(folder.catalog)) as db:
        db.execute("UPDATE file_listing SET digest = NULL")
    without = differences(folder)
    assert found == without
    assert found.known is None
    dangling = change is replace_by_a_dangling_link  # counts as present
    assert dangling or found.missing or found.changed or found.unknown


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sample SET state = 2 WHERE id = 1",
        "UPDATE sample SET label = 'x' WHERE id = 1",
        "UPDATE sample SET file_name = 'x' WHERE id = 1",
        "DELETE FROM sample WHERE id = 1",
        "UPDATE file_record SET inode = 1 WHERE sample_id = 1",
        "INSERT OR REPLACE INTO file_record VALUES (1, 1, 1, 1, 1)",
        "INSERT INTO file_record VALUES (99, 1, 1, 1, 1)",
        "DELETE FROM file_record WHERE sample_id = 1",
    ],
)
def test_a_change_of_a_row_drops_it_in_the_same_transaction(folder: Folder, statement: str) -> None:
    catch_up(folder)
    before = known(folder)
    assert before.digest is not None
    with closing(connect(folder.catalog)) as db:
        db.execute("BEGIN")
        db.execute(statement)
        db.execute("ROLLBACK")
        assert file_listing.read(db) == before, "the row is as it was, and so is this"
        db.execute(statement)
        now = file_listing.read(db)
    assert now.digest is None
    assert now.revision > before.revision


def test_it_is_not_saved_where_a_row_changed_while_files_were_compared(folder: Folder) -> None:
    found = differences(folder).known
    assert found is not None
    with closing(sqlite3.connect(folder.catalog)) as db, db:
        db.execute("UPDATE sample SET state = 2 WHERE id = 1")
    file_listing.save(folder.catalog, found)
    assert known(folder).digest is None


def test_a_file_in_the_folder_that_no_row_names_keeps_it_from_being_saved(folder: Folder) -> None:
    add(folder.root)
    assert differences(folder).unknown == ["label 00/mine.jpg"]
    assert differences(folder).known is None


def written(folder: Folder) -> None:
    with closing(connect(folder.catalog)) as db:
        db.execute("UPDATE sample SET label = label")
        assert file_listing.read(db).digest is None
        db.execute("BEGIN")
        writing.write_all(db, folder)
        db.execute("COMMIT")


def test_who_changes_rows_and_writes_the_derived_files_spares_the_next_reader(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, 10)
    written(folder)
    monkeypatch.setattr(FolderListing, "batches", refuse)
    assert not differences(folder, contents=False).missing


def test_who_writes_the_derived_files_vouches_for_no_file_that_a_person_changed(
    folder: Folder,
) -> None:
    edit_in_place(folder.root)
    written(folder)
    assert known(folder).digest is None
    assert [one.row.file_name for one in differences(folder).changed] == ["label 00/000002.jpg"]


def test_a_catalog_that_has_lost_it_is_read_as_before(folder: Folder) -> None:
    with closing(sqlite3.connect(folder.catalog)) as db, db:
        db.execute("DELETE FROM file_listing")
    delete(folder.root)
    assert [row.file_name for row in differences(folder).missing] == ["label 00/000002.jpg"]


def test_a_reader_looks_at_no_file_while_no_folder_changes(
    settled: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderListing, "batches", refuse)
    found = differences(settled, contents=False)
    assert (found.missing, found.changed, found.unknown, found.known) == ([], [], [], None)
    assert found.folders == {"label 00", "label 01"}


@pytest.mark.parametrize("change", [one for one in CHANGES if one is not edit_in_place])
def test_a_reader_finds_every_change_of_a_folder(
    settled: Folder, change: Callable[[Path], None]
) -> None:
    change(settled.root)
    assert differences(settled, contents=False) == differences(settled)


def test_bytes_changed_in_place_are_found_by_who_passes_files_on(settled: Folder) -> None:
    edit_in_place(settled.root)
    assert not differences(settled, contents=False).changed
    assert [one.row.file_name for one in differences(settled).changed] == ["label 00/000002.jpg"]


def test_bytes_changed_in_place_are_found_by_a_reader_the_next_day(
    settled: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_in_place(settled.root)
    later(monkeypatch, 86_400)
    assert len(differences(settled, contents=False).changed) == 1


def test_bytes_lost_in_a_power_cut_are_found_by_the_first_reader(
    settled: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_in_place(settled.root)
    monkeypatch.setattr(durable, "boot_id", lambda: "the next start")
    assert len(differences(settled, contents=False).changed) == 1


def test_a_folder_that_changed_just_now_vouches_for_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_ns = max((folder.root / label).stat().st_mtime_ns for label in ("label 00", "label 01"))
    clock = SimpleNamespace(time_ns=lambda: changed_ns + 10**9)
    monkeypatch.setattr(folder_listing, "time", clock)
    catch_up(folder)
    assert known(folder).digest is not None
    assert known(folder).folders is None


def test_a_file_that_is_younger_than_its_folder_keeps_it_from_vouching(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, 10)
    folders = on_disk.label_folders(folder.root)[0]
    times, listing = FolderTimes(folders), FolderListing()
    for one in folders:
        assert len(list(listing.batches(one))) == 1
    assert times.vouching(listing) == times.digest
    listing.newest_ns[folders[0].path] += 3 * 10**9  # as where a folder does not note new files
    assert times.vouching(listing) is None
