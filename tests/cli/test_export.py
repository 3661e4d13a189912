"""`pixtrawl export` from the command line, on a data set with a catalog."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.catalog.data import Data
from tests.exporters.dataset import encoded, picture, tree

from pixtrawl.catalog.files import records as file_records
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_NOTHING, EXIT_OK, EXIT_UNEXPECTED, EXIT_USAGE
from pixtrawl.folder.dataset_folder import Folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two labels with six pictures each."""
    data = Data(tmp_path / "images")
    for place, text in enumerate(("cat", "steam train")):
        query = data.query(text)
        data.add(query, *(f"https://h{n}.example/{place}/{n}.jpg" for n in range(6)))
        for number, task in enumerate(data.tasks(query)):
            content = encoded(picture(100 * place + number))
            path = data.folder.root / data.accept(task, content)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    data.finish()
    return data.folder.root


def test_a_data_set_becomes_class_folders_with_splits(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["export", str(images), "--to", "imagefolder", "-o", str(out), "--split"]
    assert main([*command, "train=0.5,val=0.5"]) == EXIT_OK
    assert "12 images (train 6, val 6) as imagefolder" in capsys.readouterr().out
    found = {path.parent.name: 0 for path in out.rglob("*.jpg")}
    assert set(found) == {"cat", "steam train"}
    exported = {data for name, data in tree(out).items() if name.endswith(".jpg")}
    assert exported == {p.read_bytes() for p in images.glob("*/*.jpg")}


def test_the_same_command_again_says_that_all_is_there(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(images), "--to", "webdataset", "-o", str(tmp_path / "out")]
    assert main(command) == main(command) == EXIT_OK
    assert "up to date" in capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize(
    "how", [["--resize", "16", "--resize-mode", "border"], ["--resize", "border:16"]]
)
def test_pictures_are_resized_in_one_go(images: Path, tmp_path: Path, how: list[str]) -> None:
    out = tmp_path / "out"
    command = ["export", str(images), "--to", "jsonl", "-o", str(out / "x.jsonl"), *how]
    assert main(command) == EXIT_USAGE
    command = [
        "export",
        str(images),
        "--to",
        "imagefolder",
        "-o",
        str(out),
        "--encode",
        "jpeg",
        *how,
    ]
    assert main(command) == EXIT_OK
    rows = (out / "train" / "metadata.jsonl").read_text().splitlines()
    assert {(json.loads(row)["width"], json.loads(row)["height"]) for row in rows} == {(16, 16)}


def test_only_one_label_is_exported_on_request(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    assert main(["export", str(images), "--to", "csv", "-o", str(out), "--label", "cat"]) == EXIT_OK
    assert len(out.read_text().splitlines()) == 7


def test_nothing_left_after_the_filters_has_its_own_exit_code(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(images), "--to", "csv", "-o", str(tmp_path / "x.csv")]
    assert main([*command, "--label", "dog"]) == EXIT_NOTHING
    assert "nothing to export" in capsys.readouterr().out


def test_a_measure_that_images_lack_is_said_where_it_is_a_condition(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sets of older versions have no `upscale`."""
    command = ["export", str(images), "--to", "csv", "-o", str(tmp_path / "x.csv"), "--where"]
    assert main([*command, "upscale<=1.2"]) == EXIT_NOTHING
    assert "upscale is not known of 12 of 12 images" in capsys.readouterr().err
    assert main([*command, "width>=1"]) == EXIT_OK
    assert "not known" not in capsys.readouterr().err


def test_a_damaged_file_is_named_on_one_line(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = images / "cat" / "000002.jpg"
    broken.write_bytes(bytes(broken.stat().st_size))
    _take_for_whole(images, broken)
    command = ["export", str(images), "--to", "webdataset", "-o", str(tmp_path / "out")]
    assert main(command) == EXIT_UNEXPECTED
    error = capsys.readouterr().err.strip()
    assert "cat/000002.jpg" in error
    assert len(error.splitlines()) == 1
    assert main([*command, "--skip-bad"]) == EXIT_OK
    assert "skipped: 1 bad file" in capsys.readouterr().out


def _take_for_whole(root: Path, path: Path) -> None:
    """Record the file as it is, as if the medium had lost its bytes without a trace."""
    name = path.relative_to(root).as_posix()
    with closing(sqlite3.connect(Folder(root).catalog)) as db, db:
        (number,) = db.execute("SELECT id FROM sample WHERE file_name = ?", (name,)).fetchone()
        file_records.put(db, [(number, file_records.record_of(path.stat()))])


def test_a_file_that_was_damaged_since_is_set_aside_before_an_export_and_told(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "cat" / "000002.jpg").write_bytes(b"gone")
    command = ["export", str(images), "--to", "webdataset", "-o", str(tmp_path / "out")]
    assert main(command) == EXIT_OK
    said = capsys.readouterr()
    assert "11 images as webdataset" in said.out
    assert "1 file was damaged" in said.err
    assert "cat/000002.jpg" in said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "imagefoldr"], "did you mean imagefolder"),
        (["--split", "train=0.9"], "add up to 0.9"),
        (["--split-by", "moon"], "neither label nor host"),
        (["--resize", "big"], "--resize: 'big' is not a whole number"),
        (["--resize-mode", "border"], "needs --resize"),
        (["--resize", "border:10", "--resize-mode", "no"], "--resize says border"),
        (["--resize", "10", "--resize-mode", "squash"], "unknown resize mode"),
        (["--encode", "bmp"], "unknown encoding"),
        (["--quality", "101"], "between 1 and 100"),
        (["--flatten", "nocolour"], "is no colour"),
        (["--balance", "-3"], "--balance"),
        (["--seed", "x"], "--seed"),
        (["--min-size", "small"], "no size in pixels"),
        (["--shard-size", "lots"], "no size"),
    ],
)
def test_a_wrong_option_is_reported_on_one_line(
    images: Path, tmp_path: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(images), "--to", "imagefolder", "-o", str(tmp_path / "out"), *options]
    assert main(command) == EXIT_USAGE
    error = capsys.readouterr().err.strip()
    assert words in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_help_lists_every_format_and_mode(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--help"]) == EXIT_OK
    text = capsys.readouterr().out
    for word in ("imagefolder", "webdataset", "parquet", "tfrecord", "coco", "csv", "jsonl"):
        assert f"\n  {word} " in text
    for word in ("border", "keep_ratio", "keep_ratio_largest", "center_crop", "no"):
        assert f"\n  {word} " in text
