"""`--relevant`: of a pool of images the best N stay, by a model, and misfits never count."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.scoring.models.interface import Vectors
from pixtrawl.scoring.models.pictures import PictureBatches
from pixtrawl.scoring.models.preprocess import Preprocess
from pixtrawl.scoring.models.small_pictures import SmallPictures
from pixtrawl.transform import Picture
from tests.matrices import slow
from tests.scoring.conftest import GREEN, png
from tests.scoring.pools import Collecting, pictures, serving
from tests.scoring.tiny import write_model
from tests.scoring.tiny_models import write_image_model


@pytest.fixture
def thirty(tmp_path: Path) -> Iterator[Collecting]:
    with serving(pictures(30)) as urls:
        yield Collecting(tmp_path, urls)


def test_the_best_of_the_pool_stay_and_misfits_are_refused_with_their_score(
    thirty: Collecting,
) -> None:
    assert thirty.run(6, "--pool", "30") == 0
    assert thirty.places() == [21, 22, 24, 25, 27, 28]
    reasons = thirty.reasons()
    assert (reasons["saved"], reasons["off_topic"], reasons["not_best"]) == (6, 10, 14)
    totals = pixtrawl.open(thirty.folder).report.totals
    assert (totals.saved, totals.rejected) == (6, 24)
    rows = list(pixtrawl.open(thirty.folder).outcomes(reason="off_topic"))
    assert all(one.detail.startswith("score ") and "limit" in one.detail for one in rows)
    assert sorted(p.name for p in (thirty.folder / "red").iterdir()) == sorted(
        Path(one.file_name).name for one in pixtrawl.open(thirty.folder)
    )
    lines = (thirty.folder / "metadata.jsonl").read_text().splitlines()
    assert all(json.loads(line)["relevance"] > 0.5 for line in lines)


@pytest.mark.parametrize("engine", ["local", slow("processes")])
def test_no_file_is_decoded_a_second_time_for_its_score(
    thirty: Collecting, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    again: list[str] = []

    def decoded(pictures: PictureBatches, row: tuple[int, str, str]) -> Vectors:
        again.append(row[1])
        return as_ever(pictures, row)

    as_ever = PictureBatches._pixels
    monkeypatch.setattr(PictureBatches, "_pixels", decoded)
    assert thirty.run(6, "--pool", "30", "--engine", engine, "--set", "job.workers=2") == 0
    assert thirty.places() == [21, 22, 24, 25, 27, 28]
    assert again == []


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size_px", [(640, 480), (90, 400), (40, 30)])
def test_a_file_read_anew_gives_the_numbers_of_its_small_picture(
    format_: str, size_px: tuple[int, int]
) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (size_px[1], size_px[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format_)
    preprocess = Preprocess(size=(32, 32))
    rendition = inspect_bytes(file.getvalue(), 10**6, preprocess.transform).rendition
    assert rendition is not None
    from_decoder = preprocess.pixels(rendition.data)
    assert np.array_equal(preprocess.pixels_as_collected(file.getvalue()), from_decoder)


def test_small_pictures_are_bounded_and_given_once() -> None:
    small = SmallPictures(Preprocess(size=(8, 8)), most_bytes=3000)
    data = png(GREEN, 1)
    for at in range(9):
        small.put(f"{at}", Picture(data, "png", "png", 24, 16))
    rows = [(at, "", f"{at}") for at in range(9)]
    ids, pixels = small.take(rows)
    assert 0 < len(ids) < 9
    assert ids[-1] == 8, "the newest stay"
    assert pixels is not None
    assert pixels.shape == (len(ids), 3, 8, 8)
    assert small.take(rows) == ([], None)


def test_worker_processes_collect_the_same_pool(thirty: Collecting) -> None:
    assert thirty.run(6, "--pool", "30", "--engine", "processes", "--set", "job.workers=2") == 0
    assert thirty.places() == [21, 22, 24, 25, 27, 28]
    reasons = thirty.reasons()
    assert (reasons["saved"], reasons["off_topic"], reasons["not_best"]) == (6, 10, 14)


def test_where_too_few_of_the_pool_fit_the_query_goes_on(thirty: Collecting) -> None:
    assert thirty.run(8, "--pool", "9") == 0
    found = thirty.places()
    assert len(found) == 8
    assert all(at % 3 != 2 for at in found)


def test_a_short_list_gives_all_that_fit_and_says_so(thirty: Collecting) -> None:
    assert thirty.run(25) == 3
    assert thirty.places() == [at for at in range(30) if at % 3 != 2]


def test_the_same_command_again_fetches_nothing_and_more_takes_the_next_best(
    thirty: Collecting,
) -> None:
    assert thirty.run(6, "--pool", "30") == 0
    before = (thirty.folder / "metadata.jsonl").read_bytes()
    assert thirty.run(6, "--pool", "30") == 0
    assert (thirty.folder / "metadata.jsonl").read_bytes() == before
    assert thirty.run(8, "--pool", "30") == 0
    assert thirty.places() == [18, 19, 21, 22, 24, 25, 27, 28]


def test_another_model_s_refusals_end_and_a_person_s_do_not(
    thirty: Collecting, tmp_path: Path
) -> None:
    assert thirty.run(6, "--pool", "30") == 0
    best = next(one for one in pixtrawl.open(thirty.folder) if one.url.endswith("/28.png"))
    assert main(["reject", str(thirty.folder), best.file_name, "--no-refill"]) == 0
    other = write_model(tmp_path / "other", seed=9)
    assert thirty.run(6, "--pool", "30", model=other) == 0
    found = pixtrawl.open(thirty.folder)
    assert 28 not in thirty.places(), "a person's refusal holds"
    assert len(found) == 5, "and its place was not to be filled again"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--relevant"], "--relevant needs --model"),
        (["--pool", "9"], "used with --relevant"),
        (["--model", "x", "--steer", "0"], "used with --relevant"),
        (["--model", "nothing-here"], "no such file or folder"),
        (["--relevant", "--model", "nothing-here"], "no such file or folder"),
        (["--relevant", "--model", "clip-b32"], "is not on this computer"),
        (["--relevant", "--model", "x", "-n", "9", "--pool", "3"], "less than the 9"),
    ],
)
def test_options_that_do_not_go_together_are_one_clear_error(
    thirty: Collecting, capsys: pytest.CaptureFixture[str], given: list[str], told: str,
) -> None:  # fmt: skip
    assert main(["download", str(thirty.list), "-o", str(thirty.folder), *given]) == 2
    assert told in capsys.readouterr().err


# -- by a model that reads no texts


def write_list_of_two(collecting: Collecting, urls: list[str]) -> None:
    """Twenty results each for red and green, every third of the other colour."""
    rows = []
    for at, url in enumerate(urls):
        label = ("red", "green")[at % 2]
        rows.append({"url": url, "query": label, "label": label})
    collecting.list = collecting.list.with_suffix(".jsonl")
    collecting.list.write_text("".join(json.dumps(one) + "\n" for one in rows))


def test_a_model_without_texts_keeps_what_is_of_its_label_and_of_no_other(tmp_path: Path) -> None:
    colours, served = {"red": (220, 30, 30), "green": GREEN}, []
    for at in range(40):
        own = ("red", "green")[at % 2]
        other = ("green", "red")[at % 2]
        served.append(png(colours[other if at // 2 % 3 == 2 else own], at))
    with serving(served) as urls:
        collecting = Collecting(tmp_path, urls)
        write_list_of_two(collecting, urls)
        model = write_image_model(tmp_path / "colours.onnx", {"kind": "embedding", "size": 8})
        assert collecting.run(10, "--pool", "20", model=model) == 0
    found = pixtrawl.open(collecting.folder)
    assert len(found) == 20
    assert all(at // 2 % 3 != 2 for at in collecting.places())
    assert found.report.reasons["off_topic"] >= 6, "the last query saw all of the other label"


def test_a_model_without_texts_keeps_the_typical_ones_of_a_single_label(tmp_path: Path) -> None:
    served = [png(GREEN if at % 4 == 3 else (200 + at, 30, 30), at) for at in range(24)]
    with serving(served) as urls:
        collecting = Collecting(tmp_path, urls)
        model = write_image_model(tmp_path / "colours.onnx", {"kind": "embedding", "size": 8})
        assert collecting.run(12, "--pool", "24", model=model) == 0
    assert len(collecting.places()) == 12
    assert all(at % 4 != 3 for at in collecting.places())


def test_a_classifier_cannot_choose(thirty: Collecting, capsys: pytest.CaptureFixture[str]) -> None:
    description = {"kind": "classifier", "size": 8, "labels": ["r", "g", "b"]}
    model = write_image_model(thirty.folder.parent / "colours.onnx", description)
    assert thirty.run(6, model=model) == 2
    assert "needs an image-text or an embedding model" in capsys.readouterr().err
