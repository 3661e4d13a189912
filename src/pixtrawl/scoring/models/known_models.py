"""Models that `--model` knows by name: where their files are, and the form of their input.

Revisions, sizes and hashes are not in the table, and of licences only what the model's own authors
are seen to state: what the repository of the files says is read from its card at the first fetch,
recorded, and checked ever after (`scoring.models.fetching`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pixtrawl.scoring.models.description import Description

__all__ = ["KNOWN", "KnownModel"]

_CARD: Final = "see its card"  # what the authors state was not seen

_HALF: Final = (0.5, 0.5, 0.5)
_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)


class KnownModel(Struct, frozen=True, kw_only=True):
    """A model in a repository of the hub; `files` maps local names to paths in it."""

    name: str
    what: str
    repository: str
    licence: str  # as its authors state it; the repository's own statement is its card's
    files: Mapping[str, str]
    description: Description | None = None  # None: an image-text pair with files of its own
    settings: str = ""  # of `preprocess.json`, which is written where the repository has no such
    main: str = "model.onnx"


def _pair(name: str, what: str, repository: str, licence: str, settings: str = "") -> KnownModel:
    files = {
        "vision_model.onnx": "onnx/vision_model.onnx",
        "text_model.onnx": "onnx/text_model.onnx",
        "tokenizer.json": "tokenizer.json",
    }
    if not settings:
        files["preprocessor_config.json"] = "preprocessor_config.json"
    return KnownModel(
        name=name, what=what, repository=repository, licence=licence, files=files,
        settings=settings,
    )  # fmt: skip


_TABLE: Final = (
    _pair(
        "clip-b32", "CLIP: pictures and texts", "Xenova/clip-vit-base-patch32",
        "MIT by its authors (openai/CLIP)",
    ),
    _pair(
        "siglip-b16", "SigLIP: pictures and texts", "Xenova/siglip-base-patch16-224", _CARD,
        '{"size": 224, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "resize_mode": "squash", '
        '"context_length": 64, "pad_id": 1}',
    ),
    _pair(
        "mobileclip-s0", "MobileCLIP: pictures and texts, small", "Xenova/mobileclip_s0",
        "Apple's terms for weights (apple/ml-mobileclip)",
        '{"size": 256, "mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": "bilinear", '
        '"context_length": 77}',
    ),
    KnownModel(
        name="dinov2-s", what="DINOv2: what pictures show, without texts",
        repository="Xenova/dinov2-small", licence=_CARD,
        files={"model.onnx": "onnx/model.onnx"},
        description=Description(
            kind="embedding", size=224, resize="shortest", resize_to=256, mean=_IMAGENET_MEAN,
            std=_IMAGENET_STD, interpolation="bicubic", output="last_hidden_state", token=0,
        ),
    ),
    KnownModel(
        name="nsfw", what="probability of sexual content",
        repository="onnx-community/nsfw_image_detection-ONNX",
        licence="Apache-2.0 by its authors (Falconsai)",
        files={"model.onnx": "onnx/model.onnx"},
        description=Description(
            kind="classifier", size=224, mean=_HALF, std=_HALF, output="logits",
            labels=("normal", "nsfw"), score="nsfw", activation="softmax",
        ),
    ),
    KnownModel(
        name="aesthetic", what="how well a picture is made, about 1 to 10",
        repository="fsw/aesthetic-predictor-v2-5_onnx", licence=_CARD,
        files={"model.onnx": "aesthetic_predictor_v2_5.onnx"},
        description=Description(
            kind="score", size=384, mean=_HALF, std=_HALF, interpolation="bicubic"
        ),
    ),
)  # fmt: skip

KNOWN: Final[Mapping[str, KnownModel]] = {one.name: one for one in _TABLE}
