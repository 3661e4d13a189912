"""A CLIP-type model of a few numbers: pictures by their mean colour, texts by the words in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.optional import needs

needs("onnx", reason="onnx makes the model that is scored with")
needs("tokenizers", "onnxruntime", reason="extra clip is not installed")

SIDE = 8  # pixels
CONTEXT = 6  # tokens
WORDS = {"red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1)}
_VOCABULARY = {"[pad]": 0, "[unk]": 1, **{word: at for at, word in enumerate(WORDS, 2)}}


def write_model(folder: Path, *, seed: int = 1, together: bool = False, rows: object = "n") -> Path:
    """Writes `visual.onnx` and `textual.onnx`, or one `model.onnx`, and what stands beside them."""
    tokenizers = pytest.importorskip("tokenizers")

    folder.mkdir(parents=True, exist_ok=True)
    visual, textual = _visual(seed, rows), _textual(seed, rows)
    if together:
        _save(folder / "model.onnx", [visual, textual])
    else:
        _save(folder / "visual.onnx", [visual])
        _save(folder / "textual.onnx", [textual])
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(_VOCABULARY, unk_token="[unk]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    inner.save(str(folder / "tokenizer.json"))
    half = [0.5, 0.5, 0.5]
    settings = {"size": SIDE, "mean": half, "std": half, "context_length": CONTEXT}
    (folder / "preprocess.json").write_text(json.dumps(settings))
    return folder


Part = tuple[list[object], list[object], list[object], list[object]]


def _projection(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(3, 16)).astype(np.float32)


def _visual(seed: int, rows: object) -> Part:
    onnx = pytest.importorskip("onnx")

    make, kind = onnx.helper, onnx.TensorProto
    nodes = [
        make.make_node("ReduceMean", ["pixel_values"], ["colour"], axes=[2, 3], keepdims=0),
        make.make_node("MatMul", ["colour", "vp"], ["image_embeds"]),
    ]
    given = [make.make_tensor_value_info("pixel_values", kind.FLOAT, [rows, 3, SIDE, SIDE])]
    weights = [onnx.numpy_helper.from_array(_projection(seed), "vp")]
    return nodes, given, [_matrix("image_embeds", rows)], weights


def _textual(seed: int, rows: object) -> Part:
    onnx = pytest.importorskip("onnx")

    make, kind = onnx.helper, onnx.TensorProto
    table = np.zeros((len(_VOCABULARY), 3), np.float32)
    for word, colour in WORDS.items():
        table[_VOCABULARY[word]] = colour
    nodes = [
        make.make_node("Gather", ["words", "input_ids"], ["found"]),
        make.make_node("ReduceMean", ["found"], ["meaning"], axes=[1], keepdims=0),
        make.make_node("MatMul", ["meaning", "tp"], ["text_embeds"]),
    ]
    rows = "texts" if rows == "n" else rows
    given = [make.make_tensor_value_info("input_ids", kind.INT64, [rows, "length"])]
    weights = [
        onnx.numpy_helper.from_array(table, "words"),
        onnx.numpy_helper.from_array(_projection(seed), "tp"),
    ]
    return nodes, given, [_matrix("text_embeds", rows)], weights


def _matrix(name: str, rows: object) -> object:
    onnx = pytest.importorskip("onnx")

    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [rows, 16])


def _save(path: Path, parts: Sequence[Part]) -> None:
    onnx = pytest.importorskip("onnx")

    nodes, given, out, weights = ([one for p in parts for one in p[at]] for at in range(4))
    graph = onnx.helper.make_graph(nodes, "tiny", given, out, weights)
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
