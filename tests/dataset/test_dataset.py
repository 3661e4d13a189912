"""A data set in Python, with the real libraries where they are installed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pixtrawl
from pixtrawl.errors import MissingExtraError, UsageError
from tests.pipeline.pictures import Answer, fetch, jpeg, manifest, png, scene, serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three cats (one with a copy that was dropped) and two dogs."""
    tmp_path = tmp_path_factory.mktemp("dataset")
    answers: dict[str, Answer] = {
        "/c0.png": png(scene(0)), "/c1.png": png(scene(1, (400, 300))), "/c2.jpg": jpeg(scene(2)),
        "/copy.jpg": jpeg(scene(0), quality=60),
        "/d0.png": png(scene(5).convert("L")), "/d1.png": png(scene(6)),
    }  # fmt: skip
    with serving(answers) as host:
        rows = [("dog" if "/d" in path else "cat", host.url + path) for path in answers]
        return fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set").root


def test_images_are_filtered_by_columns_and_by_functions(root: Path) -> None:
    ds = pixtrawl.open(root)
    assert [s.url.rpartition("/")[2] for s in ds.filter(width__ge=400)] == ["c1.png"]
    assert len(ds.filter(label="dog")) == 2
    assert len(ds.filter(is_gray=True)) == 1
    assert len(ds.filter(label__in=["cat"], format="jpeg")) == 1
    assert len(ds.filter(url__contains="/d")) == 2
    assert len(ds.filter(title="")) == 5
    cats = [sample.number for sample in ds if sample.label == "cat"]
    assert len(ds.filter(lambda sample: sample.number == cats[0])) == 1
    some = ds.filter(label="cat").filter(lambda sample: sample.number > cats[0])
    assert [s.number for s in some] == cats[1:]
    assert some[-1].number == cats[-1]
    assert [s.number for s in some[:1]] == [cats[1]]
    assert len(ds.filter(sharpness__gt=1e12)) == 0


@pytest.mark.parametrize(
    ("conditions", "told"),
    [({"sharpnes__gt": 1}, "did you mean sharpness"), ({"width__xx": 1}, "no comparison"),
     ({"width__gt": "a"}, "cannot be compared")],
)  # fmt: skip
def test_a_condition_that_cannot_be_is_reported(
    root: Path, conditions: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        pixtrawl.open(root).filter(**conditions)


def test_duplicates_are_shown_with_the_image_they_were_dropped_for(root: Path) -> None:
    (group,) = pixtrawl.open(root).duplicates()
    assert group.kept.file_name == "cat/000001.png"
    assert [copy.url.rpartition("/")[2] for copy in group.copies] == ["copy.jpg"]


def test_every_line_of_metadata_has_the_measures(root: Path) -> None:
    rows = [json.loads(line) for line in (root / "metadata.jsonl").read_text().splitlines()]
    assert len({tuple(row) for row in rows}) == 1, "the same keys in the same order"
    for row in rows:
        assert 0 <= row["brightness"] <= 1
        assert 0 <= row["entropy"] <= 8
        assert 0 <= row["text_heavy"] <= 1
        assert isinstance(row["is_gray"], bool)


def test_torch_gets_pictures_and_classes(root: Path) -> None:
    images = pixtrawl.open(root).to_torch()
    assert images.classes == ["cat", "dog"]
    assert images.targets == [0, 0, 0, 1, 1]
    picture, target = images[3]
    assert (picture.mode, picture.size, target) == ("RGB", (320, 240), 1)
    assert [Path(path).is_file() for path, _ in images.samples] == [True] * 5
    scaled = pixtrawl.open(root).to_torch(lambda image: image.size[0], lambda index: -index)
    assert scaled[1] == (400, 0)
    again = pickle.loads(pickle.dumps(images))
    assert again[3][0].tobytes() == picture.tobytes()


def test_torch_is_not_needed_for_it(root: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import pixtrawl\n"
        f"images = pixtrawl.open({str(root)!r}).to_torch()\n"
        "print(len(images), images[0][1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout.split() == ["5", "0"]


def test_pandas_gets_the_columns_of_metadata(root: Path) -> None:
    pytest.importorskip("pandas")
    frame = pixtrawl.open(root).to_pandas()
    assert list(frame["label"]) == ["cat"] * 3 + ["dog"] * 2
    assert frame["sharpness"].dtype == "float64"


def test_hugging_face_gets_images_classes_and_types(root: Path) -> None:
    datasets = pytest.importorskip("datasets")
    found = pixtrawl.open(root).to_hf()
    assert isinstance(found.features["label"], datasets.ClassLabel)
    assert found.features["label"].names == ["cat", "dog"]
    assert found["label"][:] == [0, 0, 0, 1, 1]
    assert found[1]["image"].size == (400, 300)
    assert found.features["sharpness"].dtype == "float64"
    assert found[0]["license"] == ""


def test_a_contact_sheet_shows_every_label(root: Path, tmp_path: Path) -> None:
    ds = pixtrawl.open(root)
    sheet = ds.show(4, columns=2, size=100, path=tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as written:
        assert written.size == sheet.size
    assert sheet.width == 2 * 106 + 6
    assert len(sheet.getcolors(10**6) or ()) > 500
    assert ds.filter(label="nothing").show().size
    with pytest.raises(UsageError):
        ds.show(0)


def test_a_chosen_part_is_exported(root: Path, tmp_path: Path) -> None:
    cats = pixtrawl.open(root).filter(label="cat")
    done = cats.export("imagefolder", tmp_path / "out", resize=32, encode="png", split="train=1")
    assert done.images == 3
    assert len(list((tmp_path / "out").rglob("*.png"))) == 3
    with pytest.raises(UsageError, match="did you mean quality"):
        cats.export("csv", tmp_path / "x.csv", qualty=3)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="webdatset"):
        cats.export("webdatset", tmp_path / "y")


def test_a_missing_library_is_reported_with_the_command_that_installs_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "datasets", None)
    ds = pixtrawl.open(root)
    with pytest.raises(MissingExtraError, match="pip install pandas"):
        ds.to_pandas()
    with pytest.raises(MissingExtraError, match="pip install datasets"):
        ds.to_hf()


def test_nothing_heavy_is_imported_by_opening(root: Path) -> None:
    code = (
        f"import sys, pixtrawl; ds = pixtrawl.open({str(root)!r}); len(ds), ds[0].path\n"
        "print([n for n in ('numpy', 'PIL', 'pandas', 'datasets', 'torch', 'pyarrow', 'pycurl')"
        " if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout.strip() == "[]"
