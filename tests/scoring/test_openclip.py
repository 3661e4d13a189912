"""Models of open_clip: told how to install it, and really loaded where it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from pixtrawl.errors import MissingExtraError, UsageError
from pixtrawl.scoring.models.loading import load_model
from pixtrawl.scoring.models.tokenizer import load_tokenizer
from tests.scoring.conftest import RED, png

pytestmark = pytest.mark.timeout(240)  # to import torch takes its time


def test_without_open_clip_the_command_that_installs_it_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingExtraError, match="pip install open_clip_torch") as caught:
        load_model("ViT-B-32:weights.pt")
    assert caught.value.exit_code == 2


def test_a_name_without_weights_is_reported() -> None:
    with pytest.raises(UsageError, match=r"no such file or folder.*NAME:WEIGHTS"):
        load_model("ViT-B-32")


def write_tiny(folder: Path) -> Path:
    """A CLIP of one narrow layer, as open_clip keeps a model of its own."""
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    import torch

    config = {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16,
        },
        "text_cfg": {
            "context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1,
        },
    }  # fmt: skip
    folder.mkdir()
    torch.manual_seed(1)
    state = open_clip.CLIP(**config).state_dict()
    torch.save(state, folder / "open_clip_pytorch_model.bin")
    whole = {"model_cfg": config, "preprocess_cfg": {"size": 32}}
    (folder / "open_clip_config.json").write_text(json.dumps(whole))
    return folder


def test_a_folder_of_open_clip_is_loaded_and_embeds(tmp_path: Path) -> None:
    model = load_model(str(write_tiny(tmp_path / "tiny")))
    pixels = np.stack([model.preprocess.pixels(png(RED, n, (60, 40))) for n in range(2)])
    assert pixels.shape == (2, 3, 32, 32)
    images, texts = model.embed_images(pixels), model.embed_texts(["a cat", "a dog", "red"])
    assert (images.shape, texts.shape) == ((2, 16), (3, 16))
    assert np.allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    assert model.name.startswith("tiny@")


def test_preprocessing_gives_what_open_clip_s_own_gives(tmp_path: Path) -> None:
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    import io

    from PIL import Image

    model = load_model(str(write_tiny(tmp_path / "tiny")))
    data = png(RED, 3, (64, 64))
    theirs = open_clip.image_transform(32, is_train=False)(Image.open(io.BytesIO(data))).numpy()
    assert np.abs(theirs - model.preprocess.pixels(data)).max() < 0.02  # a level of 255


def test_clip_s_own_list_of_merges_gives_clip_s_own_tokens() -> None:
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    folder = Path(open_clip.__file__).parent
    ours = load_tokenizer(folder, 77)
    texts = ["a photo of a tabby cat", "Crème brûlée, 2 pieces!", "it's  RED", "猫 😀", ""]
    texts.append("very " * 100)
    ids, _ = ours(texts)
    assert ids.tolist() == open_clip.tokenize(texts).tolist()
