"""A CLIP-type model as ONNX files.

A folder holds one file for pictures and one for texts, or one for both, beside a tokenizer and
perhaps `preprocess.json`. docs/on-topic.md says how such a folder is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.interface import Kind, Vectors, unit
from pixtrawl.scoring.models.onnx_session import one_line, starter
from pixtrawl.scoring.models.preprocess import Preprocess, read_preprocess
from pixtrawl.scoring.models.tokenizer import Tokenizer, load_tokenizer

__all__ = ["OnnxModel", "is_onnx", "is_pair"]

_VISUAL: Final = ("visual.onnx", "vision_model.onnx")
_TEXTUAL: Final = ("textual.onnx", "text_model.onnx")
_BOTH: Final = ("model.onnx",)
_SETTINGS: Final = ("preprocess.json", "preprocessor_config.json", "open_clip_config.json")
_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
_CONTEXT: Final = 77  # tokens, of CLIP
_MAX_CONTEXT: Final = 4096


class _Files(NamedTuple):
    folder: Path
    visual: Path
    textual: Path  # the same where one file does both


def is_onnx(path: Path) -> bool:
    """Return whether a path is an ONNX file or a folder with ONNX files."""
    if path.is_dir():
        return any((path / name).is_file() for name in (*_VISUAL, *_TEXTUAL, *_BOTH))
    return path.suffix.lower() == ".onnx"


def is_pair(folder: Path) -> bool:
    """Return whether a folder has a tokenizer, so that its model takes texts, too."""
    names = ("tokenizer.json", "vocab.json", "bpe_simple_vocab_16e6.txt.gz")
    return any((folder / name).is_file() for name in names)


class OnnxModel:
    """See `scoring.model.Model`."""

    kind: Final[Kind] = "image-text"

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """Load the model.

        Raises:
            MissingExtraError: onnxruntime or tokenizers is not installed.
            UsageError: a file is missing or cannot be used, or there is no such device.
        """
        start = starter(device)
        files = _files(path)
        visual = start(files.visual)
        self._visual = _Network(visual, files.visual, "image_embeds", ("image",))
        # one file for both is loaded once: it may be gigabytes
        textual = visual if files.textual == files.visual else start(files.textual)
        self._textual = _Network(textual, files.textual, "text_embeds", ("text",))
        settings = _settings(files.folder)
        pixels = self._visual.input("pixels")
        self.preprocess: Preprocess = read_preprocess(settings, pixels.size(-2), pixels.size(-1))
        tokens = self._textual.input("tokens").size(-1)
        context = tokens or _number(settings, "context_length", _CONTEXT)
        pad_id = _number(settings, "pad_id", None)
        self._tokenizer: Tokenizer = load_tokenizer(files.folder, context, pad_id)
        self.name: str = f"{files.folder.resolve().name}@{_digest(files, self.preprocess)}"

    def embed_images(self, pixels: Vectors) -> Vectors:
        """Embed pictures of shape (n, 3, height, width) as rows of length 1."""
        ids, mask = self._tokenizer([""]) if self._visual.wants("tokens") else (None, None)
        return self._visual.run({"pixels": pixels, "tokens": ids, "mask": mask}, len(pixels))

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts as rows of length 1."""
        ids, mask = self._tokenizer(texts)
        pixels = None
        if self._textual.wants("pixels"):
            pixels = np.zeros((1, 3, *self.preprocess.size), np.float32)
        return self._textual.run({"pixels": pixels, "tokens": ids, "mask": mask}, len(texts))


class _Input(NamedTuple):
    name: str
    shape: Sequence[int | str | None]
    type: type[np.generic]

    def size(self, at: int) -> int | None:
        """Return a dimension that the model fixes; None where it is dynamic."""
        value = self.shape[at] if self.shape else None
        return value if isinstance(value, int) and value > 0 else None


