"""Values out of hostile JSON, by their paths; `results` has the rules of what is a value.

What is not of the type asked for is not there: nothing here raises. A path is given as keys and
indexes: `text(photo, "user", "name")`.
"""

from __future__ import annotations

from typing import Any

from pixtrawl.sources import results


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
    """Text in one line; a number counts as text."""
    return results.one_line(at(value, *path))


def plain(value: Any, *path: str | int) -> str | None:
    """As `text`, without HTML: tags dropped, entities decoded."""
    return results.plain_text(at(value, *path))


def url(value: Any, *path: str | int) -> str | None:
    """An absolute http(s) address as it stands there; `//host/...` gets its scheme."""
    return results.web_url(at(value, *path))


def pixels(value: Any, *path: str | int) -> int | None:
    """A side's length; text of digits will do."""
    return results.pixels(at(value, *path))


def count(value: Any, *path: str | int) -> int | None:
    """A whole number from 0; text of digits will do."""
    return results.number(at(value, *path))
