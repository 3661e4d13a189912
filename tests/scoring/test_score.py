"""A data set scored by a tiny model that onnxruntime really runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.pipeline.curating import curate
from pixtrawl.scoring.models.interface import Kind, Model, Vectors
from pixtrawl.scoring.models.loading import load_model
from pixtrawl.scoring.models.preprocess import Preprocess
from pixtrawl.scoring.score import ScoreOptions, score
from tests.catalog.earlier import downgrade
from tests.scoring.conftest import GREEN, RED, png, write_dataset
from tests.scoring.tiny import write_model


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(str(write_model(tmp_path / "tiny")))


def rows_of(folder: Folder) -> list[dict[str, object]]:
    text = folder.metadata.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def catalog_rows(folder: Folder, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder.catalog)) as db:
        return db.execute(sql).fetchall()


class Counting:
    """A model that counts the pictures it was shown."""

    def __init__(self, inner: Model) -> None:
        self._inner = inner
        self.seen: list[int] = []

    @property
    def kind(self) -> Kind:
        return self._inner.kind

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def preprocess(self) -> Preprocess:
        return self._inner.preprocess

    def embed_images(self, pixels: Vectors) -> Vectors:
        self.seen.append(len(pixels))
        return self._inner.embed_images(pixels)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return self._inner.embed_texts(texts)


def test_what_does_not_fit_its_query_is_flagged_and_stays(colours: Folder, model: Model) -> None:
    found = score(colours, model, ScoreOptions())
    by_query = {one.text: one for one in found.queries}
    assert [(one.label, one.images) for one in found.queries] == [("blue", 6), ("red", 9)]
    assert by_query["red"].median > 0.9
    assert [name for name, _ in by_query["red"].flagged] == ["red/000009.png"]
    assert by_query["red"].flagged[0][1] < 0
    assert by_query["blue"].flagged == ()
    assert (colours.root / "red/000009.png").is_file()
    assert catalog_rows(
        colours,
        "SELECT s.file_name FROM score v JOIN sample s ON s.id = v.sample_id JOIN score_column c "
        "ON c.id = v.column_id WHERE c.name = 'relevance_outlier' AND v.value",
    ) == [("red/000009.png",)]


def test_metadata_has_the_score_once_there_is_one(colours: Folder, model: Model) -> None:
    assert all("relevance" not in row for row in rows_of(colours))
    score(colours, model, ScoreOptions())
    rows = {row["file_name"]: row["relevance"] for row in rows_of(colours)}
    assert len(rows) == 15
    low = rows.pop("red/000009.png")
    assert isinstance(low, float)
    assert low < 0
    assert all(isinstance(value, float) and value > 0.8 for value in rows.values())


def test_pictures_are_looked_at_once_by_a_model(colours: Folder, tmp_path: Path) -> None:
    model = Counting(load_model(str(write_model(tmp_path / "tiny"))))
    assert score(colours, model, ScoreOptions(batch=4)).embedded == 15
    assert model.seen == [4, 4, 4, 3]
    again = score(colours, model, ScoreOptions(batch=4, prompt="{}", flag_below=0.0))
    assert (again.embedded, len(model.seen)) == (0, 4)
    assert [len(one.flagged) for one in again.queries] == [0, 1]
    other = load_model(str(write_model(tmp_path / "other", seed=2)))
    assert other.name != model.name
    assert score(colours, other, ScoreOptions()).embedded == 15
    assert catalog_rows(colours, "SELECT DISTINCT model FROM score_column") == [(other.name,)]
    assert score(colours, model, ScoreOptions()).embedded == 0, "its embeddings are there still"


def test_a_run_that_fails_half_way_goes_on_where_it_was(colours: Folder, tmp_path: Path) -> None:
    class Failing(Counting):
        def embed_images(self, pixels: Vectors) -> Vectors:
            if len(self.seen) == 2:
                raise UsageError("out of memory")
            return super().embed_images(pixels)

    inner = load_model(str(write_model(tmp_path / "tiny")))
    with pytest.raises(UsageError, match="out of memory"):
        score(colours, Failing(inner), ScoreOptions(batch=4))
    assert score(colours, inner, ScoreOptions(batch=4)).embedded == 15 - 8


def test_a_limit_of_the_user_s_flags_what_lies_under_it(colours: Folder, model: Model) -> None:
    found = score(colours, model, ScoreOptions(flag_below=1.0))
    assert [len(one.flagged) for one in found.queries] == [6, 9]
    scores = [value for _, value in found.queries[1].flagged]
    assert scores == sorted(scores)


def test_images_whose_embeddings_agree_are_listed_within_their_label(
    tmp_path: Path, model: Model
) -> None:
    pictures = [png(RED, 1), png(RED, 2), png(GREEN, 3)]
    folder = write_dataset(tmp_path / "images", {"red": pictures, "blue": [png(RED, 4)]})
    found = score(folder, model, ScoreOptions(duplicates=0.99))
    assert [(one.file_name, one.of) for one in found.duplicates] == [
        ("red/000002.png", "red/000001.png")
    ]
    assert found.duplicates[0].cosine > 0.99
    assert score(folder, model, ScoreOptions()).duplicates == ()


def test_a_file_that_is_not_what_was_saved_is_reported_and_not_decoded(
    colours: Folder, model: Model
) -> None:
    (colours.root / "red/000001.png").write_bytes(b"something else")
    found = score(colours, model, ScoreOptions())
    assert [(one.file_name, one.why) for one in found.unreadable] == [
        ("red/000001.png", "is not the file that was saved: its SHA-256 differs")
    ]
    (row,) = [row for row in rows_of(colours) if row["file_name"] == "red/000001.png"]
    assert row["relevance"] is None


def test_a_file_that_does_not_decode_leaves_the_others_scored(tmp_path: Path, model: Model) -> None:
    whole = png(RED, 1)
    folder = write_dataset(tmp_path / "images", {"red": [whole[: len(whole) // 2], png(RED, 2)]})
    found = score(folder, model, ScoreOptions())
    assert [one.file_name for one in found.unreadable] == ["red/000001.png"]
    assert found.queries[0].images == 1


def test_an_image_that_is_taken_down_leaves_no_embedding(colours: Folder, model: Model) -> None:
    score(colours, model, ScoreOptions())
    curate.take_down(colours, [], ["red/000009.png"])
    assert catalog_rows(colours, "SELECT count(*) FROM embedding") == [(14,)]
    assert catalog_rows(colours, "SELECT count(*) FROM score") == [(28,)]


def test_a_data_set_at_which_a_run_is_at_work_is_left_alone(colours: Folder, model: Model) -> None:
    with DatasetLock(colours), pytest.raises(StorageError, match="in use"):
        score(colours, model, ScoreOptions())


def test_a_folder_without_a_data_set_is_reported(tmp_path: Path, model: Model) -> None:
    with pytest.raises(UsageError, match="no pixtrawl data set"):
        score(Folder(tmp_path / "nothing"), model, ScoreOptions())
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [({"batch": 0}, "--batch"), ({"prompt": "a photo"}, "no {}"),
     ({"flag_below": 2.0}, "--flag-below"), ({"duplicates": float("nan")}, "--duplicates")],
)  # fmt: skip
def test_an_option_that_cannot_be_is_reported(options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ScoreOptions(**options)  # type: ignore[arg-type]


def test_a_catalog_of_before_gets_the_table(tmp_path: Path, model: Model) -> None:
    folder = write_dataset(tmp_path / "images", {"red": [png(RED, 1)]})
    with closing(sqlite3.connect(folder.catalog)) as db:
        downgrade(db, 1)
    assert score(folder, model, ScoreOptions()).embedded == 1


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    yield
    assert list(tmp_path.glob("images/.pixtrawl-staging-*")) == []
