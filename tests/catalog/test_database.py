"""The catalog: migrations, one writer, and a lock that dies with its process."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pixtrawl.catalog import database
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.catalog.schema import tables as schema
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import DatasetLock, Folder, in_use
from pixtrawl.folder.known_queries import known_queries
from tests.catalog.earlier import columns, downgrade
from tests.matrices import sample


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "images")
    folder.create()
    return folder


def test_a_new_catalog_has_the_newest_schema(folder: Folder) -> None:
    catalog = Catalog(folder.catalog)
    version = catalog.write_now(lambda db: db.execute("PRAGMA user_version").fetchone()[0])
    catalog.close()
    assert version == len(schema.MIGRATIONS)


# The step from each version to the next is in the way from every earlier one.
@pytest.mark.parametrize("version", sample(range(1, len(schema.MIGRATIONS)), 4))
def test_a_catalog_of_every_earlier_format_becomes_todays(tmp_path: Path, version: int) -> None:
    with closing(Catalog(tmp_path / "new.sqlite3")), closing(Catalog(tmp_path / "old.sqlite3")):
        pass
    with closing(sqlite3.connect(tmp_path / "old.sqlite3")) as db:
        downgrade(db, version)
    with closing(Catalog(tmp_path / "old.sqlite3")):
        pass
    assert _schema(tmp_path / "old.sqlite3") == _schema(tmp_path / "new.sqlite3")


def _schema(path: Path) -> dict[str, list[str]]:
    """SQL of each index and trigger, columns of each table."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return {
            name: sorted(columns(db, name)) if kind == "table" else [sql]
            for kind, name, sql in rows.fetchall()
        }


def test_a_catalog_from_the_future_is_refused_with_the_next_step(folder: Folder) -> None:
    with sqlite3.connect(folder.catalog) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(StorageError, match="newer pixtrawl"):
        Catalog(folder.catalog)


def test_a_file_that_is_no_catalog_is_refused_in_one_line(folder: Folder) -> None:
    folder.catalog.write_bytes(b"this is no database, it is text" * 100)
    with pytest.raises(StorageError, match=r"cannot use the catalog|damaged"):
        Catalog(folder.catalog)


def test_an_exception_rolls_the_whole_transaction_back(folder: Folder) -> None:
    catalog = Catalog(folder.catalog)

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO takedown VALUES ('url', 'x', 'now')")
        raise KeyError("half-way")

    with pytest.raises(KeyError):
        catalog.write_now(half)
    count = catalog.write_now(lambda db: db.execute("SELECT count(*) FROM takedown").fetchone()[0])
    catalog.close()
    assert count == 0


def test_a_cancelled_writer_has_written_before_it_leaves(folder: Folder) -> None:
    catalog = Catalog(folder.catalog)

    def slow(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO takedown VALUES ('url', 'x', 'now')")
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "
            "SELECT max(i) FROM n"
        ).fetchone()

    async def main() -> None:
        task = asyncio.create_task(catalog.write(slow))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    count = catalog.write_now(lambda db: db.execute("SELECT count(*) FROM takedown").fetchone()[0])
    catalog.close()
    assert count == 1


HOLDER = """
import sys, time
from pixtrawl.folder.dataset_folder import Folder, DatasetLock
with DatasetLock(Folder(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_data_set_in_use_is_refused_and_a_killed_holder_leaves_no_lock(folder: Folder) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.root)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert in_use(folder)
        with pytest.raises(StorageError, match=f"process {holder.pid}"), DatasetLock(folder):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with DatasetLock(folder):
        pass
    assert not in_use(folder)


def test_two_runs_in_one_process_exclude_each_other(folder: Folder) -> None:
    with (
        DatasetLock(folder),
        pytest.raises(StorageError, match="very process"),
        DatasetLock(folder),
    ):
        pass


def test_a_catalog_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog.sqlite3"

    def killed(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE query (id)")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pixtrawl.catalog.database.migrate", killed)
        with pytest.raises(KeyboardInterrupt):
            Catalog(path)
    assert not path.exists()
    Catalog(path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["catalog.sqlite3"]


def test_an_empty_file_in_place_of_the_catalog_is_no_data_set_yet(folder: Folder) -> None:
    folder.catalog.touch()
    assert known_queries(folder) == []
    catalog = Catalog(folder.catalog)
    assert catalog.write_now(lambda db: db.execute("SELECT count(*) FROM query").fetchone()) == (0,)
    catalog.close()


def test_an_older_catalog_whose_copy_cannot_be_brought_up_to_date_leaves_none_open(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    Catalog(folder.catalog).close()
    db = sqlite3.connect(folder.catalog)
    db.execute("PRAGMA user_version = 1")
    db.close()
    tried: list[sqlite3.Connection] = []

    def fails(connection: sqlite3.Connection) -> None:
        tried.append(connection)
        raise sqlite3.DatabaseError("disk image is malformed")

    monkeypatch.setattr(database, "migrate", fails)
    read = connect(folder.catalog, read_only=True)
    assert read.execute("PRAGMA user_version").fetchone() == (1,)
    read.close()
    assert len(tried) == 2  # the file itself, then its copy
    for connection in tried:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
