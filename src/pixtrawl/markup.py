"""Refuses HTML that the Lexbor parser would take too long for, by one linear scan. Pure.

Lexbor takes quadratic time for some pages (10,000 nested `div` take 0.25 s, 200,000 minutes; the
same for thousands of attributes on one element).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

__all__ = ["TooComplexError", "parseable"]

_MAX_OPEN: Final = 3000  # elements open at once; real pages have fewer than 100
_MAX_TAGS: Final = 200_000
_MAX_ATTRIBUTES: Final = 3000  # of one element, counted by the white space between them
_LESS_THANS: Final = re.compile("<{9,}")
_TAG: Final = re.compile(r"<(?:(!--)|(/?)([a-zA-Z][^\s/>]*))")
_RAW: Final = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noframes"})
_COMMENT_END: Final = re.compile(r"--!?>")
_VOID: Final = "area base br col embed hr img input link meta param source track wbr"
_CLOSED_BY_THE_NEXT: Final = (
    "p li dt dd option tr td th thead tbody tfoot colgroup rp rt html head body"
)
_NEVER_DEEP: Final = frozenset(f"{_VOID} {_CLOSED_BY_THE_NEXT}".split())


class TooComplexError(ValueError):
    """The page would take the parser too long."""


def parseable(source: str) -> str:
    """Return the page without what takes seconds to parse and holds nothing of use.

    Raise TooComplexError.
    """
    source = _LESS_THANS.sub("<", source.replace("\0", ""))
    _check(source)
    return source


def _check(source: str) -> None:
    """Raise TooComplexError for too many open elements or attributes, by one linear scan."""
    lowered = source.lower()
    still_open: Counter[str] = Counter()
    depth = tags = at = 0
    while match := _TAG.search(lowered, at):
        at = _end_of_tag(lowered, match, foreign=bool(still_open["svg"] or still_open["math"]))
        name = match[3]
        if name and name not in _NEVER_DEEP and name not in _RAW:
            if not match[2]:
                still_open[name] += 1
                depth += 1
            elif still_open[name]:
                still_open[name] -= 1
                depth -= 1
        tags += 1
        if depth > _MAX_OPEN or tags > _MAX_TAGS:
            raise TooComplexError("the page is nested too deeply or has too many elements")


def _end_of_tag(lowered: str, match: re.Match[str], *, foreign: bool) -> int:
    """Return the index at which the scan goes on: behind the tag, and behind raw text content.

    Inside SVG and MathML (`foreign`) nothing is skipped: a title there holds elements.
    """
    if match[1]:
        ending = _COMMENT_END.search(lowered, match.start() + 2)  # `<!-->` is a whole comment
        return ending.end() if ending else len(lowered)
    end = lowered.find(">", match.end())
    end = len(lowered) if end < 0 else end
    if end - match.end() > 2 * _MAX_ATTRIBUTES:
        _check_attributes(lowered[match.end() : end])
    if match[3] in _RAW and not match[2] and not foreign:
        end = lowered.find(f"</{match[3]}", end)
        end = len(lowered) if end < 0 else end
    return end


def _check_attributes(inside: str) -> None:
    if len(inside.split(maxsplit=_MAX_ATTRIBUTES)) > _MAX_ATTRIBUTES:
        raise TooComplexError("an element of the page has too many attributes")
