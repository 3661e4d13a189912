"""Amounts as people read them: counts with their words, bytes, seconds. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["plural", "size", "span"]

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def plural(count: int, word: str, words: str | None = None) -> str:
    """Format a count: `1 query`, `3 queries`; `words` is the plural if it is not word + s."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def size(number: float) -> str:
    """Format a number of bytes: `45.1 MiB`."""
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} {_UNITS[-1]}"


def span(seconds: float) -> str:
    """Format seconds: `12.3 s`, `3:20 min`, `2:05 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02} h"
