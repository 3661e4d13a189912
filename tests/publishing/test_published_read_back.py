"""What was published is read back by others' programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.model import Sample
from tests.optional import needs
from tests.publishing.conftest import Publisher, free
from tests.publishing.hub_double import HubDouble
from tests.publishing.shards import SPLIT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the client


READ = """
import json, sys
import datasets
datasets.disable_progress_bars()
found = {}
for split, rows in datasets.load_dataset("me/set").items():
    assert isinstance(rows.features["image"], datasets.Image)
    label = rows.features["label"]
    rows[0]["image"].load()
    plain = rows.cast_column("image", datasets.Image(decode=False))
    found[split] = [
        {"data": row["image"]["bytes"].hex(), "label": label.int2str(row["label"]),
         "license_id": row["license_id"], "creator": row["creator"]}
        for row in plain
    ]
print(json.dumps(found))
"""
COUNT = """
import json
import datasets
datasets.disable_progress_bars()
rows = datasets.load_dataset("me/set", split="train")
print(json.dumps([row["image"]["bytes"].hex()
                  for row in rows.cast_column("image", datasets.Image(decode=False))]))
"""
VALIDATE = """
import json, logging, sys
logging.disable(logging.WARNING)
import mlcroissant
folder = sys.argv[1]
description = mlcroissant.Dataset(f"{folder}/croissant.json", mapping={"repo": folder})
issues = description.metadata.ctx.issues
rows = [
    {"label": row["default/label"], "split": row["default/split"].decode(),
     "size": row["default/image"].size}
    for row in description.records("default")
]
print(json.dumps({
    "errors": list(issues.errors), "warnings": list(issues.warnings), "rows": rows,
    "biases": description.metadata.data_biases,
    "labels": [row["labels/name"].decode() if isinstance(row["labels/name"], bytes)
               else row["labels/name"] for row in description.records("labels")],
}))
"""


def in_a_process(code: str, *words: str, **environment: str) -> Any:
    """Both libraries take seconds to import, and keep threads and caches for good."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *words], text=True, capture_output=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow  # tests/exporters/test_loaders.py reads the same formats back
@pytest.mark.timeout(180)
def test_what_was_published_is_read_back_by_datasets_and_by_a_validator_of_croissant(
    hub: HubDouble, send: Publisher, samples: list[Sample], tmp_path: Path
) -> None:
    needs("datasets", "mlcroissant", reason="needs Hugging Face datasets and mlcroissant")
    send(samples, export=SPLIT)
    found = in_a_process(
        READ, HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1", HF_HOME=str(tmp_path / "reader")
    )
    assert set(found) == {"train", "validation"}
    rows = [row for split in found.values() for row in split]
    by_data = {row["data"]: row for row in rows}
    assert len(rows) == len(by_data) == len(samples)
    for sample in samples:
        row = by_data[(Path(tmp_path / "images") / sample.file_name).read_bytes().hex()]
        assert (row["label"], row["license_id"]) == (sample.label, "cc-by-4.0")

    copy = tmp_path / "copy"
    for name, data in hub.files("me/set").items():
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    shard = next((copy / "data").glob("train-*.parquet"))
    (copy / "data" / "notes.parquet").write_bytes(shard.read_bytes())  # of somebody else
    checked = in_a_process(VALIDATE, str(copy))
    assert checked["errors"] == checked["warnings"] == []
    assert checked["labels"] == ["cat", "train"]
    assert checked["biases"]
    assert len(checked["rows"]) == len(samples)
    splits = [row["split"] for row in checked["rows"]]
    assert {name: splits.count(name) for name in set(splits)} == {
        "train": len(found["train"]), "val": len(found["validation"]),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_each_image_is_read_once_from_shards_of_different_depths(
    hub: HubDouble, send: Publisher, root: Path, tmp_path: Path
) -> None:
    needs("datasets", reason="needs Hugging Face datasets")
    every = free(root, per_label=24)
    for samples in (every[:6], every, every[5:]):
        send(samples)
        shards = [name for name in hub.files("me/set") if name.endswith(".parquet")]
        found = in_a_process(
            COUNT, HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1", HF_HOME=str(tmp_path / "reader")
        )
        assert sorted(found) == sorted((root / one.file_name).read_bytes().hex() for one in samples)
        if len(samples) > 6:
            assert len({name.rpartition("-of-")[2] for name in shards}) > 1, "some were halved"
