"""A data set that was copied: each file is hashed again, and a stop in between loses nothing of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest
from bench.dataset_size import make
from tests.pipeline.pictures import manifest

from pixtrawl.catalog.database import connect
from pixtrawl.cli import loop
from pixtrawl.cli.main import main
from pixtrawl.folder import files, on_disk
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.recovery import touched
from pixtrawl.pipeline import opening

IMAGES = 320  # five batches

pytestmark = [pytest.mark.timeout(90), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def copy(tmp_path: Path) -> Folder:
    make(tmp_path / "set", IMAGES, labels=1)
    shutil.copytree(tmp_path / "set", tmp_path / "copy")
    folder = Folder(tmp_path / "copy")
    with closing(connect(folder.catalog)) as db:
        sha256 = hashlib.sha256((folder.root / "label 00/000001.jpg").read_bytes()).digest()
        db.execute("UPDATE sample SET sha256 = ?", (sha256,))
    return folder


def left(folder: Folder) -> int:
    with closing(connect(folder.catalog, read_only=True)) as db:
        found = on_disk.differences(db, folder.root)
    assert found.missing == []
    assert found.unknown == []
    assert found.unrecorded == []
    return len(found.changed)


def test_the_first_signal_stops_it_and_the_next_command_goes_on(
    tmp_path: Path, copy: Folder, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    hashed: list[Path] = []
    heard = threading.Event()
    sha256_of, cancel = files.sha256_of, loop.Stop._cancel

    def stopping(path: Path) -> str:
        hashed.append(path)
        if len(hashed) == 70:  # in the second batch
            os.kill(os.getpid(), signal.SIGINT)
            assert heard.wait(60)
        return sha256_of(path)

    def cancelled(stop: loop.Stop) -> None:
        cancel(stop)
        heard.set()

    monkeypatch.setattr(files, "sha256_of", stopping)
    monkeypatch.setattr(loop.Stop, "_cancel", cancelled)
    monkeypatch.setattr(opening, "_TOLD_EVERY_S", 0.0)
    urls = manifest(tmp_path / "urls.csv", [("label 00", "http://127.0.0.1:9/1.jpg")])
    command = ["download", str(urls), "-o", str(copy.root), "--allow-address", "127.0.0.0/8"]

    assert left(copy) == IMAGES
    assert main(command) == 130
    assert len(hashed) < IMAGES
    assert left(copy) == IMAGES - len(hashed)

    main(command)
    assert left(copy) == 0
    assert len(hashed) == IMAGES, "no file was hashed twice"
    assert f"examining files altered since the last command: 64 of {IMAGES}" in (
        capsys.readouterr().err
    )


def test_files_with_other_bytes_are_told_apart_among_many(copy: Folder) -> None:
    assert left(copy) > touched.AT_ONCE
    altered = copy.root / "label 00/000100.jpg"
    altered.write_bytes(b"other bytes")
    main(["report", str(copy.root)])
    assert left(copy) == 0
    assert not altered.exists(), "it is no whole image: set aside"
