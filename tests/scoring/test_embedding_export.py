"""Embeddings are a column of exports that can hold lists."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from tests.scoring.tiny import write_model


@pytest.fixture
def embedded(colours: Folder, tmp_path: Path) -> Folder:
    (colours.root / "blue/000006.png").unlink()  # deleted by hand: it has none
    model = str(write_model(tmp_path / "tiny"))
    assert main(["score", str(colours.root), "--model", model, "--as", "fit"]) == 0
    return colours


def export(folder: Folder, to: str, out: Path, *more: str) -> int:
    return main(["export", str(folder.root), "--to", to, "-o", str(out), "--embedding", *more])


def test_parquet_and_hugging_face_read_lists_of_numbers(embedded: Folder, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    datasets = pytest.importorskip("datasets")
    assert export(embedded, "parquet", tmp_path / "out", "tiny") == 0
    (file,) = (tmp_path / "out").glob("*.parquet")
    table = parquet.read_table(file)
    vectors = np.array(table.column("embedding").to_pylist())
    assert vectors.shape == (14, 16)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
    loaded = datasets.load_dataset(
        str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert np.allclose(np.array(loaded["embedding"][:]), vectors)


def test_jsonl_has_them_too_and_python_exports_the_same(embedded: Folder, tmp_path: Path) -> None:
    assert export(embedded, "jsonl", tmp_path / "a.jsonl", "auto") == 0
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert all(len(row["embedding"]) == 16 for row in rows)
    pixtrawl.open(embedded.root).export("jsonl", tmp_path / "b.jsonl", embedding="auto")
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("to", "model", "told"),
    [("csv", "auto", "csv cannot hold lists"), ("parquet", "dino", "there are: tiny@")],
)
def test_what_cannot_be_is_one_clear_error(
    embedded: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], to: str, model: str,
    told: str,
) -> None:  # fmt: skip
    assert export(embedded, to, tmp_path / "out", model) == 2
    assert told in capsys.readouterr().err
