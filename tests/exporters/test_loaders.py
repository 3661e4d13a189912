"""What the real loaders read back: every byte and every label, whatever the labels are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.exporters.base import Sharding
from pixtrawl.exporters.export import ExportOptions, export
from pixtrawl.exporters.splits import Splitting, parse_shares
from pixtrawl.folder.derived.card import data_card, summarise
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.folder.layout import staged_name
from pixtrawl.labels import label_for
from pixtrawl.model import Sample
from tests.exporters import dataset
from tests.matrices import slow
from tests.optional import needs

SPLIT = ExportOptions(
    splitting=Splitting(shares=parse_shares("train=0.6,val=0.2,test=0.2")),
    sharding=Sharding(max_images=8),
)
# The packages' own: files left open, calls that numpy wants spelled otherwise.
THEIR_WARNINGS = pytest.mark.filterwarnings("ignore")
LABELS = {label_for(query) for query in dataset.TRICKY}

# A process of its own, and one for all: the library takes seconds to import, and keeps threads, a
# cache folder and its offline switch for good.
READ = """
import json, sys
import datasets
datasets.disable_progress_bars()
out = {}
for name, (args, keywords) in json.load(sys.stdin).items():
    out[name] = read = {}
    for split, rows in datasets.load_dataset(*args, **keywords).items():
        field = next(n for n in ("image", "jpg", "png", "webp") if n in rows.features)
        assert isinstance(rows.features[field], datasets.Image), rows.features
        assert all(row[field].size == (48, 36) for row in rows)
        read[split] = []
        for row in rows.cast_column(field, datasets.Image(decode=False)):
            image = row.pop(field)
            data = image["bytes"] or open(image["path"], "rb").read()
            numbers = "cls" if "cls" in row else "label"
            feature = rows.features[numbers]
            is_class = isinstance(feature, datasets.ClassLabel)
            classes = {"classes": feature.names if is_class else None}
            if is_class:
                classes["label"] = feature.int2str(row[numbers])
            read[split].append({"data": data.hex(), **(row.get("json") or row), **classes})
