"""`pixtrawl score`: any ONNX image model with a description becomes columns of the data set."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixtrawl
from pixtrawl.catalog.views.filter import LookFilter, LookSort
from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from tests.catalog.earlier import downgrade
from tests.scoring.conftest import GREEN, RED, png, write_dataset
from tests.scoring.tiny import write_model
from tests.scoring.tiny_models import SIDE, write_image_model

CLASSIFIER: dict[str, Any] = {
    "kind": "classifier", "labels": ["red", "Green tone", "blue"], "activation": "softmax",
}  # fmt: skip


def rows_of(folder: Folder) -> dict[str, dict[str, Any]]:
    lines = folder.metadata.read_text(encoding="utf-8").splitlines()
    return {row["file_name"]: row for row in map(json.loads, lines)}


def run_score(folder: Folder, model: Path | str, name: str, *more: str) -> int:
    return main(["score", str(folder.root), "--model", str(model), "--as", name, *more])


def test_a_classifier_s_best_label_and_its_probability_are_columns(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_image_model(tmp_path / "m" / "colour.onnx", CLASSIFIER)
    assert run_score(colours, model, "tone") == 0
    assert "tone: red (8)" in capsys.readouterr().out
    rows = rows_of(colours)
    assert {name: row["tone"] for name, row in rows.items() if row["label"] == "red"}[
        "red/000009.png"
    ] == "Green tone"
    assert all(row["tone"] == "blue" for name, row in rows.items() if name.startswith("blue"))
    assert all(0.4 < row["tone_score"] < 1 for row in rows.values())


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"score": "Green tone"}, ["g"]),
        ({"columns": ["red", "Green tone"]}, ["g", "g_score", "g_red", "g_green_tone"]),
        ({"values": [1, 2, 3], "labels": []}, ["g"]),
        ({"kind": "score", "activation": "none"}, ["g_red", "g_green_tone", "g_blue"]),
    ],
)
def test_the_description_says_what_becomes_a_column(
    colours: Folder, tmp_path: Path, changes: dict[str, Any], columns: list[str]
) -> None:
    model = write_image_model(tmp_path / "m" / "colour.onnx", {**CLASSIFIER, **changes})
    assert run_score(colours, model, "g") == 0
    row = rows_of(colours)["red/000009.png"]
    assert [name for name in row if name == "g" or name.startswith("g_")] == columns
    if changes.get("score"):
        assert row["g"] > 0.5
    if changes.get("values"):
        assert 1.8 < row["g"] < 2.2


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("rows", ["n", 4])
def test_layout_and_a_fixed_number_of_rows_make_no_difference(
    colours: Folder, tmp_path: Path, layout: str, rows: object
) -> None:
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER, layout=layout, rows=rows)
    assert run_score(colours, model, "tone", "--batch", "6") == 0
    assert rows_of(colours)["red/000009.png"]["tone"] == "Green tone"
    assert rows_of(colours)["blue/000006.png"]["tone"] == "blue"


def test_the_order_of_colours_is_the_description_s(colours: Folder, tmp_path: Path) -> None:
    model = write_image_model(tmp_path / "c.onnx", {**CLASSIFIER, "colours": "bgr"})
    assert run_score(colours, model, "tone") == 0
    assert rows_of(colours)["blue/000001.png"]["tone"] == "red"


def test_columns_are_filters_and_fields_of_exports(colours: Folder, tmp_path: Path) -> None:
    model = write_image_model(tmp_path / "c.onnx", {**CLASSIFIER, "columns": ["red"]})
    assert run_score(colours, model, "tone") == 0
    out = tmp_path / "good.csv"
    given = ["--to", "csv", "-o", str(out), "--where", "tone=red", "--where", "tone_red>=0.4"]
    assert main(["export", str(colours.root), *given]) == 0
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert all(row["tone"] == "red" and float(row["tone_red"]) >= 0.4 for row in rows)
    ds = pixtrawl.open(colours.root)
    assert len(ds.filter(tone="blue", tone_score__ge=0.4)) == 6
    assert ds[0].scores["tone"] == "blue"
    best = ds.sort("tone_red", descending=True)
    values = [one.scores["tone_red"] for one in best]
    assert values == sorted(values, reverse=True)


def test_parquet_has_typed_columns_and_null_where_there_is_no_score(
    colours: Folder, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (colours.root / "red/000001.png").write_bytes(b"changed")
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER)
    assert run_score(colours, model, "tone") == 0
    out = tmp_path / "out"
    given = ["--to", "parquet", "-o", str(out), "--skip-bad"]
    assert main(["export", str(colours.root), *given]) == 0
    table = parquet.read_table(next(out.glob("*.parquet")))
    assert str(table.schema.field("tone").type) == "string"
    assert str(table.schema.field("tone_score").type) == "double"


def test_the_studio_s_table_sorts_and_filters_by_scores(colours: Folder, tmp_path: Path) -> None:
    from pixtrawl.catalog.database import connect
    from pixtrawl.catalog.views.table import LookTable

    model = write_image_model(tmp_path / "c.onnx", {**CLASSIFIER, "score": "red"})
    assert run_score(colours, model, "redness") == 0
    table = LookTable(connect(colours.catalog, read_only=True), ())
    table.update()
    by_score = table.ids(LookFilter(), LookSort(by="redness", descending=True))
    names = {one.id: one.file_name for one in pixtrawl.open(colours.root)}
    assert [names[one].partition("/")[0] for one in by_score[:8]] == ["red"] * 8
    low = table.ids(LookFilter(ranges={"redness": (None, 0.3)}), LookSort())
    assert len(low) == 7
    table.close()


def test_two_models_keep_their_columns_side_by_side_and_each_is_removed_alone(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tone = write_image_model(tmp_path / "c.onnx", CLASSIFIER)
    assert run_score(colours, tone, "tone") == 0
    assert run_score(colours, write_model(tmp_path / "tiny"), "fit") == 0
    row = rows_of(colours)["red/000009.png"]
    assert row["tone"] == "Green tone"
    assert row["fit_outlier"] is True
    assert main(["score", str(colours.root), "--remove", "tone"]) == 0
    row = rows_of(colours)["red/000009.png"]
    assert "tone" not in row
    assert row["fit"] < 0
    assert main(["score", str(colours.root), "--remove", "tone"]) == 2
    assert "there are: fit" in capsys.readouterr().err


def test_a_scoring_resumes_and_a_changed_model_scores_again(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER)

    def embedded() -> int:
        capsys.readouterr()
        assert run_score(colours, model, "tone", "--json") == 0
        return int(json.loads(capsys.readouterr().out)["embedded"])

    assert embedded() == 15
    assert embedded() == 0
    with closing(sqlite3.connect(colours.catalog)) as db, db:
        db.execute("DELETE FROM score WHERE sample_id <= 5")
    assert embedded() == 5
    write_image_model(tmp_path / "c.onnx", {**CLASSIFIER, "mean": [0.1, 0.1, 0.1]})
    assert embedded() == 15


def test_an_embedding_says_how_typical_an_image_is_of_its_label(
    colours: Folder, tmp_path: Path
) -> None:
    described = {"kind": "embedding", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    model = write_image_model(
        tmp_path / "m" / "model.onnx", described, weights=np.eye(3, 16, dtype=np.float32)
    )
    assert run_score(colours, model.parent, "typical") == 0
    rows = rows_of(colours)
    flagged = [name for name, row in rows.items() if row["typical_outlier"]]
    assert flagged == ["red/000009.png"]
    with closing(sqlite3.connect(colours.catalog)) as db:
        assert db.execute("SELECT count(*), max(length(vector)) FROM embedding").fetchone() == (
            15,
            32,
        )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda p: p / "none.onnx", "no such file"),
        (lambda p: write_image_model(p / "bare.onnx", None), "write bare.toml"),
        (lambda p: write_image_model(p / "c.onnx", {**CLASSIFIER, "lables": []}), "did you mean labels"),
        (lambda p: write_image_model(p / "c.onnx", {**CLASSIFIER, "labels": ["a"]}), "3 outputs, its description 1 labels"),
        (lambda p: write_image_model(p / "c.onnx", {**CLASSIFIER, "size": 2 * SIDE}), "takes 8x8 pixels"),
        (lambda p: write_image_model(p / "c.onnx", {"kind": "classifier"}), "needs labels"),
        (lambda p: write_image_model(p / "c.onnx", {"kind": "sculptor"}), "sculptor"),
        (lambda p: write_image_model(p / "c.onnx", {**CLASSIFIER, "score": "pink"}), "'pink' is none"),
        (lambda p: write_image_model(p / "c.onnx", CLASSIFIER, channels=4, weights=np.ones((4, 3), np.float32)), "4 channels"),
        (lambda p: write_image_model(p / "c.onnx", {"kind": "score"}), "`labels` must name them"),
        (lambda p: write_image_model(p / "c.onnx", {**CLASSIFIER, "output": "x"}), "outputs: found"),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_is_one_clear_error(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, told: str
) -> None:
    assert run_score(colours, make(tmp_path), "tone") == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("name", ["Tone", "width", "1st", "a b", "label", "image"])
def test_a_name_that_cannot_be_a_column_is_refused(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER)
    assert run_score(colours, model, name) == 2
    assert f"--as {name}" in capsys.readouterr().err
    assert "tone" not in rows_of(colours)["red/000001.png"]


def test_a_file_that_is_no_model_is_refused(
    colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER)
    model.write_bytes(b"not a model")
    assert run_score(colours, model, "tone") == 2
    assert "is no model that onnxruntime reads" in capsys.readouterr().err


def test_without_the_extra_the_command_that_installs_it_is_named(
    colours: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run_score(colours, model, "tone") == 2
    assert "pip install 'pixtrawl[clip]'" in capsys.readouterr().err


def test_scores_travel_with_a_merge(tmp_path: Path) -> None:
    one = write_dataset(tmp_path / "one", {"red": [png(RED, 1), png(RED, 2)]})
    two = write_dataset(tmp_path / "two", {"green": [png(GREEN, 3)]})
    model = write_image_model(tmp_path / "c.onnx", CLASSIFIER)
    assert run_score(one, model, "tone") == 0
    assert main(["merge", str(one.root), str(two.root), "-o", str(tmp_path / "both")]) == 0
    rows = rows_of(Folder(tmp_path / "both"))
    assert {name: row["tone"] for name, row in rows.items()} == {
        "red/000001.png": "red", "red/000002.png": "red", "green/000003.png": None,
    }  # fmt: skip


def test_an_older_catalog_keeps_its_relevance(colours: Folder, tmp_path: Path) -> None:
    with closing(sqlite3.connect(colours.catalog)) as db:
        downgrade(db, 14)
        vector = np.ones(4, "<f2").tobytes()
        db.execute("INSERT INTO relevance VALUES (1, 'm@1', 0.25, 1, ?)", (vector,))
        db.execute("INSERT INTO relevance VALUES (2, 'm@1', 0.5, 0, ?)", (vector,))
        db.commit()
    ds = pixtrawl.open(colours.root)
    found = {one.id: one.relevance for one in ds}
    assert found[1] is not None
    assert (found[1].score, found[1].outlier) == (0.25, True)
    assert found[2] is not None
    assert (found[2].score, found[2].outlier) == (0.5, False)
    with closing(sqlite3.connect(colours.catalog)) as db:
        assert db.execute("SELECT count(*) FROM embedding").fetchone() == (2,)


@pytest.mark.parametrize(
    ("given", "missing"),
    [([], "--model MODEL and --as NAME"), (["--model", "m"], "--as NAME"), (["--as", "a"], "--model MODEL")],
)  # fmt: skip
def test_what_a_command_to_score_lacks_is_named(
    colours: Folder, capsys: pytest.CaptureFixture[str], given: list[str], missing: str
) -> None:
    assert main(["score", str(colours.root), *given]) == 2
    assert f"score wants {missing} (" in capsys.readouterr().err
