"""Models made of ONNX files, in the forms in which they are found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.interface import Model, Vectors
from pixtrawl.scoring.models.loading import load_model
from tests.scoring.conftest import GREEN, RED, png
from tests.scoring.tiny import write_model


def embeds(model: Model, count: int = 5) -> Vectors:
    pixels = [model.preprocess.pixels(png(RED if n % 2 else GREEN, n)) for n in range(count)]
    return model.embed_images(np.stack(pixels))


def assert_colours_fit(model: Model) -> None:
    images, texts = embeds(model), model.embed_texts(["a photo of green", "red"])
    assert np.allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    assert (images @ texts.T).argmax(axis=1).tolist() == [0, 1, 0, 1, 0]


def test_two_files_embed_pictures_and_texts_in_one_space(tmp_path: Path) -> None:
    assert_colours_fit(load_model(str(write_model(tmp_path / "tiny"))))


def test_one_file_for_both_does_the_same(tmp_path: Path) -> None:
    two = load_model(str(write_model(tmp_path / "two")))
    folder = write_model(tmp_path / "one", together=True)
    for path in (folder, folder / "model.onnx"):
        one = load_model(str(path))
        assert_colours_fit(one)
        assert np.allclose(embeds(one), embeds(two), atol=1e-6)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_model_for_a_fixed_number_of_rows_takes_any(tmp_path: Path, rows: int) -> None:
    any_ = load_model(str(write_model(tmp_path / "any")))
    fixed = load_model(str(write_model(tmp_path / "fixed", rows=rows)))
    assert_colours_fit(fixed)
    assert np.allclose(embeds(any_), embeds(fixed), atol=1e-6)


def test_the_names_that_transformers_gives_the_files_do_too(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    (folder / "visual.onnx").rename(folder / "vision_model.onnx")
    (folder / "textual.onnx").rename(folder / "text_model.onnx")
    (folder / "preprocess.json").unlink()
    half = [0.5, 0.5, 0.5]
    settings = {
        "image_mean": half, "image_std": half, "size": {"shortest_edge": 8},
        "crop_size": {"height": 8, "width": 8}, "resample": 3, "do_center_crop": True,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    assert_colours_fit(load_model(str(folder)))


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    names = {
        load_model(str(write_model(tmp_path / "a" / "tiny"))).name,
        load_model(str(write_model(tmp_path / "b" / "tiny"))).name,
        load_model(str(write_model(tmp_path / "c" / "tiny", seed=2))).name,
    }
    assert len(names) == 2
    assert all(name.startswith("tiny@") for name in names)


def test_a_folder_that_lacks_a_file_is_reported(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match=r"has no tokenizer\.json or vocab\.json with merges\.txt"):
        load_model(str(folder))
    (folder / "textual.onnx").unlink()
    with pytest.raises(UsageError, match=r"visual\.onnx, textual\.onnx"):
        load_model(str(folder))


@pytest.mark.parametrize("name", ["visual.onnx", "tokenizer.json", "preprocess.json"])
def test_a_file_that_is_something_else_is_reported(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "tiny")
    (folder / name).write_bytes(b"\x00\x01 nothing of the kind")
    with pytest.raises(UsageError, match=name):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"size": 9}, "takes 8x8 pixels"), ({"mean": [0.5]}, "three numbers"),
     ({"resize_mode": "longest"}, "longest"), ({"std": [0, 1, 1]}, "above 0"),
     ({"context_length": 0}, "context_length"), ({"interpolation": "none"}, "interpolation")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_reported(
    tmp_path: Path, settings: dict[str, object], told: str
) -> None:
    folder = write_model(tmp_path / "tiny")
    (folder / "preprocess.json").write_text(json.dumps({"size": 8, **settings}))
    with pytest.raises(UsageError, match=told):
        load_model(str(folder))


def test_a_device_that_is_not_there_is_reported(tmp_path: Path) -> None:
    import onnxruntime

    folder = str(write_model(tmp_path / "tiny"))
    with pytest.raises(UsageError, match="none of auto, cuda"):
        load_model(folder, "tpu")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(UsageError, match="onnxruntime-gpu"):
            load_model(folder, "cuda")
