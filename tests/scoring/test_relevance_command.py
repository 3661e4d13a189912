"""`pixtrawl relevance` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.metadata_rows import metadata_row
from tests.scoring.conftest import RED, png, write_dataset
from tests.scoring.tiny import write_model


def test_the_lowest_are_shown_with_their_files(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(write_model(tmp_path / "tiny"))
    assert main(["relevance", str(colours.root), "--model", model, "--outliers"]) == 0
    shown = capsys.readouterr()
    assert "red/000009.png" in shown.out
    assert shown.out.splitlines()[-1] == "15 images scored, 1 flagged (none deleted)"
    assert shown.err == ""


def test_json_is_one_object_with_everything(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (colours.root / "blue/000006.png").write_bytes(b"changed")
    model = str(write_model(tmp_path / "tiny"))
    given = ["--model", model, "--batch", "2", "--flag-below", "0", "--duplicates", "0.9", "--json"]
    assert main(["relevance", str(colours.root), *given]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["model"].startswith("tiny@")
    assert found["embedded"] == 14
    assert [(q["query"], q["images"]) for q in found["queries"]] == [("blue", 5), ("red", 9)]
    (flagged,) = found["queries"][1]["flagged"]
    assert flagged["file_name"] == "red/000009.png"
    assert flagged["score"] < 0
    assert {one["of"] for one in found["duplicates"]} == {"blue/000001.png", "red/000001.png"}
    assert [one["file_name"] for one in found["unreadable"]] == ["blue/000006.png"]
    assert "blue/000006.png" in shown.err


def test_scores_and_flags_are_columns_like_any_other(colours: Folder, tmp_path: Path) -> None:
    assert "relevance" not in metadata_row(pixtrawl.open(colours.root)[0])
    model = str(write_model(tmp_path / "tiny"))
    assert main(["relevance", str(colours.root), "--model", model]) == 0
    ds = pixtrawl.open(colours.root)
    assert [s.file_name for s in ds.filter(relevance_outlier=True)] == ["red/000009.png"]
    assert len(ds.filter(relevance__ge=0)) == 14
    given = ["--to", "jsonl", "-o", str(tmp_path / "good.jsonl")]
    assert main(["export", str(colours.root), *given, "--where", "relevance_outlier=no"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "good.jsonl").read_text().splitlines()]
    assert len(rows) == 14
    assert all(0 <= row["relevance"] <= 1 and row["relevance_outlier"] == 0 for row in rows)
    lines = (colours.root / "metadata.jsonl").read_text().splitlines()
    flagged = [json.loads(line) for line in lines if '"relevance_outlier": true' in line]
    assert [row["file_name"] for row in flagged] == ["red/000009.png"]


@pytest.mark.parametrize("missing", ["onnxruntime", "tokenizers"])
def test_without_the_extra_the_command_that_installs_it_is_reported(
    colours: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: str,
) -> None:
    model = str(write_model(tmp_path / "tiny"))
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["relevance", str(colours.root), "--model", model]) == 2
    assert "pip install 'pixtrawl[clip]'" in capsys.readouterr().err


def test_a_data_set_without_an_image_ends_with_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_dataset(tmp_path / "images", {"red": []})
    model = str(write_model(tmp_path / "tiny"))
    assert main(["relevance", str(folder.root), "--model", model]) == 4
    assert "no image to score" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given",
    [["--model", "nowhere/at-all"], ["--model", "m", "--batch", "x"], [],
     ["--model", "m", "--outliers", "--flag-below", "0"]],
)  # fmt: skip
def test_what_cannot_be_is_a_usage_error(tmp_path: Path, given: list[str]) -> None:
    folder = write_dataset(tmp_path / "images", {"red": [png(RED)]})
    assert main(["relevance", str(folder.root), *given]) == 2


def test_help_and_import_bring_in_nothing_heavy() -> None:
    code = (
        "import sys; from pixtrawl.cli.main import main; main(['relevance', '--help']);"
        "import pixtrawl.folder.derived.writing, pixtrawl.scoring.score, pixtrawl.scoring.models.loading;"
        "print([m for m in ('onnxruntime', 'tokenizers', 'torch', 'open_clip') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
