"""How values are shown: short, whatever they hold. Pure.

A value may carry an image's hashes and a thumbnail, or a data: URI of a megabyte; a prompt, a log
or a notebook that shows one wants to know which it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

__all__ = ["LONGEST", "brief_list", "brief_repr", "cut"]

LONGEST: Final = 390  # characters of a repr
_TEXT: Final = 80  # of one field


def cut(text: str, width: int) -> str:
    """Shorten to `width` characters by leaving out the middle: both ends of an address matter."""
    if len(text) <= width:
        return text
    head = (width - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def brief_repr(value: Struct) -> str:
    """Return a repr with only the fields that differ from their defaults, each shortened."""
    shown = []
    for one in _fields(type(value)):
        content = getattr(value, one.name)
        default = one.default_factory() if one.default_factory is not NODEFAULT else one.default
        if content != default:
            shown.append(f"{one.name}={_brief(content)}")
    name = type(value).__name__
    return f"{name}({cut(', '.join(shown), LONGEST - len(name) - 2)})"


@cache
def _fields(kind: type[Struct]) -> tuple[FieldInfo, ...]:
    """Return the fields of a class; msgspec evaluates all annotations anew at each call."""
    return fields(kind)


def brief_list(items: Iterable[object], count: int) -> str:
    """Return `[<a>, <b>, ... 22 more]`: as many of `count` items as fit in `LONGEST`."""
    parts: list[str] = []
    room = LONGEST - len(f"[… {count:,} more]")
    for item in items:
        text = cut(repr(item), LONGEST // 2)
        if len(text) + 2 > room:
            break
        room -= len(text) + 2
        parts.append(text)
    if rest := count - len(parts):
        parts.append(f"… {rest:,} more")
    return f"[{', '.join(parts)}]"


def _brief(content: object) -> str:
    if isinstance(content, bytes):
        return f"<{len(content):,} bytes>"
    if isinstance(content, str):
        return repr(cut(content, _TEXT))
    return cut(repr(content), _TEXT)
