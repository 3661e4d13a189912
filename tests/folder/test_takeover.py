"""A data set of an older version is read as it lies, and taken over by the first who writes."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.catalog import samples
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.catalog.files import derived_mark
from pixtrawl.errors import StorageError
from pixtrawl.folder import evidence, quarantine, takeover
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.recovery import crash
from pixtrawl.pipeline.curating import curate
from tests import warm_command
from tests.catalog.data import Data

from .old_layout import to_old_layout

PICTURE = b"a copy that was dropped"
SHA256 = hashlib.sha256(PICTURE).hexdigest()
TAKE_OVER_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pixtrawl.folder import files, takeover
from pixtrawl.folder.dataset_folder import Folder, DatasetLock
left = int(sys.argv[2])
def dying(function):
    def counted(*given):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given)
    return counted
for name in ("move_new", "discard"):
    setattr(files, name, dying(getattr(files, name)))
Path.rmdir = dying(Path.rmdir)
with DatasetLock(Folder(sys.argv[1])):
    pass
"""


@pytest.fixture
def old_set(data: Data) -> Path:
    """One placed image, one decided and staged, a copy aside, evidence, a pack, files unknown."""
    row = data.query()
    data.add(row, "http://h.example/1", "http://h.example/2")
    first, second = data.tasks(row)
    data.accept(first, b"one")
    data.catalog.write_now(lambda db: crash.recover(db, data.folder))
    data.accept(second, b"two")
    data.catalog.write_now(derived_mark.clear)  # older versions had no such mark
    data.catalog.close()
    root = data.folder.root
    old = to_old_layout(root)
    (old / "quarantine" / f"{SHA256}.jpg").write_bytes(PICTURE)
    (old / "evidence" / "bing-changed.html").write_text("<p>page")
    (old / "evidence" / "google.png").write_bytes(b"\x89PNG screenshot")
    (old / "renditions").mkdir()
    (old / "renditions" / "ab.pack").write_bytes(b"pack")
    (old / "metadata.jsonl.7.tmp").write_bytes(b"half")
    (old / "notes.txt").write_bytes(b"mine")
    (old / "evidence" / "deep").mkdir()
    (old / "evidence" / "deep" / "x.jpg").write_bytes(b"mine, too")
    return root


def held_bytes(root: Path) -> dict[bytes, int]:
    """Contents of all files but catalogs, locks and half-written ones, and how often each is."""
    found: dict[bytes, int] = {}
    for path in root.rglob("*"):
        if path.is_file() and "sqlite3" not in path.name and "lock" not in path.name:
            content = path.read_bytes()
            found[content] = found.get(content, 0) + (content != b"half")
    return {content: count for content, count in found.items() if count}


def _holds(path: Path, content: bytes) -> bool:
    return path.stat().st_size == len(content) and path.read_bytes() == content


def assert_taken_over(root: Path) -> None:
    folder = Folder(root)
    assert [path.name for path in root.iterdir() if path.is_dir()] == ["cat"]
    assert not (root / ".pixtrawl").exists()
    with DatasetLock(folder):
        catalog = Catalog(folder.catalog)
        found = catalog.write_now(lambda db: crash.recover(db, folder))
        catalog.close()
    assert (found.placed, found.lost, found.by_hand.deleted, found.unknown) == (1, 0, 0, [])
    assert {path.read_bytes() for path in root.glob("cat/*")} == {b"one", b"two"}
    aside = quarantine.find(folder, SHA256)
    assert aside is not None
    assert aside.read_bytes() == PICTURE
    assert (root / ".pixtrawl-evidence-bing-changed.html").exists()
    assert evidence.where(folder, ".pixtrawl/evidence/google.png") == (
        ".pixtrawl-evidence-google.png.held"
    )
    assert (root / ".pixtrawl-renditions-ab.pack").exists()
    assert (root / ".pixtrawl-old-notes.txt.held").read_bytes() == b"mine"


