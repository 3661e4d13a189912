"""How a setting is declared: once, with all that the command line and the documents need of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

__all__ = ["setting"]


def setting(  # noqa: PLR0913 - one call is one row of the settings table
    default: Any,
    sentence: str,
    *,
    flag: str | None = None,
    short: str | None = None,
    parse: Callable[[str], Any] = str,
    metavar: str | None = None,
    choices: tuple[str, ...] | None = None,
    repeat: bool = False,
) -> Any:
    """Declare a dataclass field with all that is needed to set it from text.

    Args:
        default: the value when nobody sets it.
        sentence: one line of help.
        flag: long option, `--timeout`; None keeps it off the command line.
        short: short option, `-n`.
        parse: text to value; raises ValueError with a message for the user.
        metavar: placeholder in `--help`.
        choices: closed list of words.
        repeat: may be given several times; the value is a tuple.
    """
    metadata = {
        "sentence": sentence,
        "flag": flag,
        "short": short,
        "parse": parse,
        "metavar": metavar,
        "choices": choices,
        "repeat": repeat,
    }
    return field(default=default, metadata=metadata)