class _Network:
    """One ONNX file: its inputs by meaning, and the output with the embedding."""

    def __init__(self, running: Any, path: Path, embeds: str, words: tuple[str, ...]) -> None:
        self._running = running
        self._path = path
        self._inputs = {
            meaning: _Input(one.name, one.shape, _TYPES[one.type])
            for one in running.get_inputs()
            if (meaning := _meaning(one.name, one.type, len(one.shape))) is not None
        }
        self._output = _output(running, path, embeds, words)

    def wants(self, meaning: str) -> bool:
        """Return whether the file has such an input."""
        return meaning in self._inputs

    def input(self, meaning: str) -> _Input:
        """Return an input. Raises UsageError where the file has none."""
        if meaning not in self._inputs:
            raise UsageError(f"{self._path}: has no input for {meaning}")
        return self._inputs[meaning]

    def run(self, given: Mapping[str, Any], count: int) -> Vectors:
        """Embed `count` rows; an input of one row is repeated. Raises UsageError."""
        first = next(iter(self._inputs.values()))
        fixed = first.size(0) or count or 1
        found = []
        for start in range(0, count, fixed):
            rows = min(fixed, count - start)
            found.append(self._run(given, start, rows, fixed)[:rows])
        return unit(np.concatenate(found))

    def _run(self, given: Mapping[str, Any], start: int, rows: int, fixed: int) -> Any:
        feed = {}
        for meaning, wanted in self._inputs.items():
            value = given[meaning]
            part = value[start : start + rows] if len(value) > 1 else value
            if len(part) < fixed:  # a model exported for a fixed number of rows
                short = fixed - len(part)
                part = np.concatenate([part, np.repeat(part[-1:], short, axis=0)])
            feed[wanted.name] = part.astype(wanted.type, copy=False)
        try:
            return self._running.run([self._output], feed)[0]
        except Exception as error:  # onnxruntime's classes have no root of their own
            raise UsageError(f"{self._path}: the model fails ({one_line(error)})") from error


def _meaning(name: str, type_: str, rank: int) -> str | None:
    if "mask" in name:
        return "mask"
    if type_ in {"tensor(int64)", "tensor(int32)"} and "position" not in name:
        return "tokens"
    return "pixels" if type_ in {"tensor(float)", "tensor(float16)"} and rank == 4 else None


def _output(running: Any, path: Path, embeds: str, words: tuple[str, ...]) -> str:
    """Choose the output: transformers' name, else the only matrix, else the only matching name."""
    outputs = running.get_outputs()
    named = [one.name for one in outputs if one.name == embeds]
    flat = [one.name for one in outputs if len(one.shape or ()) == 2]
    alike = [name for name in flat if any(word in name.lower() for word in words)]
    alike = [name for name in alike if "logits" not in name]
    for choice in (named, flat, alike):
        if len(choice) == 1:
            return str(choice[0])
    names = ", ".join(one.name for one in outputs)
    raise UsageError(f"{path}: which output is the embedding? None is {embeds!r} (has: {names})")


def _files(path: Path) -> _Files:
    if path.is_file():
        return _Files(path.parent, path, path)
    visual, textual, both = (
        next((path / name for name in names if (path / name).is_file()), None)
        for names in (_VISUAL, _TEXTUAL, _BOTH)
    )
    visual, textual = visual or both, textual or both
    if visual is None or textual is None:
        names = ", ".join((_VISUAL[0], _TEXTUAL[0]))
        raise UsageError(f"{path}: a folder with {names} (or {_BOTH[0]} for both) is needed")
    return _Files(path, visual, textual)


def _settings(folder: Path) -> dict[str, Any]:
    path = next((folder / name for name in _SETTINGS if (folder / name).is_file()), None)
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    found = found.get("preprocess_cfg", found) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: is no JSON object")
    return found


def _number(settings: Mapping[str, Any], name: str, default: int | None) -> Any:
    value = settings.get(name, default)
    if value is not None and not (isinstance(value, int) and 0 <= value <= 2**31):
        raise UsageError(f"preprocess.json: {name} is {value!r}, not a whole number")
    if name == "context_length" and not 2 <= int(value or 0) <= _MAX_CONTEXT:
        raise UsageError(f"preprocess.json: {name} must be between 2 and {_MAX_CONTEXT}")
    return value


def _digest(files: _Files, preprocess: Preprocess) -> str:
    """Hash everything that affects picture embeddings; text embeddings are not stored."""
    whole = hashlib.sha256(repr(preprocess).encode())
    external = sorted(files.folder.glob(f"{files.visual.name}*data"))  # weights beside the graph
    for path in (files.visual, *external):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:12]
