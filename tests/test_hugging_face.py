"""The data set folder as it lies, read by Hugging Face `datasets`, with labels that look like splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.playground import Playground

LABELS = ("cat", "steam train", "test tube", "val", "README", ".hidden")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        yield pytest.importorskip("datasets", reason="needs Hugging Face datasets")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("set") / "images"
    with Playground(supply=6) as site:
        ds = pixtrawl.run(
            LABELS, source="bing", settings={"bing": {"base_url": site.url}}, limit=2,
            output=output, allow_address="127.0.0.0/24",
        )  # fmt: skip
    assert len(ds) == 2 * len(LABELS)
    return output


def load(datasets: Any, folder: Path, cache: Path) -> Any:
    return datasets.load_dataset(
        "imagefolder",
        data_dir=str(folder.parent),
        data_files={"train": f"{folder.name}/**"},
        cache_dir=str(cache),
    )


@pytest.mark.filterwarnings("ignore")  # of a library that is not ours
def test_the_folder_loads_as_it_lies_with_its_labels(
    datasets: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(datasets, folder, tmp_path / "cache")
    assert list(loaded) == ["train"], "no label is taken for a split"
    rows = loaded["train"]
    ds = pixtrawl.open(folder)
    assert sorted(rows["query"]) == sorted(sample.candidate.query for sample in ds)
    assert set(rows["query"]) == set(LABELS)
    assert sorted(rows["label"]) == sorted(sample.label for sample in ds)
    by_sha = {sample.info.sha256: sample for sample in ds}
    for row in rows:
        sample = by_sha[row["sha256"]]
        assert row["image"].size == (sample.info.width, sample.info.height)
        assert row["label"] == sample.label
        assert row["url"] == sample.url


@pytest.mark.filterwarnings("ignore")
def test_the_line_of_the_card_loads_it(
    datasets: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    card = (folder / "README.md").read_text("utf-8")
    line = next(line for line in card.splitlines() if "load_dataset(" in line and "=" in line)
    call = line.partition("load_dataset(")[2].rpartition(")")[0]
    found = eval(f"load({call}, cache_dir={str(tmp_path)!r})", {"load": datasets.load_dataset})
    assert len(found["train"]) == 2 * len(LABELS)
