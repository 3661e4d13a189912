"""A power cut at any moment, the same command again: nothing is lost, nothing is there twice.

A run is recorded call by call; from the record come the states of the disk that a power cut can
leave (`states.py`). Each is recovered by the same command. `make power-cuts` tries 500.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from pixtrawl.catalog.database import integrity_fault
from tests.life.sets import assert_whole, on_disk
from tests.matrices import matrix
from tests.pipeline.pictures import Host, fetch, manifest, saved, scene, serving
from tests.power_cut.states import Disk, Operation, read

CUTS: Final = int(os.environ.get("PIXTRAWL_POWER_CUTS", "10"))
SEED: Final = int(os.environ.get("PIXTRAWL_POWER_CUT_SEED", "7"))
IMAGES: Final = 12
COMPILER: Final = shutil.which("gcc") or shutil.which("cc")

pytestmark = [
    pytest.mark.timeout(120 + 10 * CUTS),
    pytest.mark.skipif(sys.platform != "linux", reason="records calls of Linux' C library"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler to build the recorder with"),
    pytest.mark.skipif(
        ctypes.util.find_library("sqlite3") is None,
        reason="SQLite is built into Python: its calls are not seen",
    ),
]


@dataclass(frozen=True)
class Recorded:
    """A run, call by call, and what it is to give."""

    operations: list[Operation]
    list_of_urls: Path
    hashes: dict[str, str]  # SHA-256 by path on the server


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with serving(saved(scene, IMAGES)) as running:
        yield running


@pytest.fixture(scope="module")
def recorded(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    recorder, log, root = folder / "recorder.so", folder / "log", folder / "set"
    source = Path(__file__).with_name("recorder.c")
    assert COMPILER is not None
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-O1", "-o", recorder, source, "-ldl", "-lpthread"],
        check=True,
    )
    rows = [("cat" if n % 2 else "dog", f"{host.url}/{n}.png") for n in range(IMAGES)]
    urls = manifest(folder / "list.jsonl", rows)
    root.mkdir()
    record = {
        "LD_PRELOAD": str(recorder), "PIXTRAWL_RECORD_ROOT": str(root), "PIXTRAWL_RECORD_LOG": str(log),
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "pixtrawl", "download", str(urls), "-o", str(root), "-q",
         "--allow-address", "127.0.0.0/8", "--delay", "0.12", "--per-host", "1"],
        env=os.environ | record, check=True, timeout=100,
    )  # fmt: skip
    assert_whole(root)
    content = {
        path: hashlib.sha256(answer).hexdigest()
        for path, answer in host.answers.items()
        if isinstance(answer, bytes)
    }
    assert set(on_disk(root).values()) == set(content.values())
    return Recorded(read(log, root), urls, content)


def test_the_record_is_complete(recorded: Recorded, tmp_path: Path) -> None:
    """Without a power cut the record gives the data set that the run left."""
    kinds = {one.kind for one in recorded.operations}
    assert kinds >= {"create", "write", "rename", "unlink", "mkdir", "sync"}
    Disk([*recorded.operations, Operation("syncall", 0, 0, b"", ".")]).after_power_cut(
        tmp_path / "set", random.Random(0)
    )
    assert_whole(tmp_path / "set")
    assert set(on_disk(tmp_path / "set").values()) == set(recorded.hashes.values())


@pytest.mark.parametrize("number", matrix(range(CUTS), 0, 1, 2))
def test_a_power_cut_loses_nothing_and_doubles_nothing(
    recorded: Recorded, host: Host, tmp_path: Path, number: int
) -> None:
    chance = random.Random(f"{SEED} {number}")
    moment = chance.randrange(len(recorded.operations) + 1)
    disk = Disk(recorded.operations[:moment])
    root = tmp_path / "set"
    disk.after_power_cut(root, chance)
    safe = set(disk.placed())
    there = {name: sha256 for name, sha256 in on_disk(root).items() if name in safe}
    assert there.keys() == safe, "a name that was synced is gone"
    assert set(there.values()) <= set(recorded.hashes.values()), "bytes were not synced"
    host.asked.clear()
    fetch(recorded.list_of_urls, root)
    after = on_disk(root)
    assert sorted(after.values()) == sorted(recorded.hashes.values()), "lost or doubled"
    assert_whole(root)
    with closing(sqlite3.connect(root / ".pixtrawl-catalog.sqlite3")) as db:
        assert integrity_fault(db) is None
        assert db.execute("SELECT count(*) FROM sample WHERE state <> 1").fetchone() == (0,)
    again = {recorded.hashes[path] for path in host.asked if path in recorded.hashes}
    assert not again & set(there.values()), "what was saved is asked for again"
    assert {name: after[name] for name in there} == there, "an image changed its name"
