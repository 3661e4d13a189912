"""Embed words in a process of its own, so that a server does not hold a model in its memory.

Run as a program it embeds one text: `python -m pixtrawl.scoring.models.text_vectors MODEL < text`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import OrderedDict
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.errors import EnvironmentFailedError, PixtrawlError, UsageError

__all__ = ["text_vector"]

_TIME_LIMIT_S: Final = 180.0  # a large model from a slow disk
_MOST_HELD: Final = 64

_held: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
_lock = threading.Lock()  # one at a time: a model is large


class EmbeddedText(Struct, frozen=True):
    """The answer of the process: the name of the model and the vector, or why there is none."""

    name: str = ""
    vector: list[float] = []
    error: str = ""


def text_vector(place: str, model: str, text: str) -> list[float]:
    """Return the unit vector of a text; the last ones are cached.

    Args:
        place: the model as for `--model`.
        model: the name that the loaded model has to have: another version gives other vectors.
        text: the words to embed.

    Raises:
        UsageError: the model cannot be loaded, is another one, or takes no words.
        EnvironmentFailedError: the process failed.
    """
    with _lock:
        found = _held.get((model, text))
        if found is None:
            answer = _embedded_in_process(place, text)
            if answer.error:
                raise UsageError(answer.error)
            if answer.name != model:
                raise UsageError(f"{place} is now another model ({answer.name}) than {model}")
            found = _held[model, text] = answer.vector
            while len(_held) > _MOST_HELD:
                _held.popitem(last=False)
        _held.move_to_end((model, text))
        return found


def _embedded_in_process(place: str, text: str) -> EmbeddedText:
    words = [sys.executable, "-P", "-m", "pixtrawl.scoring.models.text_vectors", place]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            words, check=False, input=text.encode(), capture_output=True, timeout=_TIME_LIMIT_S
        )
        return msgspec.json.decode(done.stdout, type=EmbeddedText)
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailedError(
            f"{place} gave no vector within {_TIME_LIMIT_S:.0f} s"
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise EnvironmentFailedError(f"the model {place} cannot be used: {error}") from error


def main(place: str, text: str) -> EmbeddedText:
    """Embed a text with a model."""
    from pixtrawl.scoring.models.loading import load_any

    try:
        model = load_any(place)
        embed = getattr(model, "embed_texts", None)
        if embed is None:
            return EmbeddedText(error=f"{place} takes no words")
        return EmbeddedText(getattr(model, "name", ""), embed([text])[0].tolist())
    except PixtrawlError as error:
        return EmbeddedText(error=str(error))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(msgspec.json.encode(answer))
