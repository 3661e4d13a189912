"""Reads and writes `keyword_urls.txt`, a Python dict literal, as a stream.

The text is never evaluated. The grammar is flat (a dict of lists of strings), so the parser does
not recurse, and a truncated file yields everything before the cut. Memory is bounded by the longest
string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TextIO

_CHUNK_CHARS: Final = 1 << 18
_MAX_STRING_CHARS: Final = 96 * 2**20  # a data: URI of 64 MiB of bytes is 86 Mi characters
_STRINGS: Final = {  # a string without its closing quote
    "'": re.compile(r"'[^'\\\n]*(?:\\.[^'\\\n]*)*", re.DOTALL),
    '"': re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*', re.DOTALL),
}
_SPACE: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r"(?:None|null)\b")
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL
)
_LETTERS: Final = {
    "n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": "",
}  # fmt: skip
_PUNCTUATION: Final = frozenset("{}[](),:")


class Entry(NamedTuple):
    """One URL of one key; `url` is None if the literal has None."""

    line: int  # from 1
    key: str
    place: int  # in its list, from 1
    url: str | None


class Broken(NamedTuple):
    """A syntax error; always the last item."""

    line: int
    problem: str


def write_literal(out: TextIO, items: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Write `repr(dict)` of these keys and lists, on one line."""
    out.write("{")
    separator = ""
    for key, urls in items:
        out.write(f"{separator}{key!r}: [")
        comma = ""
        for url in urls:
            out.write(f"{comma}{url!r}")
            comma = ", "
        out.write("]")
        separator = ", "
    out.write("}\n")


def read_literal(text: TextIO) -> Iterator[Entry | Broken]:
    """Yield the entries of `{'cat': ['http://...', ...], ...}`; lists may be tuples or strings.

    On a syntax error yield one Broken and stop.
    """
    tokens = _Tokens(text)
    try:
        yield from _dict(tokens)
    except _SyntaxProblem as problem:
        yield Broken(tokens.line, str(problem))


class _SyntaxProblem(Exception):  # noqa: N818 - internal, becomes a Broken
    pass


class _Tokens:
    """Tokenizer for strings, None and punctuation of a text stream."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self.line = 1

    def next(self) -> str | None:
        """Return punctuation, a string with its quotes, "" for None or null; None at the end."""
        while True:
            space = _SPACE.match(self._buffer, self._at)
            if space:
                self.line += space[0].count("\n")
                self._at = space.end()
            if self._at < len(self._buffer):
                break
            if not self._more():
                return None
        char = self._buffer[self._at]
        if char in _PUNCTUATION:
            self._at += 1
            return char
        if char in _STRINGS:
            return self._string(char)
        return self._none()

    def _string(self, quote: str) -> str:
        while True:
            match = _STRINGS[quote].match(self._buffer, self._at)
            end = match.end() if match else 0
            following = self._buffer[end : end + 1]
            if following == quote:
                start, self._at = self._at, end + 1
                return self._buffer[start : self._at]
            if following == "\n":
                raise _SyntaxProblem("a quotation mark is not closed")
            held = len(self._buffer) - self._at
            if held > _MAX_STRING_CHARS:
                raise _SyntaxProblem("a text is too long")
            # Reading as much again as is held keeps the rescans of a long text linear in total.
            if not self._more(held):
                raise _SyntaxProblem("ends inside a text")

    def _none(self) -> str:
        if len(self._buffer) - self._at < 5:
            self._more()
        match = _WORD.match(self._buffer, self._at)
        if not match:
            shown = self._buffer[self._at : self._at + 20]
            raise _SyntaxProblem(f"{shown!r} does not belong into a dict of lists of URLs")
        self._at = match.end()
        return ""

    def _more(self, chars: int = 0) -> bool:
        chunk = self._text.read(max(chars, _CHUNK_CHARS))
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return bool(chunk)


def _dict(tokens: _Tokens) -> Iterator[Entry]:
    _expect(tokens, "{")
    while (token := _needed(tokens)) != "}":
        key = _text(token)
        _expect(tokens, ":")
        yield from _urls(tokens, key)
        if not _goes_on(tokens, "}"):
            break
    if tokens.next() is not None:
        raise _SyntaxProblem("something follows the end of the dict")


def _urls(tokens: _Tokens, key: str) -> Iterator[Entry]:
    opening = _needed(tokens)
    if opening not in {"[", "("}:
        yield Entry(tokens.line, key, 1, None if opening == "" else _text(opening))
        return
    closing = "]" if opening == "[" else ")"
    place = 0
    while (token := _needed(tokens)) != closing:
        place += 1
        yield Entry(tokens.line, key, place, None if token == "" else _text(token))
        if not _goes_on(tokens, closing):
            return


def _goes_on(tokens: _Tokens, closing: str) -> bool:
    mark = _needed(tokens)
    if mark not in {",", closing}:
        raise _SyntaxProblem(f"a comma or {closing} is missing")
    return mark == ","


def _expect(tokens: _Tokens, mark: str) -> None:
    if _needed(tokens) != mark:
        raise _SyntaxProblem(f"{mark} is missing: not a dict of lists of URLs")


def _needed(tokens: _Tokens) -> str:
    token = tokens.next()
    if token is None:
        raise _SyntaxProblem("ends in the middle")
    return token


def _text(token: str) -> str:
    if token[:1] not in {"'", '"'}:
        raise _SyntaxProblem(f"{token or 'None'} where a text should be")
    inner = token[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(match: re.Match[str]) -> str:
    short, medium, long, octal, other = match.groups()
    if other is not None:
        return _LETTERS.get(other, other if other in "\\'\"" else f"\\{other}")
    code = int(octal, 8) if octal is not None else int(short or medium or long, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
