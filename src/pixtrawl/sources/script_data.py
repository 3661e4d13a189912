"""Data in the scripts of a page, read as JavaScript writes it. Pure, bounded, linear in time.

Result pages carry their results as an object literal, which is JSON only by accident: keys without
quotes, single quotes, `void 0`, `!0`, trailing commas, comments. Values that need
evaluation (a call, `new Date(..)`) become None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from pixtrawl.sources.js_strings import js_unescape

MAX_CHARS: Final = 8_000_000  # of a page; real ones have 0.1 to 2 million
MAX_DEPTH: Final = 80  # real pages stay below 20
MAX_TOKENS: Final = 100_000  # escapes included; a page of 150 results has about 30,000
_MAX_NODES: Final = 200_000
_MAX_PLACES: Final = 4  # matches of a pattern that are tried

_STRICT: Final = json.JSONDecoder(strict=False)
_SPACE: Final = re.compile(r"\s*")
_MARKS: Final = frozenset("{}[]:,()!")
_TOKEN: Final = re.compile(
    r"""  (?P<quote> ["'`] )
      | (?P<number> [-+]?(?: 0[xX][0-9a-fA-F]+
                         | (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)? ) )
      | (?P<word> [^\W\d][\w$.]* | \$[\w$.]* )
      | (?P<mark> [{}\[\]:,()!] )""",
    re.VERBOSE,
)
# Search for the end of a string step by step: one expression for all of it would need possessive
# quantifiers, which Python 3.11.0 to 3.11.3 match wrongly.
_STOPS: Final = {quote: re.compile(rf"[{quote}\\]") for quote in "\"'`"}
_SCRIPT: Final = re.compile(r"<script\b", re.IGNORECASE)
_MAX_TAG: Final = 2000  # characters of a script's attributes
_SCRIPT_END: Final = re.compile(r"</script", re.IGNORECASE)
_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}
_MAX_DIGITS: Final = 40  # longer ones are useless, and int() takes quadratic time


class ScriptDataError(ValueError):
    """The text holds no value at this place, or one beyond the bounds."""


def read_value(text: str, start: int = 0) -> Any:
    """Return the value that begins at `start`, in JSON's types; what follows it is not looked at.

    Raises:
        ScriptDataError: no value, a cut one, or one too deep or too large.
    """
    return _ScriptReader(text, MAX_TOKENS).read(start)


def values_after(text: str, place: re.Pattern[str]) -> Iterator[Any]:
    """Yield the values behind the first matches of the pattern; skip unreadable ones.

    All share one budget, because a hostile page may repeat the pattern before long data.
    """
    reader = _ScriptReader(text[:MAX_CHARS], MAX_TOKENS)
    for match in islice(place.finditer(reader.text), _MAX_PLACES):
        try:
            yield reader.read(match.end())
        except ScriptDataError:
            continue


def scripts_in(page: str) -> Iterator[tuple[str, str]]:
    """Yield attributes and content of each script element, byte for byte; a cut one as it is."""
    page = page[:MAX_CHARS]
    at = 0
    while begin := _SCRIPT.search(page, at):
        close = page.find(">", begin.end())
        if close < 0:
            return
        if close - begin.end() > _MAX_TAG:  # nor does any tag in between end within the limit
            at = max(begin.end(), close - _MAX_TAG)
            continue
        end = _SCRIPT_END.search(page, close)
        at = end.start() if end else len(page)
        yield page[begin.end() : close], page[close + 1 : at]


def value_at(value: Any, *path: str | int) -> Any:
    """Return the value at `path` (keys and indices); None where a step leads nowhere."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            there = isinstance(value, list) and -len(value) <= step < len(value)
            value = value[step] if there else None
    return value


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a value, outer ones first; visits at most 200,000 nodes."""
    waiting = [value]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))


class _ScriptReader:
    """Recursive descent; the depth is bounded far below Python's own limit."""

    def __init__(self, text: str, left: int) -> None:
        if len(text) > MAX_CHARS:
            raise ScriptDataError(f"more than {MAX_CHARS} characters")
        self.text = text
        self._at = 0
        self._left = left  # tokens that may still be read

    def read(self, start: int) -> Any:
        space = _SPACE.match(self.text, start)
        self._at = space.end() if space else start
        try:
            value, _ = _STRICT.raw_decode(self.text, self._at)
        except (ValueError, RecursionError):
            return self._value(0)
        return value

    def _value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ScriptDataError("nested too deeply")
        kind, lexeme = self._next()
        if kind == "string":
            return js_unescape(lexeme[1:-1])
        if kind == "number":
            return _number(lexeme)
        if kind == "word":
            return self._word(lexeme, depth)
        return self._marked(lexeme, depth)

    def _marked(self, mark: str, depth: int) -> Any:
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._list(depth)
        if mark == "!":
            return not self._value(depth + 1)
        if mark != "(":
            raise self._failure(mark)
        inner = self._value(depth + 1)
        closing = self._next()[1]
        if closing != ")":
            raise self._failure(closing)
        return inner

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            kind, lexeme = self._next()
            if kind == "mark":
                if lexeme == "}":
                    return found
                if lexeme == ",":
                    continue
                raise self._failure(lexeme)
            key = js_unescape(lexeme[1:-1]) if kind == "string" else lexeme
            found[key] = None  # `{name}` stands for a variable
            if self._peek() == ":":
                self._next()
                found[key] = self._value(depth + 1)
            if self._peek() not in {",", "}"}:
                raise self._failure(self._peek())

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while True:
            mark = self._peek()
            if mark == "]":
                self._next()
                return found
            if mark == ",":  # `[a,,b]` has a hole
                self._next()
                found.append(None)
                continue
            found.append(self._value(depth + 1))
            if self._peek() == ",":
                self._next()
            elif self._peek() != "]":
                raise self._failure(self._peek())

    def _word(self, word: str, depth: int) -> Any:
        if word in _WORDS:
            return _WORDS[word]
        if word in {"void", "new"}:  # `void 0`, `new Date(..)`
            self._value(depth + 1)
        elif self._peek() == "(":
            self._skip_call()
        return None

    def _skip_call(self) -> None:
        still_open = 0
        while True:
            kind, lexeme = self._next()
            if kind == "mark":
                still_open += (lexeme == "(") - (lexeme == ")")
            if not still_open:
                return

    def _next(self) -> tuple[str, str]:
        """Return kind and text of the next token; a string with its quotes."""
        self._skip_blank()
        match = _TOKEN.match(self.text, self._at)
        if match is None:
            raise self._failure(self.text[self._at : self._at + 20])
        kind, begin = match.lastgroup or "", self._at
        self._at = match.end()
        if kind == "quote":
            kind, self._at = "string", self._string_end(match[0])
        return kind, self.text[begin : self._at]

    def _peek(self) -> str:
        """Return the next mark; "" where it is something else."""
        self._skip_blank()
        if self._at >= len(self.text):
            raise self._failure("")
        char = self.text[self._at]
        return char if char in _MARKS else ""

    def _string_end(self, quote: str) -> int:
        """Return the index behind the quote that closes the string at `_at`."""
        at = self._at
        while match := _STOPS[quote].search(self.text, at):
            if match[0] == quote:
                return match.end()
            self._spend()  # an escape costs as much as a token
            at = match.end() + 1
        raise self._failure(quote)

    def _skip_blank(self) -> None:
        """Move to the next token, past white space and comments."""
        while True:
            self._spend()
            space = _SPACE.match(self.text, self._at)
            self._at = space.end() if space else self._at
            if self.text.startswith("//", self._at):
                end = self.text.find("\n", self._at)
                self._at = end if end >= 0 else len(self.text)
            elif self.text.startswith("/*", self._at):
                end = self.text.find("*/", self._at + 2)
                if end < 0:
                    raise self._failure("/*")
                self._at = end + 2
            else:
                return

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ScriptDataError(f"more than {MAX_TOKENS} tokens and escapes")

    def _failure(self, lexeme: str) -> ScriptDataError:
        return ScriptDataError(f"cannot be read at character {self._at}: {lexeme[:20]!r}")


def _number(lexeme: str) -> int | float | None:
    if len(lexeme) > _MAX_DIGITS:
        return None
    if lexeme.lstrip("+-")[:2].lower() == "0x":
        return int(lexeme, 16)
    return float(lexeme) if set(lexeme) & set(".eE") else int(lexeme)
