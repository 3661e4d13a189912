"""FiftyOne, with its data base, reads back what the export writes.

It is too large to come with the others. One who has it names its interpreter:

    python3 -m venv .fiftyone && .fiftyone/bin/pip install fiftyone
    PIXTRAWL_FIFTYONE=.fiftyone/bin/python .venv/bin/pytest tests/realparts/test_fiftyone.py
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from pixtrawl.exporters.export import ExportOptions, export
from pixtrawl.exporters.splits import Splitting, parse_shares
from pixtrawl.labels import label_for
from pixtrawl.transform import Transform
from tests.exporters import dataset

pytestmark = [
    pytest.mark.realparts,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        "PIXTRAWL_FIFTYONE" not in os.environ,
        reason="PIXTRAWL_FIFTYONE names no Python that has FiftyOne",
    ),
]
READ = """
import hashlib, json, sys
import fiftyone as fo
out = []
for place in sys.argv[1:]:
    ds = fo.Dataset.from_dir(place, dataset_type=fo.types.FiftyOneDataset)
    rows = [
        {
            "sha256": hashlib.sha256(open(sample.filepath, "rb").read()).hexdigest(),
            "label": sample.ground_truth.label,
            "tags": sample.tags,
            "size": [sample.metadata.width, sample.metadata.height],
            "facts": [sample.title, sample.rank, sample.sharpness, sample.animated],
            "original": sample["original_sha256"] if "original_sha256" in ds.get_field_schema()
            else sample.sha256,
        }
        for sample in ds
    ]
    wide = len(ds.match(fo.ViewField("width") >= 48))
    changed = ds.first()
    changed["mine"] = 7
    changed.save()
    out.append({"rows": rows, "wide": wide, "classes": ds.get_classes("ground_truth"),
                "mine": ds.bounds("mine")})
print("\\n" + json.dumps(out))
"""


def test_fiftyone_reads_pictures_labels_splits_and_fields(tmp_path: Path) -> None:
    root = tmp_path / "images"
    samples = dataset.dataset(root, format_of=dataset.mixed)
    splitting = Splitting(shares=parse_shares("train=0.6,val=0.2,test=0.2"))
    export(samples, root, tmp_path / "kept", "fiftyone", ExportOptions(splitting=splitting))
    smaller = ExportOptions(transform=Transform(mode="border", size=24, encode="png"))
    export(samples, root, tmp_path / "small", "fiftyone", smaller)
    done = subprocess.run(
        [os.environ["PIXTRAWL_FIFTYONE"], "-c", READ, tmp_path / "kept", tmp_path / "small"],
        env=os.environ
        | {
            "HOME": str(tmp_path),
            "FIFTYONE_DATABASE_DIR": str(tmp_path / "db"),
            "FIFTYONE_DO_NOT_TRACK": "true",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    kept, small = json.loads(done.stdout.splitlines()[-1])
    by_hash = {one.info.sha256: one for one in samples}
    assert {row["sha256"] for row in kept["rows"]} == set(by_hash)
    for row in kept["rows"]:
        one = by_hash[row["sha256"]]
        assert row["label"] == one.label
        assert row["size"] == [one.info.width, one.info.height]
        assert row["facts"] == [one.candidate.title, one.candidate.rank, 0.0, False]
    splits = [row["tags"] for row in kept["rows"]]
    assert [splits.count([name]) for name in ("train", "val", "test")] == [18, 6, 6]
    assert kept["classes"] == sorted(map(label_for, dataset.TRICKY))
    assert (kept["wide"], kept["mine"]) == (len(samples), [7, 7])
    assert {row["original"] for row in small["rows"]} == set(by_hash)
    assert {tuple(row["size"]) for row in small["rows"]} == {(24, 24)}
    files = {
        hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.glob("small/data/*/*.png")
    }
    assert {row["sha256"] for row in small["rows"]} == files
