"""A set of shards opens as a data set does: samples, filters, exports, lock, duplicates."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pixtrawl
import pixtrawl.errors
from pixtrawl.catalog.sample_columns import COLUMNS
from pixtrawl.cli.main import main
from pixtrawl.cluster.commits import roll_up
from pixtrawl.cluster.duplicates import read_entry
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import sweep
from pixtrawl.exporters import FORMATS
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.manifests.recipe import read_recipe
from tests.cluster.scenes import LABELS
from tests.matrices import matrix, sample

pytestmark = pytest.mark.timeout(240)
FORMATS_OF_SETS = ("webdataset", "parquet")


def _prepared(scenes_list: Path, store: str, *options: str) -> str:
    words = ["--min-size", "16", "--shard-rows", "4", "-q", *options]
    assert main(["cluster", "prepare", str(scenes_list), "-o", store, *words]) == 0
    assert main(["worker", store, "-q"]) == 0
    return store


@pytest.fixture(scope="module")
def sets(scenes_list: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same job in both formats."""
    folder = tmp_path_factory.mktemp("sets")
    return {to: _prepared(scenes_list, str(folder / to), "--to", to) for to in FORMATS_OF_SETS}


@pytest.fixture(params=matrix(FORMATS_OF_SETS, "webdataset"))
def shards(request: pytest.FixtureRequest, sets: dict[str, str]) -> Iterator[str]:
    store = sets[request.param]
    yield store
    main(["cluster", "duplicates", store, "--forget", "-q"])


