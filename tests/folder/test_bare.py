"""A copy without its hidden files: it is read from metadata.jsonl, and nothing is written to it."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE, StorageError
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.playground import Playground


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two labels, made by a run."""
    root = tmp_path_factory.mktemp("sets") / "images"
    with Playground(supply=12, hosts=1) as site:
        pixtrawl.run(
            ["tabby cat", "steam train"], limit=3, output=root, source=["bing"],
            set=[f"bing.base_url={site.url}"], allow_address="127.0.0.0/8",
        )  # fmt: skip
    return root


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
    return tmp_path / "copy"


def rows(data: Any) -> list[dict[str, object]]:
    return [metadata_row(sample) for sample in data]


def test_it_tells_of_each_image_what_the_data_set_does(whole: Path, copy: Path) -> None:
    found = pixtrawl.open(copy)
    assert rows(found) == rows(pixtrawl.open(whole))
    assert found[4].path.read_bytes() == pixtrawl.open(whole)[4].path.read_bytes()
    assert len(found.filter(label="tabby cat")) == 3
    assert len(found.to_torch()) == 6
    assert found.to_torch()[0][0].mode == "RGB"
    assert len(pickle.loads(pickle.dumps(found))) == 6
    report = found.report
    assert (report["read_only"], report["totals"]["saved"], report["interrupted"]) == (
        True, 6, False,
    )  # fmt: skip
    assert not list(copy.glob(".*"))


def test_columns_of_a_users_own_list_are_kept(copy: Path) -> None:
    path = copy / "metadata.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    texts = [json.dumps(row | {"price": 2.5 * at}) for at, row in enumerate(lines)]
    path.write_text("\n".join(texts) + "\n")
    assert [sample.own for sample in pixtrawl.open(copy)][:3] == [
        {"price": 0.0}, {"price": 2.5}, {"price": 5.0},
    ]  # fmt: skip
    again = [metadata_row(sample)["price"] for sample in pixtrawl.open(copy)]
    assert again[:3] == [0.0, 2.5, 5.0]


def test_a_file_that_was_not_copied_is_no_image_of_it(copy: Path) -> None:
    gone = next(copy.glob("tabby cat/0*"))
    gone.unlink()
    names = [sample.file_name for sample in pixtrawl.open(copy)]
    assert len(names) == 5
    assert all((copy / name).is_file() for name in names)


@pytest.mark.parametrize("to", ["imagefolder", "webdataset", "csv"])
def test_it_is_exported_like_the_whole(whole: Path, copy: Path, tmp_path: Path, to: str) -> None:
    assert main(["export", str(copy), "--to", to, "-o", str(tmp_path / "a"), "-q"]) == EXIT_OK
    assert main(["export", str(whole), "--to", to, "-o", str(tmp_path / "b"), "-q"]) == EXIT_OK

    named = {"README.md", "index.json", ".pixtrawl-export.jsonl"}  # after the folder

    def content(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in named
        }

    one, other = content(tmp_path / "a"), content(tmp_path / "b")
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_reading_commands_read_it(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(copy), "--json"]) == EXIT_OK
    told = json.loads(capsys.readouterr().out)
    assert {query["label"]: query["saved"] for query in told["queries"]} == {
        "steam train": 3, "tabby cat": 3,
    }  # fmt: skip
    assert main(["report", str(copy)]) == EXIT_OK
    assert "copy without its hidden files" in capsys.readouterr().err
    assert main(["dedup", str(copy)]) == EXIT_OK
    assert main(["lock", str(copy), "-o", str(copy.parent / "set.lock")]) == EXIT_OK


@pytest.mark.parametrize(
    "words",
    [
        ["download", "{}/../urls.txt", "-o", "{}", "--allow-address", "127.0.0.0/8"],
        ["takedown", "{}", "--domain", "example.org"],
        ["dedup", "{}", "--undo", "12345678"],
    ],
)
def test_writing_commands_first_make_its_catalog_again(
    copy: Path, caplog: pytest.LogCaptureFixture, words: list[str]
) -> None:
    (copy.parent / "urls.txt").write_text("http://127.0.0.1:9/x.jpg\n")
    before = rows(pixtrawl.open(copy))
    main([word.format(copy) for word in words])
    assert "recovered: 6 images" in caplog.text
    assert "no journal of decisions" in caplog.text
    assert rows(pixtrawl.open(copy)) == before
    assert (copy / ".pixtrawl-catalog.sqlite3").stat().st_size > 0


def test_another_tools_metadata_is_no_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.jpg", "text": "a cat"}\n')
    assert main(["report", str(tmp_path)]) == EXIT_USAGE
    assert "no pixtrawl data set" in capsys.readouterr().err


def test_a_line_that_cannot_be_read_is_named(copy: Path) -> None:
    with (copy / "metadata.jsonl").open("a") as file:
        file.write('{"file_name": "../../etc/passwd", "label": "x", "query": "x"}\n')
    with pytest.raises(StorageError, match=r"metadata\.jsonl:7"):
        len(pixtrawl.open(copy))


def test_a_relative_folder_is_found_after_a_change_of_directory(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(whole.parent)
    found = pixtrawl.open("images")
    pictures, half = found.to_torch(), found.filter(label="tabby cat")
    monkeypatch.chdir(tmp_path)
    assert len(found) == 6
    assert found[0].path.is_file()
    assert pictures[5][0].size[0] > 0
    assert half[0].path.is_file()
    assert len(pickle.loads(pickle.dumps(half))) == 3
    assert repr(found).startswith("Dataset('images', 6 images")
    found.export("csv", tmp_path / "out")
