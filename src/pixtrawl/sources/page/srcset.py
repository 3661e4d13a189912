"""Parse `srcset` as the HTML standard does, and choose the largest candidate. Pure.

https://html.spec.whatwg.org/multipage/images.html#parsing-a-srcset-attribute. A browser chooses by
`sizes` and its screen; here the largest candidate is chosen.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

__all__ = ["SrcsetCandidate", "largest", "parse_srcset"]

_SPACE: Final = "\t\n\f\r "  # ASCII white space; other Unicode spaces belong to the URL
_LEADING: Final = re.compile(r"[\t\n\f\r ,]*")
_URL: Final = re.compile(r"[^\t\n\f\r ]+")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(
    r"-?(?:[0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,3})?"
)
_MAX_CANDIDATES: Final = 500


class SrcsetCandidate(Struct, frozen=True):
    """One URL with its width in pixels (`w`) or density (`x`; default 1x)."""

    url: str
    width: int | None = None
    density: float = 1.0


def parse_srcset(text: str) -> list[SrcsetCandidate]:
    """Return the candidates in order; skip those with a descriptor in error."""
    found: list[SrcsetCandidate] = []
    at = 0
    while len(found) < _MAX_CANDIDATES:
        leading = _LEADING.match(text, at)
        at = leading.end() if leading else at
        url = _URL.match(text, at)
        if url is None:
            return found
        at = url.end()
        name = url[0].rstrip(",")
        descriptors: list[str] = []
        if name == url[0]:
            descriptors, at = _descriptors(text, at)
        candidate = _candidate(name, descriptors)
        if candidate is not None:
            found.append(candidate)
    return found


def largest(candidates: list[SrcsetCandidate]) -> SrcsetCandidate | None:
    """Return the widest, else the densest; the first of equals, as browsers do."""
    return max(candidates, key=lambda one: (one.width or 0, one.density), default=None)


def _descriptors(text: str, at: int) -> tuple[list[str], int]:
    """Return the words up to the next comma outside parentheses, and the index behind it.

    Follows the standard's three states: inside parentheses, white space and commas belong to the
    word, up to the first closing parenthesis.
    """
    words: list[str] = []
    word = ""
    while at < len(text):
        char = text[at]
        if char == ",":
            break
        if char in _SPACE:
            words.append(word)
            word = ""
        elif char == "(":
            end = text.find(")", at)
            end = len(text) - 1 if end < 0 else end
            word += text[at : end + 1]
            at = end
        else:
            word += char
        at += 1
    words.append(word)
    return [one for one in words if one], at + 1


def _candidate(url: str, descriptors: list[str]) -> SrcsetCandidate | None:
    width: int | None = None
    height: int | None = None
    density: float | None = None
    for one in descriptors:
        value, unit = one[:-1], one[-1]
        if unit == "w" and width is None and density is None and _WHOLE.fullmatch(value):
            width = int(value)
        elif unit == "x" and density is width is height is None and _NUMBER.fullmatch(value):
            density = float(value)
        elif unit == "h" and height is None and density is None and _WHOLE.fullmatch(value):
            height = int(value)
        else:
            return None
    if width == 0 or height == 0 or (height is not None and width is None):
        return None
    if density is not None and density < 0:
        return None
    return SrcsetCandidate(url, width, 1.0 if density is None else density)
