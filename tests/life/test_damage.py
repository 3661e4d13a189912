"""Files with other bytes than the catalog says, and catalogs that know less than the folder has."""

from __future__ import annotations

import io
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image, ImageOps

import pixtrawl
from pixtrawl import durable
from pixtrawl.catalog.database import connect
from pixtrawl.cli.main import main
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from tests.life.sets import assert_whole, labels, on_disk, pets
from tests.matrices import matrix
from tests.pipeline.pictures import Host


def damaged(path: Path, how: str) -> bytes:
    """Spoil a file as a failing disk may, with its size kept where `how` is zeros or noise."""
    content = path.read_bytes()
    times = path.stat()
    spoilt = {
        "zeros": bytes(len(content)),
        "half zeros": content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
        "noise": os.urandom(len(content)),
        "empty": b"",
        "cut": content[: len(content) // 2],
    }[how]
    path.write_bytes(spoilt)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # a power cut does not change it
    return spoilt


@pytest.mark.parametrize(
    "how", matrix(["zeros", "half zeros", "noise", "empty", "cut"], "half zeros", "empty")
)
def test_a_damaged_file_is_set_aside_and_told_and_its_place_is_filled(
    tmp_path: Path, host: Host, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    before = set(on_disk(root).values())
    names = [sample.file_name for sample in pixtrawl.open(root)][1:4:2]
    spoilt = [damaged(root / name, how) for name in names]
    assert main(["report", str(root)]) == 0
    assert "2 files were damaged (no whole image) and set aside" in capsys.readouterr().err
    assert_whole(root)
    assert len(on_disk(root)) == 6
    held = {path.read_bytes() for path in root.glob(".pixtrawl-quarantine-*")}
    assert held >= set(spoilt)
    pets(tmp_path, host, limit=4)
    assert set(on_disk(root).values()) == before, "the same images came again"
    assert_whole(root)
    assert main(["verify", str(root)]) == 0


def test_the_next_run_fetches_a_damaged_file_again_at_once(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host)
    before = set(on_disk(root).values())
    for sample in list(pixtrawl.open(root))[:5]:
        damaged(sample.path, "zeros")
    host.asked.clear()
    pets(tmp_path, host)
    assert set(on_disk(root).values()) == before
    assert len(host.asked_files) == 5
    assert_whole(root)


def test_an_edited_file_is_kept_and_told_and_the_data_set_has_it_so(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    sample = pixtrawl.open(root)[2]
    picture = Image.open(sample.path)
    size = (picture.width // 2, picture.height // 2)
    edited = ImageOps.mirror(picture).resize(size)
    edited.save(sample.path)
    content = sample.path.read_bytes()
    assert main(["report", str(root)]) == 0
    told = capsys.readouterr().err
    assert "1 file was edited by hand" in told
    assert sample.file_name in told
    found = pixtrawl.open(root)[2]
    assert (found.path.read_bytes(), found.url) == (content, sample.url)
    assert (found.info.width, found.info.height, found.info.size_bytes) == (*size, len(content))
    assert_whole(root)
    host.asked.clear()
    pets(tmp_path, host, limit=4)
    assert host.asked_files == []
    assert sample.path.read_bytes() == content
    assert main(["verify", str(root)]) == 0
    assert "1 edited by hand" in capsys.readouterr().out
    assert main(["export", str(root), "--to", "imagefolder", "-o", str(tmp_path / "out")]) == 0


def test_a_file_that_was_only_touched_is_hashed_once(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pets(tmp_path, host, limit=4)
    for sample in pixtrawl.open(root):
        sample.path.touch()
        os.utime(sample.path)
    read: list[Path] = []
    hashed = files.sha256_of

    def watched(path: Path) -> str:
        read.append(path)
        return hashed(path)

    monkeypatch.setattr(files, "sha256_of", watched)
    assert len(pixtrawl.open(root)) == 8
    assert len(read) == 8
    assert len(pixtrawl.open(root)) == 8
    pets(tmp_path, host, limit=4)
    assert len(read) == 8
    assert_whole(root)


def test_a_copy_of_the_folder_is_the_same_data_set(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    before = on_disk(root)
    shutil.copytree(root, tmp_path / "copy")
    assert len(pixtrawl.open(tmp_path / "copy")) == 8
    assert on_disk(tmp_path / "copy") == before


def test_a_catalog_that_went_back_in_time_gives_no_picture_twice(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=2)
    catalog = (root / ".pixtrawl-catalog.sqlite3").read_bytes()
    pets(tmp_path, host, limit=6)
    before = on_disk(root)
    (root / ".pixtrawl-catalog.sqlite3").write_bytes(catalog)
    pets(tmp_path, host, limit=6)
    assert on_disk(root) == before, "the files were taken as they lay there"
    assert_whole(root)
    pets(tmp_path, host)
    assert labels(root) == {"cat": 10, "dog": 10}
    assert len(set(on_disk(root).values())) == 20
    assert_whole(root)


def test_a_file_that_no_row_knows_and_no_url_brings_is_set_aside_and_not_removed(
    tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=2)
    content = io.BytesIO()
    Image.effect_noise((80, 60), 90).convert("RGB").save(content, "png")
    (root / "cat/000077.png").write_bytes(content.getvalue())  # as a lost row would leave it
    (root / "cat/mine.png").write_bytes(content.getvalue())
    pets(tmp_path, host, limit=3)
    assert not (root / "cat/000077.png").exists()
    assert (root / "cat/mine.png").exists(), "it has no number of ours"
    held = {path.read_bytes() for path in root.glob(".pixtrawl-quarantine-*")}
    assert content.getvalue() in held


def test_a_second_copy_with_a_number_is_set_aside(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=3)
    sample = pixtrawl.open(root)[0]
    shutil.copyfile(sample.path, root / "cat/000500.png")
    pets(tmp_path, host, limit=3)
    assert not (root / "cat/000500.png").exists()
    assert_whole(root)


@pytest.mark.parametrize("boot", ["same", "other"])
def test_what_was_not_synced_is_doubted_after_a_start_of_the_system(
    tmp_path: Path, host: Host, boot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "boot_id", lambda: "first")
    rows = [f"{host.url}/{n}.png" for n in range(6)]
    (tmp_path / "list.txt").write_text("\n".join(rows))
    command = [
        "download", str(tmp_path / "list.txt"), "-o", str(tmp_path / "set"), "-q",
        "--allow-address", "127.0.0.0/8", "--durability", "none",
    ]  # fmt: skip
    assert main(command) == 0
    root = tmp_path / "set"
    before = set(on_disk(root).values())
    first, *_ = sorted(root.glob("list/*"))
    first.unlink()  # by hand, or because its rename never reached the disk
    monkeypatch.setattr(durable, "boot_id", lambda: "first" if boot == "same" else "second")
    assert main(command) == 0
    assert (set(on_disk(root).values()) == before) == (boot == "other")
    with closing(connect(Folder(root).catalog, read_only=True)) as db:
        point, last = db.execute(
            "SELECT (SELECT sample_id FROM durable_point), max(id) FROM sample"
        ).fetchone()
    assert point < last, "a run without durability moves no durable point"
    assert_whole(root)
