"""What every export format keeps to."""

from __future__ import annotations

import random
import signal
import sys
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace

from pixtrawl.errors import ExportError, MissingExtraError, UsageError
from pixtrawl.exporters import FORMATS, load
from pixtrawl.exporters.export import ExportOptions, export
from pixtrawl.transform import Transform
from tests.exporters import dataset, killed_export
from tests.exporters.dataset import tree
from tests.matrices import matrix, sample

TABLES = ("csv", "jsonl")
WITH_IMAGES = [name for name in FORMATS if name not in TABLES]
NEEDS = {"parquet": "pyarrow", "lance": "lance"}
# What all formats share is seen with a tar, a tree of files and a table; the others are slow.
SOME_WITH_IMAGES = matrix(WITH_IMAGES, "webdataset", "imagefolder", "parquet")
OPTIONS = killed_export.OPTIONS
NEEDS_SIGKILL = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


@pytest.fixture(params=FORMATS)
def to(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return name


@pytest.fixture(params=matrix(FORMATS, "webdataset", "imagefolder", "csv"))
def killed_to(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return name


@pytest.fixture(params=matrix(FORMATS, "webdataset", "imagefolder", "parquet", "csv"))
def some_to(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


def test_the_same_input_gives_the_same_bytes(some_to: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root, format_of=dataset.mixed)
    for out in ("one", "two"):
        done = export(samples, root, tmp_path / out, some_to, OPTIONS)
        assert done.images == len(samples)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@NEEDS_SIGKILL
def test_a_killed_export_ends_as_an_undisturbed_one(
    killed_to: str, root: Path, tmp_path: Path
) -> None:
    to = killed_to
    samples = dataset.dataset(root, format_of=dataset.mixed)
    export(samples, root, tmp_path / "undisturbed", to, OPTIONS)
    undisturbed = tree(tmp_path / "undisturbed")
    out = tmp_path / "killed"
    rng = random.Random(to)
    # A run gets a little further than the one before, wherever that was.
    points = (rng.randrange(10), rng.randrange(10, 100), rng.randrange(100, 250))
    # Those that write as imagefolder or as nothing but one file are killed once.
    for point in points if to not in (*TABLES, "coco", "fiftyone") else points[1:2]:
        assert killed_export.killed(root, out, to, point) in {-signal.SIGKILL, 0}
        for name, data in tree(out).items():
            if ".pixtrawl-export" not in name:
                assert undisturbed[name] == data, "a torn file has its final name"
    export(samples, root, out, to, OPTIONS)
    assert tree(out) == undisturbed


@NEEDS_SIGKILL
def test_a_killed_export_of_other_options_leaves_nothing_behind(
    killed_to: str, root: Path, tmp_path: Path
) -> None:
    to = killed_to
    out = tmp_path / "out"
    samples = dataset.dataset(root, format_of=dataset.mixed)
    assert killed_export.killed(root, out, to, 60) in {-signal.SIGKILL, 0}
    fewer = [one for one in samples if one.label != "cat"]
    export(fewer, root, out, to, replace(OPTIONS, title="other"))
    export(fewer, root, tmp_path / "fresh", to, replace(OPTIONS, title="other"))
    assert tree(out) == tree(tmp_path / "fresh")


def test_an_export_of_a_smaller_data_set_removes_what_is_gone(
    some_to: str, root: Path, tmp_path: Path
) -> None:
    to = some_to
    out = tmp_path / "out"
    samples = dataset.dataset(root)
    export(samples, root, out, to, OPTIONS)
    fewer = [one for one in samples if one.label != "cat"]
    export(fewer, root, out, to, OPTIONS)
    export(fewer, root, tmp_path / "fresh", to, OPTIONS)
    assert tree(out) == tree(tmp_path / "fresh")


@pytest.mark.parametrize("name", SOME_WITH_IMAGES)
def test_a_complete_export_is_not_written_again(name: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    out = tmp_path / "out"
    export(samples, root, out, name, OPTIONS)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert export(samples, root, out, name, OPTIONS).was_complete
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times


@pytest.mark.parametrize("name", SOME_WITH_IMAGES)
def test_a_file_that_was_lost_is_written_again(name: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    out = tmp_path / "out"
    export(samples, root, out, name, OPTIONS)
    before = tree(out)
    victim = max(
        (path for path in out.rglob("*") if path.is_file()), key=lambda p: p.stat().st_size
    )
    victim.unlink()
    assert not export(samples, root, out, name, OPTIONS).was_complete
    assert tree(out) == before


@pytest.mark.parametrize("name", SOME_WITH_IMAGES)
def test_a_folder_with_something_else_in_it_is_not_touched(
    name: str, root: Path, tmp_path: Path
) -> None:
    samples = dataset.dataset(root)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        export(samples, root, out, name, OPTIONS)
    assert tree(out) == {"thesis.txt": b"mine"}


def test_one_folder_holds_one_format(root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    export(samples, root, tmp_path / "out", "webdataset")
    with pytest.raises(UsageError, match="holds an export to webdataset"):
        export(samples, root, tmp_path / "out", "imagefolder")


@pytest.mark.parametrize("name", SOME_WITH_IMAGES)
def test_a_bad_file_ends_the_export_and_names_itself(name: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    (root / samples[3].file_name).write_bytes(b"\xff\xd8 not what was saved")
    with pytest.raises(ExportError, match=rf"{samples[3].file_name} .*SHA-256.*--skip-bad"):
        export(samples, root, tmp_path / "out", name)


@pytest.mark.parametrize("name", SOME_WITH_IMAGES)
def test_bad_files_are_skipped_and_counted_on_request(
    name: str, root: Path, tmp_path: Path
) -> None:
    samples = dataset.dataset(root)
    for one in samples[:7]:
        (root / one.file_name).write_bytes(b"")
    done = export(samples, root, tmp_path / "out", name, replace(OPTIONS, skip_bad=True))
    assert (done.images, done.bad) == (len(samples) - 7, 7)
    attribution = (tmp_path / "out" / "ATTRIBUTION.md").read_text()
    assert attribution.count("\n- ") == len(samples) - 7


def test_images_deleted_by_hand_are_left_out(some_to: str, root: Path, tmp_path: Path) -> None:
    to = some_to
    samples = dataset.dataset(root)
    (root / samples[0].file_name).unlink()
    done = export(samples, root, tmp_path / "out", to)
    assert (done.images, done.missing) == (len(samples) - 1, 1)


def test_nothing_to_export_writes_nothing(to: str, root: Path, tmp_path: Path) -> None:
    root.mkdir()
    assert export([], root, tmp_path / "out", to).images == 0
    assert not (tmp_path / "out").exists()


def test_an_export_into_the_data_set_is_refused(to: str, root: Path) -> None:
    samples = dataset.dataset(root)
    for out in (root, root / "cat" / "export", f"file://{root}"):
        with pytest.raises(UsageError, match="lies in the data set"):
            export(samples, root, out, to)


def test_a_format_that_does_not_exist_is_reported_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean webdataset"):
        load("webdatset")


def test_a_missing_package_is_reported_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pixtrawl.exporters.parquet", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'pixtrawl\[formats\]'"):
        load("parquet")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_refuses_to_resize(table: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    options = ExportOptions(transform=Transform(mode="border", size=8))
    with pytest.raises(UsageError, match="writes no images"):
        export(samples, root, tmp_path / "out", table, options)


@pytest.mark.parametrize(("name", "where"), sample(product(WITH_IMAGES, ["memory", "file"]), 5))
def test_a_url_gets_the_same_files_as_a_folder(
    name: str, where: str, root: Path, tmp_path: Path
) -> None:
    fsspec = pytest.importorskip("fsspec")
    samples = dataset.dataset(root)
    export(samples, root, tmp_path / "local", name, OPTIONS)
    url = f"memory://{name}/deep er" if where == "memory" else (tmp_path / "url er").as_uri()
    export(samples, root, url, name, OPTIONS)
    assert export(samples, root, url, name, OPTIONS).was_complete
    if where == "file":
        assert tree(tmp_path / "url er") == tree(tmp_path / "local")
        return
    fs = fsspec.filesystem("memory")
    prefix = f"/{name}/deep er/"
    found = {path.removeprefix(prefix): fs.cat_file(path) for path in fs.find(prefix)}
    assert found == tree(tmp_path / "local")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_goes_to_the_file_that_is_named(table: str, root: Path, tmp_path: Path) -> None:
    samples = dataset.dataset(root)
    out = tmp_path / f"all of it.{table}"
    for _ in range(2):  # the second time it is there already
        export(samples, root, out, table)
    export(samples, root, tmp_path / "folder", table)
    assert out.read_bytes() == (tmp_path / "folder" / f"metadata.{table}").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {out.name, "folder", "images"}
