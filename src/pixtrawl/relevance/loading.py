"""Load the model named by `--model`."""

from __future__ import annotations

from pathlib import Path

from pixtrawl.errors import UsageError
from pixtrawl.relevance.model import DEVICES, Model

__all__ = ["load_model"]


def load_model(name: str, device: str = "cpu") -> Model:
    """Load a model.

    Args:
        name: a folder with ONNX files or such a file; a folder with `open_clip_config.json` and
            weights; or open_clip's `NAME:WEIGHTS`.
        device: cpu or cuda.

    Raises:
        MissingExtraError: the runtime is not installed; the message has the command.
        UsageError: no such model or device.
    """
    if device not in DEVICES:
        raise UsageError(f"--device: {device!r} is none of {', '.join(DEVICES)}")
    from pixtrawl.relevance.onnx_model import OnnxModel, is_onnx

    path = Path(name)
    if is_onnx(path) or (path.is_dir() and not (path / "open_clip_config.json").is_file()):
        return OnnxModel(path, device)
    from pixtrawl.relevance.openclip import OpenClipModel

    return OpenClipModel(name, device)
