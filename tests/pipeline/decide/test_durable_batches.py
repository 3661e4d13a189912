"""A batch reaches the disk in the order in which a power cut harms nothing."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pixtrawl import durable
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.pipeline.decide.settler import Settler
from tests.pipeline.decide.court import Court, picture, saved

Synced = list[tuple[str, list[int]]]


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    court = Court(tmp_path)
    yield court
    court.catalog.close()


def stage(court: Court, settler: Settler, look: int) -> None:
    task = court.task(court.join())
    (court.folder.staging / f"staged-{task.id}").write_bytes(b"picture")
    settler.offer(task, saved(task, picture(look)))


def settle(court: Court, count: int) -> None:
    async def main() -> None:
        settler = Settler(court.catalog, court.folder, court.judge)
        for look in range(count):
            stage(court, settler, look)
        settler.close()
        await settler.run(lambda decision: None)

    asyncio.run(main())


@pytest.fixture
def synced(court: Court, monkeypatch: pytest.MonkeyPatch) -> Synced:
    """What is synced, and the states of the images' rows at that moment."""
    seen: Synced = []
    main = threading.get_ident()

    def watching(call: Callable[[int], None]) -> Callable[[int], None]:
        def watched(handle: int) -> None:
            assert threading.get_ident() != main, "the event loop waits for the disk"
            with closing(sqlite3.connect(court.folder.catalog)) as db:
                states = [state for (state,) in db.execute("SELECT state FROM sample")]
            name = Path(f"/proc/self/fd/{handle}").readlink()
            seen.append((str(name.relative_to(court.folder.root)).strip("."), states))
            call(handle)

        return watched

    monkeypatch.setattr(durable, "sync_file", watching(durable.sync_file))
    monkeypatch.setattr(os, "fsync", watching(os.fsync))
    return seen


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to tell what is synced")
def test_bytes_come_before_rows_and_renames_before_their_mark(court: Court, synced: Synced) -> None:
    settle(court, 3)
    accepted = [SampleState.ACCEPTED] * 3
    assert sorted(synced[:3]) == [(f"staged-{task}", []) for task in (1, 2, 3)]
    assert synced[3:] == [("", []), ("cat", accepted), ("", accepted)]
    assert court.states() == [SampleState.PLACED] * 3


def test_a_run_without_durability_waits_for_nothing(court: Court, synced: Synced) -> None:
    court.folder.durable = False
    settle(court, 2)
    assert synced == []
    assert court.states() == [SampleState.PLACED] * 2


def test_an_image_whose_bytes_the_disk_refuses_gets_no_row(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(durable, "sync_file", refuse)
    with pytest.raises(StorageError, match="cannot be written to the disk: Input/output error"):
        settle(court, 2)
    assert court.states() == []
    assert not list(court.folder.root.glob("cat/*"))


def test_a_commit_that_files_rely_on_is_synced(court: Court) -> None:
    def level(db: sqlite3.Connection) -> int:
        return int(db.execute("PRAGMA synchronous").fetchone()[0])

    assert court.catalog.write_now(level) == 2  # FULL
    assert court.catalog.write_now(level, synced=False) == 1  # NORMAL


def test_a_folder_is_durable_unless_told_otherwise(tmp_path: Path) -> None:
    assert Folder(tmp_path).durable


@pytest.mark.parametrize("count", [0, 1, 40, 300])
def test_files_are_synced_whatever_their_number_and_gone_ones_are_skipped(
    tmp_path: Path, count: int
) -> None:
    paths = [tmp_path / f"{number}" for number in range(count)]
    for path in paths[1:]:
        path.write_bytes(b"bytes")
    durable.sync_files(paths)
    durable.sync_many(tmp_path, paths)
    durable.sync_directories([tmp_path, tmp_path / "gone"])
