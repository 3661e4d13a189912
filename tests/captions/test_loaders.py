"""Real loaders read labels and captions; trainers without a package here by their own rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.captions import parse_chain
from pixtrawl.exporters.export import Exported, ExportOptions, export
from tests.captions.sets import foxes
from tests.exporters import dataset
from tests.optional import needs

CHAIN = "alt,title,page,template:a photo of {label}"
TEXTS = {
    "a red fox", "Two foxes at play", "The fox sleeps in its den.", "a photo of red fox",
    "a photo of arctic fox",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foxes(tmp_path_factory.mktemp("foxes"), caption=CHAIN).root


def exported(root: Path, out: Path, to: str, **given: Any) -> Exported:
    return export(pixtrawl.open(root), root, out, to, ExportOptions(**given))


READ = """
import json, sys
import datasets
datasets.disable_progress_bars()
out = {}
for name, (args, keywords) in json.load(sys.stdin).items():
    rows = datasets.load_dataset(*args, **keywords)["train"]
    label = "cls" if "cls" in rows.features else "label"
    names = rows.features[label].names if hasattr(rows.features[label], "names") else None
    image = next(n for n, f in rows.features.items() if isinstance(f, datasets.Image))
    assert all(row[image].size == (320, 240) for row in rows)
    text = next(n for n in ("txt", "text", "caption") if n in rows.features)
    out[name] = {"columns": list(rows.features), "names": names, "texts": rows[text][:]}
print(json.dumps(out))
"""


@pytest.mark.slow  # tests/exporters/test_loaders.py reads the same formats
@pytest.mark.timeout(240)
def test_datasets_reads_labels_and_captions_of_every_form_and_in_place(
    root: Path, tmp_path: Path
) -> None:
    needs("datasets", reason="needs Hugging Face datasets")
    jobs: dict[str, object] = {"in place": ([str(root)], {})}
    for to in ("imagefolder", "diffusers", "webdataset", "parquet", "kohya", "ai-toolkit"):
        exported(root, tmp_path / to, to)
        jobs[to] = [str(tmp_path / to)], {}
    data_files = {"train": str(tmp_path / "diffusers" / "**")}  # as train_text_to_image.py does
    jobs["diffusers by script"] = ["imagefolder"], {"data_files": data_files}
    jobs["imagefolder by script"] = (
        ["imagefolder"],
        {"data_files": {"train": str(tmp_path / "imagefolder" / "**")}},
    )
    jobs["parquet by name"] = ["parquet"], {"data_files": str(tmp_path / "parquet" / "*.parquet")}
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", READ], input=json.dumps(jobs), env=environment, check=False,
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for name, read in json.loads(done.stdout).items():
        assert set(read["texts"]) == TEXTS, name
        assert len(read["texts"]) == 6, name
        if "script" not in name:
            assert read["names"] == ["arctic fox", "red fox"], name
        if "diffusers" in name:
            assert read["columns"][:2] == ["image", "text"], "the columns that scripts default to"


@pytest.mark.filterwarnings("ignore")
def test_webdataset_reads_a_caption_with_every_sample(root: Path, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    exported(root, tmp_path / "out", "webdataset")
    shard = str(tmp_path / "out" / "train-000000.tar")
    rows = list(wds.WebDataset(shard, shardshuffle=False).decode("pil").to_tuple("jpg", "txt"))
    assert {text for _, text in rows} == TEXTS
    assert len(rows) == 6
    none = list(
        wds.WebDataset(
            _without_captions(root, tmp_path / "bare"), shardshuffle=False
        )
    )  # fmt: skip
    assert {row["txt"] for row in none} >= {b""}, "every sample has the member"


def _without_captions(root: Path, out: Path) -> str:
    exported(root, out, "webdataset", captions=parse_chain("alt"))
    return str(out / "train-000000.tar")


@pytest.mark.filterwarnings("ignore")
def test_pycocotools_reads_captions(root: Path, tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    exported(root, tmp_path / "out", "coco")
    coco = coco_module.COCO(str(tmp_path / "out" / "annotations" / "captions_train.json"))
    found = coco.loadAnns(coco.getAnnIds(imgIds=coco.getImgIds()))
    assert {one["caption"] for one in found} == TEXTS


def test_pandas_reads_the_column_text(root: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    exported(root, tmp_path / "out.csv", "csv")
    exported(root, tmp_path / "parquet", "parquet")
    for frame in (
        pandas.read_csv(tmp_path / "out.csv"),
        pandas.read_parquet(tmp_path / "parquet" / "train-00000.parquet"),
    ):
        assert set(frame.text) == TEXTS
        assert set(frame.caption_origin) == {"alt", "title", "page", "template"}


def sd_scripts(root: Path) -> list[tuple[int, str, str]]:
    """Reads a folder by the rules of kohya's sd-scripts: (repeats, file, caption)."""
    found = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        repeats, *words = folder.name.split("_")
        if not repeats.isdigit():
            continue
        for image in sorted(folder.iterdir()):
            if image.suffix.lower() not in {".png", ".jpg", ".jpeg", ".webp", ".bmp"}:
                continue
            file = image.with_suffix(".txt")
            lines = file.read_text().splitlines() if file.exists() else ["_".join(words)]
            assert lines, "sd-scripts stops at an empty caption file"
            found.append((int(repeats), image.name, lines[0].strip()))
    return found


def test_sd_scripts_gets_repeats_and_captions_from_names(root: Path, tmp_path: Path) -> None:
    exported(root, tmp_path / "out", "kohya", repeats=10)
    found = sd_scripts(tmp_path / "out")
    assert {repeats for repeats, _, _ in found} == {10}
    assert {text for *_, text in found} == TEXTS
    exported(root, tmp_path / "some", "kohya", captions=parse_chain("alt"))
    texts = sorted(text for *_, text in sd_scripts(tmp_path / "some"))
    assert texts == ["a red fox", *["arctic fox"] * 4, "red fox"], "else the label"


def test_ai_toolkit_gets_pairs_of_files_of_one_stem(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported(root, out, "ai-toolkit")
    images = [path for path in out.rglob("*") if path.suffix in {".jpg", ".jpeg", ".png", ".webp"}]
    assert len(images) == 6
    assert all(path.parent == out for path in images)
    assert {path.with_suffix(".txt").read_text().strip() for path in images} == TEXTS


# -- formats that loaders leave out


def test_formats_that_a_loader_leaves_out_are_named_with_the_cure(tmp_path: Path) -> None:
    samples = dataset.dataset(
        tmp_path / "images", ["cat"], 6, lambda number: ("jpeg", "gif", "avif")[number % 3]
    )
    done = export(samples, tmp_path / "images", tmp_path / "out", "imagefolder")
    told = " ".join(done.hints)
    assert "torchvision's ImageFolder leaves out 4 images (avif, gif)" in told
    assert "Keras leaves out 2 images (avif)" in told
    assert "--encode jpg" in told
    from pixtrawl.transform import Transform

    cured = ExportOptions(transform=Transform(encode="jpg"))
    done = export(samples, tmp_path / "images", tmp_path / "cured", "imagefolder", cured)
    assert done.hints == ()
    done = export(samples, tmp_path / "images", tmp_path / "text", "diffusers")
    assert "there are none: add --caption" in " ".join(done.hints)
