"""Output to a terminal: cleaned text, columns, colours, units; safe against a closed pipe."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from pixtrawl.display.terminal import escaped_json, visible

_COLORS: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_JOINERS: Final = "\u200c\u200d"
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")


def clean(text: object) -> str:
    """Return one line without control characters, since text from the web may hold escapes."""
    kept = "".join(
        " " if char.isspace() else char
        for char in str(text)
        if char.isspace() or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
    )
    return " ".join(kept.split())


def to_copy(command: str) -> str:
    """Return a command for the user's shell, unchanged but for what would command the terminal.

    Joiners stay: Persian words and emoji in the names of files need them.
    """
    return "".join(
        char for char in command
        if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
    )  # fmt: skip


def has_color(stream: TextIO) -> bool:
    """Return whether to use colours: on a terminal, unless NO_COLOR is set (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, color: str, *, on: bool) -> str:
    """Return the text in bold, dim, red, green or yellow; unchanged if not `on`."""
    return f"\x1b[{_COLORS[color]}m{text}\x1b[0m" if on and text else text


def cells(text: str) -> int:
    """Return the columns a text takes on a terminal; wide East Asian characters count twice."""
    bare = _ANSI.sub("", text)
    if bare.isascii():
        return len(bare)
    wide = sum(unicodedata.east_asian_width(char) in {"W", "F"} for char in bare)
    combining = sum(unicodedata.combining(char) > 0 for char in bare)
    return len(bare) + wide - combining


def shorten(text: str, width: int) -> str:
    """Cut a text to at most `width` columns, with an ellipsis if anything was cut."""
    if cells(text) <= width:
        return text
    text = text[:width]
    while text and cells(text) > width - 1:
        text = text[:-1]
    return text + "…"


def columns(rows: Sequence[Sequence[str]], *, widest: int = 40, right: Iterable[int] = ()) -> str:
    """Return aligned columns; those in `right` are right-aligned, the last has any width."""
    cut = [[*(shorten(cell, widest) for cell in row[:-1]), row[-1]] for row in rows]
    count = max((len(row) for row in cut), default=0)
    widths = [max(cells(row[at]) for row in cut if at < len(row)) for at in range(count)]
    flush = set(right)
    lines = []
    for row in cut:
        parts = []
        for at, cell in enumerate(row):
            space = " " * (widths[at] - cells(cell))
            parts.append(space + cell if at in flush else cell + space)
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def out(text: str) -> None:
    """Write a line of result to stdout; a closed pipe is not an error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # the interpreter flushes stdout at exit, which would fail on the closed pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def out_stream(pieces: Iterable[str]) -> None:
    """Write pieces of text to stdout as they come, in UTF-8, until the pipe is closed.

    On a terminal control characters become escapes: nothing here has colours.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    on_terminal = sys.stdout.isatty()
    try:
        for piece in pieces:
            sys.stdout.write(visible(piece) if on_terminal else piece)
        sys.stdout.flush()
    except BrokenPipeError:
        # the interpreter flushes stdout at exit, which would fail on the closed pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def out_json(value: Mapping[str, object]) -> None:
    """Write the result to stdout as a single JSON object."""
    unicode = "utf" in (sys.stdout.encoding or "").lower()
    out(escaped_json(json.dumps(value, ensure_ascii=not unicode, indent=2, default=str)))


def json_line(value: Mapping[str, object]) -> str:
    """Return a JSON object as a line, without characters that would command a terminal."""
    return escaped_json(json.dumps(value, ensure_ascii=False)) + "\n"


def note(text: str) -> None:
    """Write a remark for the user to stderr."""
    print(f"pixtrawl: {clean(text)}", file=sys.stderr, flush=True)
