"""Marks by which images are left out: made by AI, refused for training, signed by C2PA. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pixtrawl.errors import UsageError
from pixtrawl.preferences import KEY

__all__ = ["MARKS", "MARKS_TEXT", "has_mark", "is_ai_made", "read_mark", "read_marks"]

# Terms of IPTC's NewsCodes "digitalsourcetype" for pictures in which a generative model took part.
_BY_MODEL: Final = frozenset(
    {"trainedalgorithmicmedia", "compositewithtrainedalgorithmicmedia", "compositesynthetic"}
)
_TERM: Final = re.compile(r"[A-Za-z]+\Z")


def is_ai_made(rights: Mapping[str, Any]) -> bool:
    """Return whether a file says that a generative model made it, or a part of it."""
    said = rights.get("digital_source_type")
    if not said:
        return False
    found = _TERM.search(str(said).strip().rstrip("/"))
    return found is not None and found[0].lower() in _BY_MODEL


def _refuses_training(rights: Mapping[str, Any]) -> bool:
    said = rights.get(KEY)
    statements = said if isinstance(said, list) else []
    return any(one.get("train") == "no" for one in statements if isinstance(one, dict))


MARKS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "ai-made": is_ai_made,
    "no-training": _refuses_training,
    "c2pa": lambda rights: bool(rights.get("c2pa")),
}
MARKS_TEXT: Final = (
    "ai-made (the file says so), no-training (its owner says so), c2pa (signed content credentials)"
)


def has_mark(rights: Mapping[str, Any], marks: Iterable[str]) -> str | None:
    """Return the first of these marks that an image has, by `Sample.rights`; None for none."""
    return next((mark for mark in marks if MARKS[mark](rights)), None)


def read_mark(text: str) -> str:
    """Parse the name of a mark. Raise ValueError."""
    word = text.strip().lower().replace("_", "-")
    if word not in MARKS:
        raise ValueError(f"{text!r} is none of {', '.join(MARKS)}")
    return word


def read_marks(option: str, texts: Iterable[str]) -> frozenset[str]:
    """Parse the values of an option. Raise UsageError."""
    try:
        return frozenset(read_mark(one) for text in texts for one in text.split(",") if one.strip())
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
