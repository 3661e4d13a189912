"""A data set in Python at any size: statements are counted, not seconds."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import sqlite3
import sys
import threading
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench.dataset_size import LABELS, make

import pixtrawl
from pixtrawl.catalog import reading
from pixtrawl.catalog.database import connect
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.model import Sample
from tests.matrices import matrix, sample

IMAGES = 1_200


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("size") / "set"
    make(folder, IMAGES)
    for label in folder.iterdir():  # as if made a minute ago: only then is a look at it relied on
        if label.is_dir():
            os.utime(label, (1_700_000_000, 1_700_000_000))
    return folder


@pytest.fixture(scope="module")
def rows(root: Path) -> list[tuple[Sample, dict[str, Any]]]:
    """Each image with its row of metadata."""
    return [(sample, metadata_row(sample)) for sample in pixtrawl.open(root)]


class Asked:
    """Connections opened, and the statements that read rows."""

    def __init__(self) -> None:
        self.connections = 0
        self.statements: list[str] = []

    def note(self, statement: str) -> None:
        if statement.startswith("SELECT"):
            self.statements.append(statement)

    def opened(self, path: Path, *, read_only: bool = False) -> sqlite3.Connection:
        db = connect(path, read_only=read_only)
        self.connections += 1
        db.set_trace_callback(self.note)
        return db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()
    monkeypatch.setattr(reading, "connect", found.opened)
    return found


def test_an_image_far_away_costs_one_statement_as_the_first_one_does(
    root: Path, asked: Asked
) -> None:
    ds = pixtrawl.open(root)
    first = ds[0]
    before = len(asked.statements)
    places = [0, -1, IMAGES // 2, -IMAGES, IMAGES - 1]
    names = [ds[at].file_name for at in places]
    assert names[0] == names[3] == first.file_name
    assert len(asked.statements) - before == len(places)
    assert asked.connections == 1
    plans = [_plan(root, one) for one in asked.statements[before:]]
    assert not any("SCAN s" in plan for plan in plans), plans


def _plan(root: Path, statement: str) -> str:
    with closing(connect(Folder(root).catalog, read_only=True)) as db:
        return " / ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"))


def test_a_slice_and_the_labels_are_one_statement_each(root: Path, asked: Asked) -> None:
    ds = pixtrawl.open(root)
    every = [sample.file_name for sample in ds]
    for part in (slice(0, 20), slice(-3, None), slice(50, 10, -7), slice(None), slice(5, 5)):
        before = len(asked.statements)
        assert [sample.file_name for sample in ds[part]] == every[part]
        assert len(asked.statements) - before == 1
    before = len(asked.statements)
    assert ds.labels == [f"label {at:02}" for at in range(LABELS)]
    assert ds.labels == ds.labels
    assert len(asked.statements) - before == 1
    assert ds.filter(label__in=["label 03", "label 01"]).labels == ["label 01", "label 03"]
    assert asked.connections == 1


def test_the_order_is_read_from_an_index_alone(root: Path, asked: Asked) -> None:
    len(pixtrawl.open(root))
    (statement,) = [one for one in asked.statements if one.startswith("SELECT s.id FROM")]
    assert "COVERING INDEX sample_kept" in _plan(root, statement)
    assert "TEMP B-TREE" not in _plan(root, statement)


def test_iteration_and_random_order_give_the_same_images(root: Path) -> None:
    ds = pixtrawl.open(root)
    every = list(ds)
    assert len(every) == len(ds) == IMAGES
    assert [(s.label, s.number) for s in every] == sorted((s.label, s.number) for s in every)
    places = list(range(IMAGES))
    random.Random(3).shuffle(places)
    assert all(ds[at] == every[at] for at in places[:200])


@pytest.mark.parametrize("index", [IMAGES, -IMAGES - 1, 10**9])
def test_a_place_that_is_not_there_is_an_index_error(root: Path, index: int) -> None:
    with pytest.raises(IndexError, match=f"image {index} of {IMAGES}"):
        pixtrawl.open(root)[index]


@pytest.mark.parametrize(
    "conditions",
    sample([
        {"label": "label 07"}, {"label__ne": "label 07"}, {"width__ge": 640, "width__lt": 700.5},
        {"width__in": [500, 501]}, {"label__in": {"label 01", "x"}}, {"label__gt": "label 40"},
        {"number__le": 10}, {"format": "jpeg", "kind": "original"}, {"height": 480.0},
        {"width": True}, {"width": "640"}, {"label": None}, {"label__ne": None},
        {"label__contains": "l 0"}, {"sharpness__gt": 100, "label": "label 03"},
        {"width__gt": float("inf")}, {"width__lt": 10**30}, {"label__in": ["\ud800"]},
    ], 3),
)  # fmt: skip
def test_the_catalog_decides_as_the_rows_of_metadata_would(
    root: Path, rows: list[tuple[Sample, dict[str, Any]]], conditions: dict[str, Any]
) -> None:
    from pixtrawl.dataset.conditions import matches

    ds = pixtrawl.open(root)
    plain = [s.id for s, row in rows if matches(row, conditions)]
    found = ds.filter(**conditions)
    assert [sample.id for sample in found] == plain
    assert len(found) == len(plain)
    wide = {s.id for s, _ in rows if s.info.width >= 600}
    narrowed = ds.filter(width__ge=600).filter(**conditions)
    assert [s.id for s in narrowed] == [one for one in plain if one in wide]


def test_a_filter_by_columns_reads_no_image(root: Path, asked: Asked) -> None:
    ds = pixtrawl.open(root)
    len(ds)
    before = len(asked.statements)
    assert len(ds.filter(label="label 07", width__ge=640)) > 5
    assert len(asked.statements) - before == 1


def test_a_filter_by_a_function_holds_few_images_at_a_time(root: Path) -> None:
    ds = pixtrawl.open(root)
    ds.filter(lambda sample: True)
    tracemalloc.start()
    try:
        kept = ds.filter(lambda sample: sample.info.width > 500, sharpness__gt=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) > 500
    assert peak < 4 * 2**20, "1,200 images are 10 MB"


def test_provenance_is_asked_for_when_it_is_looked_at(root: Path, asked: Asked) -> None:
    ds = pixtrawl.open(root)
    samples = list(ds)
    assert not any("also_found" in one for one in asked.statements)
    (way,) = samples[3].provenance
    assert (way["source"], way["rank"]) == ("bing", samples[3].number)
    assert pickle.loads(pickle.dumps(samples[3])) == samples[3]
    assert samples[3].provenance != samples[4].provenance


def test_it_grows_and_shrinks_with_the_folder(tmp_path: Path) -> None:
    make(tmp_path / "set", 60)
    ds = pixtrawl.open(tmp_path / "set")
    part = ds.filter(label="label 01")
    assert (len(ds), len(part)) == (60, 2)
    first = ds[0]
    with closing(connect(ds._samples.folder.catalog)) as db:  # as another process would
        db.execute("UPDATE sample SET state = 5 WHERE id = ?", (first.id,))
    assert ds[0].id != first.id
    assert (len(ds), len(list(ds))) == (59, 59)
    next(Path(ds.root).glob("label 01/*")).unlink()
    assert (len(ds), len(list(ds))) == (58, 58)
    assert (len(part), len(list(part))) == (2, 1), "a filtered set is a choice made once"
    with pytest.raises(IndexError, match="not in the data set any more"):
        [part[at] for at in range(2)]


def test_threads_share_one(root: Path) -> None:
    ds = pixtrawl.open(root)
    every = [sample.file_name for sample in ds]
    wrong: list[int] = []

    def read(start: int) -> None:
        wrong.extend(at for at in range(start, IMAGES, 40) if ds[at].file_name != every[at])

    threads = [threading.Thread(target=read, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_goes_to_a_worker_process_is_small(root: Path) -> None:
    ds = pixtrawl.open(root)
    len(ds), ds[0]
    assert len(pickle.dumps(ds)) < 4_000
    assert len(pickle.dumps(ds.to_torch())) < 60 * IMAGES


class Loader:
    """What a DataLoader does: workers take places from one queue and give items to another."""

    def __init__(self, data: Any, start_method: str) -> None:
        self._context: Any = multiprocessing.get_context(start_method)
        self._data = data

    def names(self, places: list[int]) -> dict[int, tuple[str, str]]:
        wanted: Any = self._context.Queue()
        given: Any = self._context.Queue()
        workers = [
            self._context.Process(target=work, args=(self._data, wanted, given), daemon=True)
            for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        for place in [*places, None, None]:
            wanted.put(place)
        found = dict(given.get(timeout=60) for _ in places)
        for worker in workers:
            worker.join(60)
            assert worker.exitcode == 0
        return found


def work(data: Any, wanted: Any, given: Any) -> None:
    while (place := wanted.get()) is not None:
        given.put((place, tuple(one[place].file_name for one in data)))


@pytest.mark.slow
@pytest.mark.parametrize("start_method", matrix(multiprocessing.get_all_start_methods(), "spawn"))
def test_worker_processes_read_it_however_they_are_started(root: Path, start_method: str) -> None:
    ds = pixtrawl.open(root)
    every = [sample.file_name for sample in ds]  # the connection of this process is open
    wide = ds.filter(width__ge=600)
    names = [sample.file_name for sample in wide]
    places = list(range(0, len(names), 29))
    assert Loader((ds, wide), start_method).names(places) == {
        at: (every[at], names[at]) for at in places
    }
    assert ds[7].file_name == every[7]


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")
def test_a_catalog_that_another_one_takes_the_place_of_is_opened_anew(tmp_path: Path) -> None:
    make(tmp_path / "set", 50)
    make(tmp_path / "other", 100)
    ds = pixtrawl.open(tmp_path / "set")
    assert len(ds) == 50
    (tmp_path / "set").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "set")
    assert len(ds) == 100