print(json.dumps(out, default=str))
"""
Rows = list[dict[str, Any]]
Pairs = tuple[tuple[str, str], ...]
KEEP: Callable[[int], str] = lambda number: "jpeg"  # noqa: E731
PATTERNS = {
    "imagefolder": "**", "parquet": "*.parquet", "webdataset": "*.tar", "lance": "*.lance/**",
}  # fmt: skip
# Each format once; a process of the library reads these, another one the slow rest.
SUITE: Pairs = (
    ("jpeg", "imagefolder"),
    ("mixed", "parquet"),
    ("jpeg", "webdataset"),
    ("mixed", "lance"),
)
REST = tuple(pair for pair in product(("jpeg", "mixed"), PATTERNS) if pair not in SUITE)
PAIRS = [*((SUITE, *pair) for pair in SUITE), *(slow(REST, *pair) for pair in REST)]


class ReadBack:
    """Exports of one format and of several, and what `datasets` reads of them."""

    def __init__(self, folder: Path, pairs: Pairs) -> None:
        self.folder = folder
        self.samples = {
            "jpeg": dataset.dataset(folder / "jpeg" / "images", per_label=10, format_of=KEEP),
            "mixed": dataset.dataset(
                folder / "mixed" / "images", per_label=10, format_of=dataset.mixed
            ),
        }
        jobs: dict[str, tuple[list[str], dict[str, object]]] = {}
        for kind, to in pairs:
            out = folder / kind / to
            export(self.samples[kind], self.root(kind), out, to, SPLIT)
            files = {"train": str(out / PATTERNS[to])}
            jobs[f"{kind} {to}"] = [str(out)], {}
            jobs[f"{kind} {to} by name"] = [to], {"data_files": files}
        lay_out(self.root("mixed"), self.samples["mixed"])
        jobs["as it lies"] = [str(self.root("mixed"))], {}
        jobs["as it lies by name"] = ["imagefolder"], {"data_files": {"train": "mixed/images/**"}}
        self.read: dict[str, dict[str, Rows]] = self._load(jobs)

    def root(self, kind: str) -> Path:
        return self.folder / kind / "images"

    def _load(self, jobs: Mapping[str, object]) -> Any:
        environment = os.environ | {
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(self.folder / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", READ],
            input=json.dumps(jobs),
            env=environment,
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)


def lay_out(root: Path, samples: list[Sample]) -> None:
    """Everything that a data set folder holds beside its images."""
    lines = (json.dumps(metadata_row(one), ensure_ascii=False) + "\n" for one in samples)
    (root / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    (root / "keyword_urls.txt").write_text("{}\n")
    (root / staged_name("1-0")).write_bytes(b"not to be seen")
    card = data_card(summarise(samples), title='odd: "title" # \n---\n- x')
    (root / "README.md").write_text(card, encoding="utf-8")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Pairs], ReadBack]:
    needs("datasets", "lance", reason="needs Hugging Face datasets and lance")
    return cache(lambda pairs: ReadBack(tmp_path_factory.mktemp("read back"), pairs))


def saved(root: Path, samples: list[Sample]) -> dict[str, bytes]:
    return {one.info.sha256: (root / one.file_name).read_bytes() for one in samples}


def check(rows: Rows, root: Path, samples: list[Sample]) -> None:
    """Each row has the bytes, label, query and title of its sample, and none is missing."""
    by_hash = {one.info.sha256: one for one in samples}
    assert sorted(row["sha256"] for row in rows) == sorted(by_hash)
    for row in rows:
        one = by_hash[row["sha256"]]
        assert bytes.fromhex(row["data"]) == (root / one.file_name).read_bytes()
        assert row["label"] == one.label
        assert row["query"] == one.candidate.query
        assert (row["title"] or None) == one.candidate.title
        assert (row["width"], row["height"]) == (one.info.width, one.info.height)
        assert str(row["fetched_at"]).startswith("2026-11-22")


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("pairs", "kind", "to"), PAIRS)
def test_load_dataset_reads_the_folder_with_its_splits(
    pairs: Pairs, to: str, kind: str, reading: Callable[[Pairs], ReadBack]
) -> None:
    read_back = reading(pairs)
    read = read_back.read[f"{kind} {to}"]
    assert {name: len(rows) for name, rows in read.items()} == {
        "train": 36, "validation": 12, "test": 12,
    }  # fmt: skip
    rows = [row for rows in read.values() for row in rows]
    check(rows, read_back.root(kind), read_back.samples[kind])
    for rows in read.values():
        assert {row["label"] for row in rows} == LABELS
        assert all(row["classes"] == sorted(LABELS) for row in rows)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("pairs", "kind", "to"), PAIRS)
def test_load_dataset_reads_the_files_by_the_name_of_their_format(
    pairs: Pairs, to: str, kind: str, reading: Callable[[Pairs], ReadBack]
) -> None:
    read_back = reading(pairs)
    read = read_back.read[f"{kind} {to} by name"]
    check(read["train"], read_back.root(kind), read_back.samples[kind])
    named = sorted(LABELS) if to == "parquet" else None  # its schema has the names
    assert [row["classes"] for row in read["train"]] == [named] * len(read["train"])


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", ["as it lies", "as it lies by name"])
def test_load_dataset_reads_a_data_set_as_it_lies(
    how: str, reading: Callable[[Pairs], ReadBack]
) -> None:
    read_back = reading(SUITE)
    read = read_back.read[how]
    assert list(read) == ["train"]
    check(read["train"], read_back.root("mixed"), read_back.samples["mixed"])


def test_a_folder_walk_finds_the_classes(root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    export(samples, root, tmp_path / "out", "imagefolder", SPLIT)
    for split in ("train", "val", "test"):
        classes = {p.name for p in (tmp_path / "out" / split).iterdir() if p.is_dir()}
        assert classes == LABELS
    found = {
        (path.parent.name, path.read_bytes())
        for path in (tmp_path / "out").rglob("*.jpg")
    }  # fmt: skip
    assert found == {(one.label, (root / one.file_name).read_bytes()) for one in samples}


@THEIR_WARNINGS
def test_the_webdataset_package_reads_the_shards(root: Path, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    samples = dataset.dataset(root, per_label=8, format_of=dataset.mixed)
    export(samples, root, tmp_path / "out", "webdataset", SPLIT)
    classes = json.loads((tmp_path / "out" / "classes.json").read_text())
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert set(classes) == LABELS
    rows: list[Mapping[str, Any]] = []
    for shard in index["shardlist"]:
        path = tmp_path / "out" / shard["url"]
        assert path.stat().st_size == shard["filesize"]
        stream = wds.WebDataset(str(path), shardshuffle=False).decode()
        read = list(stream)
        assert len(read) == shard["nsamples"] <= 8
        rows += read
    by_hash = {one.info.sha256: one for one in samples}
    assert len(rows) == len(by_hash)
    assert len({row["__key__"] for row in rows}) == len(rows)
    for row in rows:
        one = by_hash[row["json"]["sha256"]]
        assert row["jpg"] == (root / one.file_name).read_bytes()
        assert classes[row["cls"]] == row["json"]["label"] == one.label


@THEIR_WARNINGS
def test_the_webdataset_package_decodes_pictures_of_every_format(
    root: Path, tmp_path: Path
) -> None:
    wds = pytest.importorskip("webdataset")
    samples = dataset.dataset(root, ["cat"], per_label=6, format_of=dataset.mixed)
    export(samples, root, tmp_path / "out", "webdataset")
    shard = str(tmp_path / "out" / "train-000000.tar")
    pictures = [row["jpg"] for row in wds.WebDataset(shard, shardshuffle=False).decode("pil")]
    assert [picture.size for picture in pictures] == [(48, 36)] * 6


def test_a_parquet_file_has_typed_columns(root: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pandas = pytest.importorskip("pandas")
    samples = dataset.dataset(root, format_of=dataset.mixed)
    export(samples, root, tmp_path / "out", "parquet", SPLIT)
    frame = pandas.concat(
        pandas.read_parquet(path) for path in sorted((tmp_path / "out").glob("*.parquet"))
    )
    data = saved(root, samples)
    assert {row.sha256: row.image["bytes"] for row in frame.itertuples()} == data
    untitled = {one.info.sha256 for one in samples if one.candidate.title is None}
    assert set(frame[frame.title.isna()].sha256) == untitled
    schema = parquet.read_schema(tmp_path / "out" / "train-00000.parquet")
    assert str(schema.field("width").type) == "int64"
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert list(features) == schema.names


def test_lance_reads_the_tables_and_single_rows_of_them(root: Path, tmp_path: Path) -> None:
    lance = pytest.importorskip("lance")
    samples = dataset.dataset(root, per_label=8, format_of=dataset.mixed)
    export(samples, root, tmp_path / "out", "lance", SPLIT)
    data = saved(root, samples)
    labels = {one.info.sha256: one.label for one in samples}
    found = {}
    for split in ("train", "val", "test"):
        table = lance.dataset(tmp_path / "out" / f"{split}.lance")
        for row in table.to_table().to_pylist():
            assert row["label"] == labels[row["sha256"]]
            found[row["sha256"]] = row["image"]["bytes"]
        assert set(table.to_table(["label"]).column("label").to_pylist()) == LABELS
        (last,) = table.take([table.count_rows() - 1], ["image.bytes", "sha256"]).to_pylist()
        assert last["image"]["bytes"] == data[last["sha256"]]
        (version,) = table.versions()
        assert version["timestamp"].year == 2026
        table.validate()
    assert found == data
    small = lance.dataset(tmp_path / "out" / "train.lance").scanner(
        ["label"], filter="width >= 48 AND label = 'cat'", limit=2
    )
    assert small.to_table().num_rows == 2


def test_a_lance_table_takes_rows_of_the_users_own(root: Path, tmp_path: Path) -> None:
    lance = pytest.importorskip("lance")
    samples = dataset.dataset(root, ["cat"])
    export(samples, root, tmp_path / "out", "lance")
    table = lance.dataset(tmp_path / "out" / "train.lance")
    table.add_columns({"double": "width * 2"})
    lance.write_dataset(table.to_table(), table.uri, mode="append")
    table = lance.dataset(table.uri)
    assert table.to_table(["double"]).column("double").to_pylist() == [96] * 10


@THEIR_WARNINGS
def test_pycocotools_reads_the_annotations(root: Path, tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    samples = dataset.dataset(root, format_of=dataset.mixed)
    export(samples, root, tmp_path / "out", "coco", SPLIT)
    by_hash = {one.info.sha256: one for one in samples}
    seen = set()
    for split in ("train", "val", "test"):
        coco = coco_module.COCO(str(tmp_path / "out" / "annotations" / f"instances_{split}.json"))
        assert {row["name"] for row in coco.loadCats(coco.getCatIds())} == LABELS
        for category in coco.loadCats(coco.getCatIds()):
            for image in coco.loadImgs(coco.getImgIds(catIds=[category["id"]])):
                one = by_hash[image["sha256"]]
                path = tmp_path / "out" / split / image["file_name"]
                assert path.read_bytes() == (root / one.file_name).read_bytes()
                assert category["name"] == one.label
                seen.add(image["sha256"])
                (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
                mask = coco.annToMask(annotation)
                assert mask.shape == (image["height"], image["width"])
                assert mask.min() == 1
    assert seen == set(by_hash)


def test_pandas_reads_the_tables(root: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    samples = dataset.dataset(root)
    export(samples, root, tmp_path / "out.csv", "csv")
    export(samples, root, tmp_path / "out.jsonl", "jsonl")
    rows = pandas.read_csv(tmp_path / "out.csv", keep_default_na=False)
    lines = pandas.read_json(tmp_path / "out.jsonl", lines=True)
    for frame in (rows, lines):
        assert list(frame.file_name) == [one.file_name for one in samples]
        assert list(frame.label) == [one.label for one in samples]
        assert list(frame.title) == [one.candidate.title or "" for one in samples]
        assert list(frame.width) == [48] * len(samples)
