"""Image models of a few numbers, made with `onnx`: outputs are linear in the mean colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.optional import needs

needs("onnx", reason="onnx makes the model that is scored with")
needs("onnxruntime", reason="extra clip is not installed")

SIDE = 8  # pixels
# Outputs red, green, blue: each colour minus the others.
COLOURS = np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]], np.float32)


def write_image_model(
    path: Path,
    description: dict[str, Any] | None,
    *,
    weights: np.ndarray = COLOURS,
    layout: str = "nchw",
    rows: object = "n",
    channels: object = 3,
) -> Path:
    """Write MODEL.onnx, and MODEL.json beside it where there is a description."""
    onnx = pytest.importorskip("onnx")

    make, kind = onnx.helper, onnx.TensorProto
    axes = [2, 3] if layout == "nchw" else [1, 2]
    shape = [rows, channels, SIDE, SIDE] if layout == "nchw" else [rows, SIDE, SIDE, channels]
    nodes = [
        make.make_node("ReduceMean", ["pictures"], ["colour"], axes=axes, keepdims=0),
        make.make_node("MatMul", ["colour", "w"], ["found"]),
    ]
    graph = make.make_graph(
        nodes, "tiny", [make.make_tensor_value_info("pictures", kind.FLOAT, shape)],
        [make.make_tensor_value_info("found", kind.FLOAT, [rows, weights.shape[1]])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    if description is not None:
        path.with_suffix(".json").write_text(json.dumps(description))
    return path
