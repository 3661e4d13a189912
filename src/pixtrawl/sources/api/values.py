"""Values out of hostile JSON: what is not of the type asked for is not there.

Nothing here raises. A path is given as keys and indexes: `text(photo, "user", "name")`.
"""

from __future__ import annotations

import math
import re
from html import unescape
from typing import Any, Final

from pixtrawl import urls

_MAX_TEXT: Final = 2000  # characters of a title, a creator, a claim
_MAX_URL: Final = 8000
_MAX_PIXELS: Final = 10_000_000  # of one side; more is no size
# Controls, halves of surrogate pairs (no UTF-8 can be made of them), private use: SearXNG hands on
# the U+E000 and U+E001 with which Bing marks the words that were searched.
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff]")
_NO_URL: Final = re.compile("[\\s\x00-\x20\x7f\ud800-\udfff]")
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")


def at(value: Any, *path: str | int) -> Any:
    """What lies at the path; None where nothing does."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def items(value: Any, *path: str | int) -> list[Any]:
    """The list at the path; an empty one where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def text(value: Any, *path: str | int) -> str | None:
    """Text in one line, at most 2,000 characters; a number counts as text; None for nothing."""
    found = at(value, *path)
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**18:
        found = str(found)
    if not isinstance(found, str):
        return None
    return " ".join(_NO_TEXT.sub(" ", found[: 4 * _MAX_TEXT]).split())[:_MAX_TEXT] or None


def plain(value: Any, *path: str | int) -> str | None:
    """As `text`, without HTML: tags dropped, entities decoded."""
    found = text(value, *path)
    if found is None or not {"<", "&"} & set(found):
        return found
    return text(unescape(_TAG.sub(" ", found)))


def url(value: Any, *path: str | int) -> str | None:
    """An absolute http(s) address as it stands there; `//host/...` gets its scheme."""
    found = at(value, *path)
    if not isinstance(found, str) or not 0 < len(found) <= _MAX_URL or _NO_URL.search(found):
        return None
    if found.startswith("//"):
        found = f"https:{found}"
    if urls.scheme_of(found) not in {"http", "https"} or urls.check(found) is not None:
        return None
    return found


def pixels(value: Any, *path: str | int) -> int | None:
    """A side's length; text of digits will do."""
    found = count(value, *path)
    return found if found and found < _MAX_PIXELS else None


def count(value: Any, *path: str | int) -> int | None:
    """A whole number from 0; text of digits will do."""
    found = at(value, *path)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 16:
        return int(found)
    if isinstance(found, float) and math.isfinite(found):
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 10**15:
        return None
    return found
