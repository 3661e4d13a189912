"""Files called by a list's ids, and its own columns in what is made of a data set."""

from __future__ import annotations

import asyncio
import csv
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.config.groups import Config, Fetch, Job
from pixtrawl.model import Sample
from pixtrawl.pipeline.feeders.rebuild import rebuild, write_lock
from tests.pipeline.pictures import Answer, jpeg, scene, serving


def test_ids_name_files_and_none_overwrites_another(tmp_path: Path) -> None:
    ids = ["SKU-1", "sku-1", "a/b", "7.jpg", "397133", "", "con", "000001"]
    answers: dict[str, Answer] = {f"/{n}.jpg": jpeg(scene(n)) for n in range(len(ids))}
    with serving(answers) as host:
        path = tmp_path / "shoes.csv"
        rows = "".join(f"{one},{host.url}/{n}.jpg,{n}.50\n" for n, one in enumerate(ids))
        path.write_text("id,url,price\n" + rows)
        by_price: dict[str, Sample] = {}
        for _ in range(2):  # the second time nothing changes
            ds = pixtrawl.download(
                path, id_column="id", output=tmp_path / "set", allow_address="127.0.0.0/8"
            )
            by_price = {sample.own["price"]: sample for sample in ds}
            assert len(by_price) == len(ds) == len(ids)
            names = {s.file_name.casefold() for s in ds}
            assert len(names) == len(ids)
            assert {"shoes/a_b.jpg", "shoes/7.jpg", "shoes/_con.jpg"} <= names
            assert by_price["4.50"].file_name == "shoes/397133.jpg"
            for price, sample in by_price.items():
                number = int(price.partition(".")[0])
                assert sample.path.read_bytes() == answers[f"/{number}.jpg"]
                assert sample.own["id"] == ids[number]
        with (tmp_path / "set.lock").open("w") as file:
            write_lock(tmp_path / "set", file.write)
        config = Config(
            job=Job(output=str(tmp_path / "again")),
            fetch=Fetch(allow_address=("127.0.0.0/8",)),
        )
        asyncio.run(rebuild(tmp_path / "set.lock", config))
        again = pixtrawl.open(tmp_path / "again")
        assert {(s.file_name, s.own["price"]) for s in again} == {
            (s.file_name, price) for price, s in by_price.items()
        }, "a recipe brings back names and columns"
    lines = (tmp_path / "set" / "metadata.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["number"] for line in lines) == list(range(1, len(ids) + 1))


def test_own_columns_reach_metadata_and_exports_with_their_types(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {f"/{n}.jpg": jpeg(scene(n)) for n in range(3)}
    with serving(answers) as host:
        rows = [
            {"url": f"{host.url}/{n}.jpg", "id": n, "price": n + 0.5, "width": 5, "split": "train",
             "image": "x", "ok": n > 0, "sku": None if n else "s"}
            for n in range(3)
        ]  # fmt: skip
        ds = pixtrawl.download(rows, output=tmp_path / "set", allow_address="127.0.0.0/8")
    first = json.loads((tmp_path / "set" / "metadata.jsonl").read_text().splitlines()[0])
    assert {name: first[name] for name in ("price", "split", "input_width", "input_image")} == {
        "price": first["id"] + 0.5, "split": "train", "input_width": 5, "input_image": "x",
    }  # fmt: skip
    assert first["width"] != 5
    assert isinstance(first["ok"], bool)
    assert len(ds.filter(price__gt=1)) == 2
    ds.export("csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert sorted(row["price"] for row in table) == ["0.5", "1.5", "2.5"]
    ds.export("coco", tmp_path / "coco")
    (path,) = (tmp_path / "coco" / "annotations").iterdir()
    images = json.loads(path.read_text())["images"]
    assert sorted(one["input_id"] for one in images) == [0, 1, 2]
    assert sorted(one["id"] for one in images) == [1, 2, 3]


def test_an_image_that_is_moved_there_and_back_keeps_the_name_of_its_id(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {f"/{n}.jpg": jpeg(scene(n)) for n in range(2)}
    with serving(answers) as host:
        path = tmp_path / "shoes.csv"
        path.write_text("id,url\n" + "".join(f"SKU-{n},{host.url}/{n}.jpg\n" for n in range(2)))
        output = tmp_path / "set"
        pixtrawl.download(path, id_column="id", output=output, allow_address="127.0.0.0/8")
    for label in ("boots", "shoes", "boots"):
        (old,) = output.rglob("SKU-1.jpg")
        assert main(["label", str(old), "--to", label]) == 0
        assert (output / label / "SKU-1.jpg").is_file()
    names = {sample.file_name for sample in pixtrawl.open(output)}
    assert names == {"shoes/SKU-0.jpg", "boots/SKU-1.jpg"}


@pytest.mark.timeout(120)
def test_numbers_stay_numbers_through_every_format_and_back(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    answers: dict[str, Answer] = {f"/{n}.jpg": jpeg(scene(n)) for n in range(3)}
    own = [
        {"sku": f"00{n}", "stock": n, "price": n + 0.25, "ok": n > 0, "big": 2**40 + n,
         "rating": None if n else 4}
        for n in range(3)
    ]  # fmt: skip
    with serving(answers) as host:
        rows = [{"url": f"{host.url}/{n}.jpg", **one} for n, one in enumerate(own)]
        ds = pixtrawl.download(rows, output=tmp_path / "set", allow_address="127.0.0.0/8")

    def checked(found: Iterable[Mapping[str, Any]], way: str) -> None:
        by_sku = {row["sku"]: {name: row[name] for name in own[0]} for row in found}
        assert by_sku == {one["sku"]: one for one in own}, way
        for row in by_sku.values():
            kinds = [type(row[name]) for name in ("stock", "price", "ok", "big")]
            assert kinds == [int, float, bool, int], way

    checked([sample.own for sample in ds], "the data set")
    lines = (tmp_path / "set" / "metadata.jsonl").read_text().splitlines()
    checked(map(json.loads, lines), "metadata.jsonl")
    ds.export("parquet", tmp_path / "parquet")
    files = sorted((tmp_path / "parquet").rglob("*.parquet"))
    checked([row for file in files for row in pq.read_table(file).to_pylist()], "parquet")
    ds.export("imagefolder", tmp_path / "folder")
    (written,) = (tmp_path / "folder").rglob("metadata.jsonl")
    checked(map(json.loads, written.read_text().splitlines()), "imagefolder")
    ds.export("webdataset", tmp_path / "shards")
    found = []
    for shard in (tmp_path / "shards").rglob("*.tar"):
        with tarfile.open(shard) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    content = tar.extractfile(member)
                    assert content is not None
                    found.append(json.load(content))
    checked(found, "webdataset")
    frame = ds.to_pandas()
    assert [frame[name].dtype.kind for name in ("stock", "price", "ok", "big")] == list("ifbi")
    # what was written is a list again, and its columns have the same types
    for path in (tmp_path / "again.jsonl", tmp_path / "again.parquet"):
        with serving(answers) as host:
            again = [{**row, "url": f"{host.url}/{n}.jpg"} for n, row in enumerate(rows)]
            if path.suffix == ".jsonl":
                path.write_text("".join(json.dumps(row) + "\n" for row in again))
            else:
                pq.write_table(pyarrow_table(again), path)
            output = tmp_path / f"set-{path.suffix[1:]}"
            read = pixtrawl.download(path, output=output, allow_address="127.0.0.0/8")
        checked([sample.own for sample in read], path.name)


def pyarrow_table(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


def test_own_numbers_reach_hugging_face_as_numbers(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    with serving({"/0.jpg": jpeg(scene(0))}) as host:
        rows = [{"url": f"{host.url}/0.jpg", "stock": 7, "price": 2.5, "ok": True}]
        ds = pixtrawl.download(rows, output=tmp_path / "set", allow_address="127.0.0.0/8")
    table = ds.to_hf()
    assert [table.features[name].dtype for name in ("stock", "price", "ok")] == [
        "int64", "float64", "bool",
    ]  # fmt: skip
    assert [table[0][name] for name in ("stock", "price", "ok")] == [7, 2.5, True]


def test_columns_of_a_list_of_queries_go_with_their_images(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/0.jpg": jpeg(scene(0))}
    with serving(answers) as host:
        (tmp_path / "l.csv").write_text(f"query,url\ncat,{host.url}/0.jpg\n")
        ds = pixtrawl.run(
            [{"query": "cat", "limit": 1, "species": "felis", "legs": 4}], source="urls",
            set=[f"urls.file={tmp_path / 'l.csv'}"], output=tmp_path / "set",
            allow_address="127.0.0.0/8",
        )  # fmt: skip
        assert [sample.own for sample in ds] == [{"species": "felis", "legs": 4}]
