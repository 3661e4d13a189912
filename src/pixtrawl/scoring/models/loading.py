"""Load the model named by `--model`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.image_model import ImageModel
from pixtrawl.scoring.models.interface import Embedder, Model
from pixtrawl.scoring.models.known_models import KNOWN, KnownModel
from pixtrawl.scoring.models.model_places import remember_place

__all__ = ["load_any", "load_model"]

Fetch = Callable[[KnownModel], Path]


def load_any(
    name: str, device: str = "cpu", fetch: Fetch | None = None
) -> Embedder | Model | ImageModel:
    """Load a model of any kind.

    Args:
        name: an ONNX file with its description beside it, or a folder with one; a folder of an
            image-text pair; the name of a known model; or open_clip's `NAME:WEIGHTS`.
        device: cpu, cuda, ... or auto.
        fetch: returns the folder of a known model, fetched where need be.

    Raises:
        MissingExtraError: the runtime is not installed; the message has the command.
        UsageError: no such model or device, or no description.
    """
    found = _loaded(name, device, fetch)
    if found.kind == "image-text":
        place = name
        if name in KNOWN and not Path(name).exists() and fetch is not None:
            place = str(fetch(KNOWN[name]))
        remember_place(found.name, place)
    return found


def _loaded(name: str, device: str, fetch: Fetch | None) -> Embedder | Model | ImageModel:
    path = Path(name)
    if name in KNOWN and not path.exists():
        known = KNOWN[name]
        if fetch is None:
            raise UsageError(f"--model {name}: is not on this computer")
        folder = fetch(known)
        if known.description is None:
            return load_model(str(folder), device)
        return ImageModel(folder / known.main, device, known.description)
    if path.suffix.lower() == ".onnx" and not path.is_file():
        raise UsageError(f"--model {name}: no such file")
    file = _image_model(path)
    if file is not None:
        return ImageModel(file, device)
    return load_model(name, device)


def _image_model(path: Path) -> Path | None:
    """Return the ONNX file of a model that takes pictures alone; None for any other."""
    from pixtrawl.scoring.models.description import find_description
    from pixtrawl.scoring.models.onnx_model import is_pair

    if path.is_dir():
        described = [one for one in sorted(path.glob("*.onnx")) if find_description(one)]
        if len(described) == 1:
            return described[0]
        files = sorted(path.glob("*.onnx"))
        return files[0] if len(files) == 1 and not is_pair(path) else None
    if path.suffix.lower() != ".onnx" or not path.is_file():
        return None
    return None if find_description(path) is None and is_pair(path.parent) else path


def load_model(name: str, device: str = "cpu") -> Model:
    """Load an image-text model.

    Args:
        name: a folder with ONNX files or such a file; a folder with `open_clip_config.json` and
            weights; or open_clip's `NAME:WEIGHTS`.
        device: cpu, cuda, ... or auto.

    Raises:
        MissingExtraError: the runtime is not installed; the message has the command.
        UsageError: no such model or device.
    """
    from pixtrawl.scoring.models.onnx_model import OnnxModel, is_onnx

    path = Path(name)
    if path.suffix.lower() == ".onnx" and not path.exists():
        raise UsageError(f"--model {name}: no such file")
    if is_onnx(path) or (path.is_dir() and not (path / "open_clip_config.json").is_file()):
        return OnnxModel(path, device)
    from pixtrawl.scoring.models.openclip import OpenClipModel

    if not path.exists() and ":" not in name:
        known = ", ".join(KNOWN)
        raise UsageError(
            f"--model {name}: no such file or folder, and none of the known models ({known}); an "
            "open_clip model is NAME:WEIGHTS, as in ViT-B-32:weights.safetensors"
        )
    return OpenClipModel(name, device)
