"""The last step before a terminal: characters that command it, or turn text about, become escapes.

Text from the web is cleaned where it is shown (`screen.clean`). This holds for all that is written
all the same, whichever command writes it: C0 but for tab and line ends, DEL, C1, bidirectional
controls and other invisible characters. Colours and the live display's own sequences pass.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final, TextIO

__all__ = ["escaped_json", "guard_terminal", "visible"]

_C0: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f"
# DEL, C1, soft hyphen, bidirectional and other format characters, tags, lone surrogates.
_REST: Final = (
    r"\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
_COMMANDS: Final = re.compile(f"[{_C0}{_REST}]")
_IN_JSON: Final = re.compile(f"[{_REST}]")  # JSON escapes C0 itself
# Colours and cursor movements, as `screen.paint` and the live display write them.
_OWN: Final = re.compile(r"(\x1b\[[0-9;?]{0,12}[mABCDGHJKhl])")


def visible(text: str) -> str:
    r"""Return a text with every such character as an escape: `\x9b`, `\u202e`."""
    return _COMMANDS.sub(_escape, text)


def escaped_json(text: str) -> str:
    r"""Return JSON text with such characters as `\u009b`: it stays equal when it is read."""
    return _IN_JSON.sub(_escape_json, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_json(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class _Guarded:
    """A terminal's stream that writes commands of foreign text as escapes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        pieces = _OWN.split(text)
        pieces[::2] = map(visible, pieces[::2])
        self._stream.write("".join(pieces))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_terminal() -> None:
    """Guard stdout and stderr where they are a terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Guarded) and stream.isatty():
            setattr(sys, name, _Guarded(stream))
