"""The files themselves, read by readers that share nothing with their writers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace
from PIL import Image

from pixtrawl.exporters import webdataset
from pixtrawl.exporters.base import Sharding
from pixtrawl.exporters.crc32c import crc32c
from pixtrawl.exporters.export import ExportOptions, export
from pixtrawl.exporters.tables import without_formulas
from pixtrawl.exporters.tfrecord import encode_example
from pixtrawl.transform import Transform
from tests.exporters import dataset
from tests.matrices import examples

HOSTILE = 'a, "b"\r\n; =1+1 \N{SNOWMAN}\u2028<script> \ud800'


def slow_crc32c(data: bytes) -> int:
    """RFC 3720, bit by bit."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Length-delimited protobuf fields."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        assert tag & 7 == 2
        size, at = varint(data, at)
        yield tag >> 3, data[at : at + size]
        at += size


def parsed_example(data: bytes) -> dict[str, Any]:
    ((one, features),) = fields(data)
    assert one == 1
    values: dict[str, Any] = {}
    for _, entry in fields(features):
        parts = dict(fields(entry))
        ((kind, content),) = fields(parts[2])
        ((_, value),) = fields(content)
        assert kind in {1, 2, 3}  # of Feature: bytes_list, float_list, int64_list
        if kind == 2:
            (values[parts[1].decode()],) = struct.unpack("<f", value)
        elif kind == 3:
            number, end = varint(value, 0)
            assert end == len(value)
            values[parts[1].decode()] = number - (1 << 64) * (number >> 63)
        else:
            values[parts[1].decode()] = value
    return values


def records(path: Path) -> Iterator[bytes]:
    def unmasked(masked: int) -> int:
        rotated = (masked - 0xA282EAD8) % 2**32
        return (rotated >> 17 | rotated << 15) % 2**32

    data = path.read_bytes()
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        assert unmasked(struct.unpack_from("<I", data, at + 8)[0]) == slow_crc32c(data[at : at + 8])
        record = data[at + 12 : at + 12 + size]
        (crc,) = struct.unpack_from("<I", data, at + 12 + size)
        assert unmasked(crc) == slow_crc32c(record)
        yield record
        at += 16 + size


def test_tfrecords_give_back_every_byte_and_label(root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root, per_label=3, format_of=dataset.mixed)
    export(
        samples, root, tmp_path / "out", "tfrecord", ExportOptions(sharding=Sharding(max_images=5))
    )
    classes = json.loads((tmp_path / "out" / "classes.json").read_text())
    by_hash = {one.info.sha256: one for one in samples}
    seen = []
    for shard in sorted((tmp_path / "out").glob("train-*.tfrecord")):
        rows = [parsed_example(record) for record in records(shard)]
        assert len(rows) <= 5
        for row in rows:
            one = by_hash[row["image/key/sha256"].decode()]
            assert row["image/encoded"] == (root / one.file_name).read_bytes()
            assert (
                classes[row["image/class/label"]] == row["image/class/text"].decode() == one.label
            )
            assert (row["image/width"], row["image/height"]) == (48, 36)
            seen.append(one.id)
    assert len(seen) == len(samples)


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_the_checksum_gives_the_values_of_rfc_3720(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


@given(st.binary(max_size=2000))
@settings(max_examples=examples(50), deadline=None)
def test_the_fast_checksum_equals_the_slow_one(data: bytes) -> None:
    assert crc32c(data) == slow_crc32c(data)


@given(
    st.dictionaries(st.text(max_size=8), st.integers(-(2**63), 2**63 - 1) | st.binary(), max_size=6)
)
@settings(max_examples=examples(80), deadline=None)
def test_an_example_can_be_read_back(features: dict[str, int | bytes]) -> None:
    if features:
        assert parsed_example(encode_example(features)) == features


def test_shards_are_plain_tars_that_tell_nothing_of_who_made_them(
    root: Path, tmp_path: Path
) -> None:
    samples = dataset.dataset(root, per_label=4)
    export(samples, root, tmp_path / "out", "webdataset")
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as tar:
        members = tar.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname, m.mode, m.type) for m in members} == {
            (0, 0, 0, "", 0o644, tarfile.REGTYPE)
        }
        assert [m.name.partition(".")[2] for m in members[:3]] == ["jpg", "json", "cls"]
        assert len(members) == 3 * len(samples)


@given(st.integers(0, 2**40))
@settings(max_examples=examples(50), deadline=None)
def test_a_tar_header_is_read_by_tarfile(size: int) -> None:
    header = webdataset.tar_header("000000001.jpg", size)
    info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    assert (info.name, info.size) == ("000000001.jpg", size)


@pytest.mark.parametrize("to", ["webdataset", "tfrecord"])
def test_no_shard_is_larger_than_asked_for(to: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root, per_label=8)
    options = ExportOptions(sharding=Sharding(max_bytes=40_000))
    export(samples, root, tmp_path / "out", to, options)
    suffix = {"webdataset": "tar"}.get(to, to)
    sizes = [path.stat().st_size for path in sorted((tmp_path / "out").glob(f"*.{suffix}"))]
    assert len(sizes) > 2
    assert max(sizes) <= 40_000
    assert min(sizes[:-1]) > 20_000


def test_one_image_larger_than_a_shard_gets_its_own(root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root, ["cat"], per_label=3)
    options = ExportOptions(sharding=Sharding(max_bytes=100))
    export(samples, root, tmp_path / "out", "webdataset", options)
    assert len(list((tmp_path / "out").glob("*.tar"))) == 3