@pytest.fixture(scope="module")
def folder(scenes_list: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same list downloaded into a folder on one machine, near duplicates found."""
    folder = tmp_path_factory.mktemp("folder") / "images"
    words = ["-o", str(folder), "--min-size", "16", "--dedup", "near", "-q"]
    main(["download", str(scenes_list), *words])
    return folder


@pytest.mark.parametrize("to", FORMATS_OF_SETS)
def test_a_set_of_shards_is_a_sequence_of_samples(sets: dict[str, str], to: str) -> None:
    ds = pixtrawl.open(sets[to])
    samples = list(ds)
    assert len(ds) == len(samples) == 13
    assert [ds[n].number for n in range(13)] == [one.number for one in samples]
    assert ds[-1].number == samples[-1].number
    assert [one.number for one in ds[3:12:4]] == [one.number for one in samples[3:12:4]]
    with pytest.raises(IndexError):
        ds[13]
    assert ds.labels == list(LABELS)
    assert {one.label for one in samples} == set(LABELS)
    for one in samples:
        data = one.read()
        assert hashlib.sha256(data).hexdigest() == one.info.sha256
        assert Image.open(io.BytesIO(data)).size == (one.info.width, one.info.height)
        assert one.own["price"] is None or one.own["price"] >= 0
    with pytest.raises(pixtrawl.errors.UsageError, match=r"read\(\) gives its bytes"):
        _ = samples[0].path
    assert "13 images of 2 labels" in repr(ds)
    assert "data:image/jpeg" in ds._repr_html_()
    assert ds.report.totals.saved == 13
    assert ds.report.reasons["saved"] == 13


def test_a_set_of_shards_is_filtered_sorted_pickled_and_made_tensors(shards: str) -> None:
    ds = pixtrawl.open(shards)
    wide = ds.filter(width__gt=200, label="cats")
    assert len(wide) == 5
    assert {one.label for one in wide} == {"cats"}
    assert wide.labels == ["cats"]
    assert len(ds.filter(lambda one: one.info.width == 160)) == 2
    widths = [one.info.width for one in ds.sort("width", descending=True)]
    assert widths == sorted(widths, reverse=True)
    again = pickle.loads(pickle.dumps(wide))
    assert [one.number for one in again] == [one.number for one in wide]
    images = ds.to_torch()
    assert images.classes == list(LABELS)
    assert pickle.loads(pickle.dumps(images))[2][0].mode == "RGB"
    assert len(ds.to_pandas()) == 13
    assert ds.show(4).width > 0
    failed = ds.outcomes(status="rejected")
    assert [one.url for one in failed] == ["data:image/jpeg;base64,AAAA"]
    assert len(ds.outcomes()) == 14


@pytest.mark.parametrize("resize", matrix(("", "64"), "64"))
def test_each_column_that_filters_in_bulk_tells_the_same_as_the_samples(
    scenes_list: Path, tmp_path: Path, resize: str
) -> None:
    options = ("--resize", resize) if resize else ()
    ds = pixtrawl.open(_prepared(scenes_list, str(tmp_path / "set"), *options))
    rows: list[dict[str, Any]] = [metadata_row(one) for one in ds]
    for column in COLUMNS:
        for value in {row[column] for row in rows}:
            condition: dict[str, Any] = {column: value}
            alike = [row["number"] for row in rows if row[column] == value]
            assert [one.number for one in ds.filter(**condition)] == alike, column
    others = [row["number"] for row in rows if row["label"] != "cats"]
    downwards = ds.sort("number", descending=True).filter(label__ne="cats", width__ge=1)
    assert [one.number for one in downwards] == sorted(others, reverse=True)
    assert len(ds.filter(label="cats").filter(width__ge=1, title__contains="")) == 13 - len(others)


def test_a_set_of_shards_is_a_hugging_face_data_set(sets: dict[str, str], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    ds = pixtrawl.open(sets["parquet"])
    found = ds.to_hf()
    assert found.features["label"].names == list(LABELS)
    assert found["sha256"][:] == [one.info.sha256 for one in ds]
    assert found["price"][:] == [one.own["price"] for one in ds]
    picture = found[2]["image"]
    assert (picture.mode, picture.size) == ("RGB", (ds[2].info.width, ds[2].info.height))
    assert len(ds.filter(label="cats").to_hf()) == len(ds.filter(label="cats"))
    assert len(ds.filter(label="none").to_hf()) == 0

    embed = importlib.import_module("datasets.table").embed_table_storage
    embedded = embed(found.with_format("arrow")[:])["image"].to_pylist()  # as push_to_hub does
    assert [one["bytes"] for one in embedded] == [one.read() for one in ds]
    assert embedded[0]["path"] == ds[0].file_name.rpartition("/")[2]
    found.save_to_disk(str(tmp_path / "saved"))  # which keeps references
    assert datasets.load_from_disk(str(tmp_path / "saved"))[2]["image"].size == picture.size


def test_what_changes_a_data_set_says_how_to_make_a_folder(
    scenes_list: Path, shards: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ds = pixtrawl.open(shards)
    for refused in (lambda: ds.root, lambda: ds.reject([ds[0]]), ds.duplicates):
        with pytest.raises(pixtrawl.errors.UsageError, match="pixtrawl cluster collect"):
            refused()
    for words in (
        ["dedup", shards],
        ["verify", shards],
        ["verify", "memory://sets/none"],
        ["reject", shards, "000001.jpg"],
        ["label", shards, "000001.jpg", "--to", "cats"],
        ["restore", shards, "000001.jpg"],
        ["report", shards, "--junk"],
    ):
        assert main(words) == 2
        assert "pixtrawl cluster collect" in capsys.readouterr().err
    assert main(["export", shards, "--to", "csv", "-o", f"{shards}/csv"]) == 2
    assert "lies in the set of shards" in capsys.readouterr().err
    assert main(["export", shards, "--to", "jsonl", "-o", "x", "--embedding", "auto"]) == 2
    assert main(["export", "memory://sets/none", "--to", "csv", "-o", "x"]) == 2
    assert "is no set of shards" in capsys.readouterr().err
    assert main(["run", "cats", "-o", "memory://sets/none"]) == 2
    assert "is a URL" in capsys.readouterr().err
    for words in (["run", "cats"], ["download", str(scenes_list)]):
        assert main([*words, "-o", shards]) == 2  # a catalog there would hide the shards
        assert "name another with -o" in capsys.readouterr().err
    assert len(pixtrawl.open(shards)) == 13


def test_the_report_of_shards_names_their_place_and_the_sources_of_their_list(
    shards: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", shards]) == 0
    text = capsys.readouterr().out
    assert f"shards: {shards}/data/   as a folder: pixtrawl cluster collect {shards} -o DIR" in text
    assert "<label>" not in text
    assert "not finished" not in text


@pytest.mark.parametrize("to", sample(sorted(set(FORMATS) - {"hub", "lance", "fiftyone"}), 3))
def test_every_format_is_exported_from_shards(
    sets: dict[str, str], to: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = pixtrawl.open(sets["webdataset"]).export(to, out, caption="title")
    assert done.images == 13
    again = pixtrawl.export(sets["webdataset"], to, out, caption="title")
    assert again.images == 13
    assert again.was_complete or to in {"csv", "jsonl"}


def test_an_export_of_shards_holds_their_pictures_and_columns(
    shards: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    split = ["--split", "train=0.5,val=0.5", "--where", "width>=200"]
    assert main(["export", shards, "--to", "imagefolder", "-o", str(out), *split]) == 0
    rows = {
        name: list(map(json.loads, (out / name / "metadata.jsonl").read_text().splitlines()))
        for name in ("train", "val")
    }
    assert sum(map(len, rows.values())) == 11
    for name, some in rows.items():
        for row in some:
            data = (out / name / row["file_name"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == row["sha256"]
            assert row["price"] is None or float(row["price"]) >= 0
    for label in LABELS:  # look-alikes end on one side
        sides = {
            name for name, some in rows.items() for row in some
            if row["title"] in {f"{label} {n}" for n in (0, 1, 3)}
        }  # fmt: skip
        assert len(sides) == 1
    capsys.readouterr()


def test_resized_shards_are_exported_as_they_are_stored(
    scenes_list: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = _prepared(scenes_list, str(tmp_path / "set"), "--resize", "center_crop:64")
    ds = pixtrawl.open(store)
    assert {(one.info.width, one.info.height) for one in ds} == {(64, 64)}
    assert ds.export("webdataset", tmp_path / "out").images == 13
    assert main(["lock", store, "-o", str(tmp_path / "lock.json")]) == 0
    fetched = {one.sha256 for one in read_recipe(tmp_path / "lock.json").images}
    assert fetched.isdisjoint(one.info.sha256 for one in ds)
    capsys.readouterr()


def test_the_lock_of_shards_rebuilds_their_pictures(
    shards: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock.json"
    assert main(["lock", shards, "-o", str(lock)]) == 0
    wanted = sorted(one.info.sha256 for one in pixtrawl.open(shards))
    assert sorted(one.sha256 for one in read_recipe(lock).images) == wanted
    rebuilt = tmp_path / "rebuilt"
    assert main(["lock", "--rebuild", str(lock), "-o", str(rebuilt), "-q"]) == 0
    assert sorted(one.info.sha256 for one in pixtrawl.open(rebuilt)) == wanted
    capsys.readouterr()


def test_duplicates_over_shards_are_those_of_one_machine_and_every_reader_honours_them(
    shards: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cluster", "duplicates", shards, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == 13
    assert told["duplicates"] == 7
    here, there = pixtrawl.open(folder), pixtrawl.open(shards)

    def verdicts(ds: pixtrawl.Dataset) -> dict[str, str]:
        # A worse copy has another reason if it was decoded first, so statuses are compared.
        return {one.url: str(one.status) for one in ds.outcomes()}

    assert verdicts(there) == verdicts(here)
    ways = {one.url: list(one.provenance) for one in here}
    for one in there:  # the folder has the findings of their copies as well
        (way,) = one.provenance
        assert way in ways[one.url]
    kept = sorted(one.info.sha256 for one in here)
    assert sorted(one.info.sha256 for one in there) == kept
    assert len(there) == len(there.filter(width__gt=0)) == len(kept) == 6
    assert there.report.totals == here.report.totals
    assert main(["report", shards, "--urls", "--status", "near_duplicate"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    out = tmp_path / "out"
    assert there.export("jsonl", out).images == 6
    assert main(["lock", shards, "-o", str(tmp_path / "lock.json")]) == 0
    assert sorted(one.sha256 for one in read_recipe(tmp_path / "lock.json").images) == kept
    assert main(["cluster", "duplicates", shards, "--dedup", "exact", "-q"]) == 0
    assert len(pixtrawl.open(shards)) == 12
    assert len(Store(shards).entries("duplicates")) == 1
    assert main(["cluster", "status", shards]) == 0
    assert "1 of them left out as duplicates (--dedup exact)" in capsys.readouterr().out
    assert main(["cluster", "duplicates", shards, "--forget"]) == 0
    assert read_entry(Store(shards)) is None
    assert len(pixtrawl.open(shards)) == 13


def test_thumbnails_are_swept_and_rolled_up_with_their_shards(
    scenes_list: Path, tmp_path: Path
) -> None:
    store = Store(_prepared(scenes_list, str(tmp_path / "set")))
    looks = store.entries("looks")
    assert looks
    store.put("looks/g-0000000000000000-001-0badcafe.parquet", b"of an attempt that was lost")
    assert sweep(store, older_s=0).removed == 1
    assert roll_up(store)[0] > 1
    assert store.entries("looks") == looks
    assert len(list(pixtrawl.open(store.url))) == 13


def test_a_set_in_an_object_store_is_opened_and_exported(
    scenes_list: Path, object_store: Store, tmp_path: Path
) -> None:
    for to in FORMATS_OF_SETS:
        url = _prepared(scenes_list, f"{object_store.url}/{to}", "--to", to)
        ds = pixtrawl.open(url)
        assert len(ds) == 13
        assert {hashlib.sha256(one.read()).hexdigest() for one in ds} == {
            one.info.sha256 for one in ds
        }
        assert main(["cluster", "duplicates", url, "-q"]) == 0
        assert pixtrawl.open(url).export("webdataset", tmp_path / to).images == 6
        assert main(["export", url, "--to", "parquet", "-o", f"{object_store.url}/{to}-out"]) == 0