def test_all_that_the_old_folder_held_lies_among_hidden_files_then(old_set: Path) -> None:
    before = held_bytes(old_set)
    with DatasetLock(Folder(old_set)):
        pass
    assert held_bytes(old_set) == before
    assert_taken_over(old_set)


def test_killed_at_every_step_nothing_is_lost(old_set: Path) -> None:
    """Each start is killed one step later than the one before, until one comes through."""
    before = held_bytes(old_set)
    for steps in range(60):
        script = [sys.executable, "-c", TAKE_OVER_AND_DIE, str(old_set), str(steps % 4)]
        ended = warm_command.run(script, timeout=60)
        assert held_bytes(old_set) == before
        with closing(connect(Folder(old_set).catalog, read_only=True)) as db:
            assert samples.count(db) == 2  # readers see it whole, whatever lies where
        if ended.returncode == 0:
            break
        assert ended.returncode == -9
    assert steps > 2
    assert_taken_over(old_set)


def test_readers_need_no_new_layout_and_change_nothing(old_set: Path) -> None:
    (staged,) = (path for path in old_set.rglob("*") if path.is_file() and _holds(path, b"two"))
    staged.rename(old_set / "cat/000002.jpg")  # nothing is left that a killed run only decided
    names = sorted(path.relative_to(old_set) for path in old_set.rglob("*"))
    folder = Folder(old_set)
    found = pixtrawl.open(old_set)
    assert [sample.file_name for sample in found] == ["cat/000001.jpg", "cat/000002.jpg"]
    assert found.report["totals"]["saved"] == 2
    assert curate.copies(folder) == []
    assert quarantine.find(folder, SHA256) == old_set / ".pixtrawl" / "quarantine" / f"{SHA256}.jpg"
    old = ".pixtrawl/evidence/google.png"
    assert evidence.where(folder, old) == old
    left = [n for n in (p.relative_to(old_set) for p in old_set.rglob("*")) if "-" not in n.name]
    assert sorted(left) == [name for name in names if "-" not in name.name]


def test_a_run_of_an_older_version_at_work_is_not_disturbed(old_set: Path) -> None:
    lock = (
        "import fcntl, sys\nfile = open(sys.argv[1], 'a+')\nfcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", lock, str(old_set / ".pixtrawl" / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StorageError, match="is in use"), DatasetLock(Folder(old_set)):
            pass
    assert (old_set / ".pixtrawl" / "catalog.sqlite3").exists()
    with DatasetLock(Folder(old_set)):
        assert not (old_set / ".pixtrawl").exists()


def test_a_catalog_that_an_older_version_made_beside_the_new_one_is_kept(old_set: Path) -> None:
    with DatasetLock(Folder(old_set)):
        pass
    (old_set / ".pixtrawl").mkdir()
    made_later = Catalog(old_set / ".pixtrawl" / "catalog.sqlite3")
    made_later.close()
    with DatasetLock(Folder(old_set)):
        pass
    assert (old_set / ".pixtrawl-old-catalog.sqlite3.1.held").exists()
    assert_taken_over(old_set)


def test_a_control_folder_on_another_disk_is_brought_home(
    old_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "fast disk"
    (old_set / ".pixtrawl").rename(elsewhere)
    (old_set / ".pixtrawl").symlink_to(elsewhere)
    monkeypatch.setattr(takeover, "_same_disk", lambda *_: False)
    with DatasetLock(Folder(old_set)):
        pass
    assert_taken_over(old_set)
    assert not elsewhere.exists() or not any(elsewhere.iterdir())


def test_a_disk_that_fails_is_reported_and_the_next_start_goes_on(
    old_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rmdir", full)
        with pytest.raises(StorageError, match="No space left"), DatasetLock(Folder(old_set)):
            pass
    with DatasetLock(Folder(old_set)):
        pass
    assert_taken_over(old_set)
