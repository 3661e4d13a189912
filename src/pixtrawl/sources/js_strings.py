"""Decode JavaScript string literals (ECMA-262, 12.9.4)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["js_unescape"]

_ESCAPE: Final = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL
)
_SIMPLE: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0",
                  "\n": "", "\r\n": ""}  # fmt: skip
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def js_unescape(text: str) -> str:
    r"""Decode the escapes of a JavaScript string literal (\u0026, \x3d, \/) once.

    Characters outside ASCII stay as they are; half a surrogate pair becomes U+FFFD.
    """
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_one_escape, text)
    if _SURROGATE.search(plain):
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain


def _one_escape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return _SIMPLE.get(match[4], match[4])
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else "�"
