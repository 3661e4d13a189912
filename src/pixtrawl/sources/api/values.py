"""Typed values from hostile JSON, by path; the rules of each type are in `results`.

What is not of the type asked for is not there: nothing here raises. A path is given as keys and
indexes: `text(photo, "user", "name")`.
"""

from __future__ import annotations

from typing import Any

from pixtrawl.sources import results


def at(value: Any, *path: str | int) -> Any:
    """Return the value at the path; None where there is none."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def items(value: Any, *path: str | int) -> list[Any]:
    """Return the list at the path; an empty one where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def text(value: Any, *path: str | int) -> str | None:
    """Return text in one line; a number counts as text."""
    return results.one_line(at(value, *path))


def plain(value: Any, *path: str | int) -> str | None:
    """Like `text`, for HTML: tags removed, entities decoded."""
    return results.plain_text(at(value, *path))


def url(value: Any, *path: str | int) -> str | None:
    """Return an absolute http(s) address as it stands there; `//host/...` gets its scheme."""
    return results.web_url(at(value, *path))


def pixels(value: Any, *path: str | int) -> int | None:
    """Return a length in pixels, given as a number or digits."""
    return results.pixels(at(value, *path))


def size(value: Any, *path: str | int) -> tuple[int | None, int | None]:
    """Return `width` and `height` of the object at the path, in pixels."""
    return pixels(value, *path, "width"), pixels(value, *path, "height")


def count(value: Any, *path: str | int) -> int | None:
    """Return a whole number from 0, given as a number or digits."""
    return results.number(at(value, *path))