def test_samples_of_shards_are_shuffled(root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root, ["a", "b"], per_label=30)
    export(samples, root, tmp_path / "out", "webdataset")
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as tar:
        classes = [tar.extractfile(m).read() for m in tar if m.name.endswith(".cls")]  # type: ignore[union-attr]
    assert 5 < classes[:30].count(b"0") < 25


def hostile(root: Path) -> list[Any]:
    (one,) = dataset.dataset(root, ["cat"], per_label=1)
    return [replace(one, candidate=replace(one.candidate, title=HOSTILE, creator="\0\x1b[31m"))]


def test_hostile_text_comes_through_csv_and_jsonl_unchanged(root: Path, tmp_path: Path) -> None:
    expected = HOSTILE.replace("\ud800", "?")
    export(hostile(root), root, tmp_path / "out.csv", "csv")
    export(hostile(root), root, tmp_path / "out.jsonl", "jsonl")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["title"] == expected
    (line,) = (tmp_path / "out.jsonl").read_bytes().split(b"\n")[:-1]
    assert json.loads(line)["title"] == expected


FORMULAS = {
    "=1+1": "'=1+1", "+1+1": "'+1+1", "-1+1": "'-1+1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1",
    "\r=1": "'\r=1", " =1": "' =1", "\uff1dcmd": "'\uff1dcmd", "\uff20x": "'\uff20x",
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "-5": "-5", "+0.5e3": "+0.5e3", "a=b": "a=b",
    "'=1": "'=1", "": "", "cat": "cat",
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_kept_in_csv_and_escaped_on_request(
    text: str, root: Path, tmp_path: Path
) -> None:
    (one,) = dataset.dataset(root, ["cat"], per_label=1)
    titled = [replace(one, candidate=replace(one.candidate, title=text))]
    for formulas, expected in (("keep", text), ("escape", FORMULAS[text])):
        export(titled, root, tmp_path / "out.csv", "csv", ExportOptions(formulas=formulas))
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        assert row["title"] == expected
        assert float(row["width"]) > 0


def test_a_lists_own_column_is_no_formula_either() -> None:
    assert without_formulas({"=x": "=y", "width": -5}) == {"'=x": "'=y", "width": -5}


@pytest.mark.parametrize("to", ["imagefolder", "webdataset", "parquet", "tfrecord", "coco"])
def test_hostile_text_ends_no_export(to: str, root: Path, tmp_path: Path) -> None:
    if to == "parquet":
        pytest.importorskip("pyarrow")
    assert export(hostile(root), root, tmp_path / "out", to).images == 1


def test_tables_name_the_split_of_each_image(root: Path, tmp_path: Path) -> None:
    from tests.exporters.killed_export import OPTIONS

    samples = dataset.dataset(root)
    export(samples, root, tmp_path / "out.csv", "csv", OPTIONS)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["split"] for row in rows} == {"train", "val", "test"}


def test_resized_pictures_are_described_as_they_are(root: Path, tmp_path: Path) -> None:
    import hashlib

    samples = dataset.dataset(root, ["cat"], per_label=4, format_of=dataset.mixed)
    transform = Transform(mode="center_crop", size=20, encode="webp", quality=80)
    export(samples, root, tmp_path / "out", "imagefolder", ExportOptions(transform=transform))
    lines = (tmp_path / "out" / "train" / "metadata.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    for row, one in zip(rows, samples, strict=True):
        data = (tmp_path / "out" / "train" / row["file_name"]).read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == ("WEBP", (20, 20))
        assert (row["width"], row["height"], row["format"]) == (20, 20, "webp")
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["size_bytes"] == len(data)
        assert row["original_sha256"] == one.info.sha256
        assert (row["original_width"], row["original_height"]) == (48, 36)
        assert row["file_name"].endswith(".webp")


def test_a_list_of_files_that_was_tampered_with_removes_nothing_outside(
    root: Path, tmp_path: Path
) -> None:
    from pixtrawl.errors import ExportError

    samples = dataset.dataset(root, ["cat"], per_label=2)
    out = tmp_path / "out"
    export(samples, root, out, "imagefolder")
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    with (out / ".pixtrawl-export.jsonl").open("a") as file:
        file.write('["../precious.txt", 4]\n')
    with pytest.raises(ExportError, match="which no export writes"):
        export(samples[:1], root, out, "imagefolder")
    assert precious.read_text() == "mine"


def test_a_png_whose_metadata_is_damaged_is_exported_without_the_damage(
    root: Path, tmp_path: Path
) -> None:
    whole = dataset.encoded(dataset.picture(1), "png", dpi=(72, 72))
    damaged = bytearray(whole)
    damaged[damaged.index(b"pHYs") + 4] ^= 1
    kept = dataset.sample(root, "cat", 1, whole, "png")
    (root / kept.file_name).write_bytes(damaged)
    digest = hashlib.sha256(damaged).hexdigest()
    kept = replace(kept, info=replace(kept.info, sha256=digest))
    export([kept], root, tmp_path / "out", "imagefolder", ExportOptions())
    (file,) = (tmp_path / "out").rglob("*.png")
    with Image.open(file) as image:
        image.load()
    (line,) = next((tmp_path / "out").rglob("metadata.jsonl")).read_text("utf-8").splitlines()
    assert json.loads(line)["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
