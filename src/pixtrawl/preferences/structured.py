"""Structured-field dictionaries (RFC 9651, 3.2), as far as AI preferences need them. Pure."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["parse_dictionary"]

MAX_CHARS: Final = 4096

_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
# Every other bare item: boolean, decimal, integer, string, byte sequence, date, display string.
_OTHER: Final = re.compile(
    r"\?[01]"
    r"|-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9.])|-?[0-9]{1,15}(?![0-9.])"
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'
    r"|:[A-Za-z0-9+/=]*:"
    r"|@-?[0-9]{1,15}(?![0-9.])"
    r'|%"(?:[ !#$&-~]|%[0-9a-f]{2})*"'
)
_SPACES: Final = re.compile(" *")
_OPTIONAL_WHITESPACE: Final = re.compile(r"[ \t]*")


class _NoDictionaryError(Exception):
    """The text is no dictionary."""


def parse_dictionary(text: str) -> dict[str, str | None] | None:
    """Return the members, the last of each key: a token's text, None for any other value.

    None where parsing fails, as it does for any error anywhere (RFC 9651, 4.2).
    """
    text = text.strip(" ")
    if len(text) > MAX_CHARS:
        return None
    try:
        return _DictionaryReader(text).dictionary()
    except _NoDictionaryError:
        return None


class _DictionaryReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def dictionary(self) -> dict[str, str | None]:
        members: dict[str, str | None] = {}
        while self._at < len(self._text):
            key = self._take(_KEY)
            members.pop(key, None)
            members[key] = self._value()
            self._take(_OPTIONAL_WHITESPACE)
            if self._at == len(self._text):
                break
            self._expect(",")
            self._take(_OPTIONAL_WHITESPACE)
            if self._at == len(self._text):
                raise _NoDictionaryError  # a trailing comma
        return members

    def _value(self) -> str | None:
        """Read `=value` with its parameters; without a value it is the boolean true."""
        token = None
        if self._next() == "=":
            self._at += 1
            if self._next() == "(":
                self._inner_list()
            else:
                token = self._bare()
        self._parameters()
        return token

    def _inner_list(self) -> None:
        self._expect("(")
        while True:
            self._take(_SPACES)
            if self._next() == ")":
                self._at += 1
                return
            self._bare()
            self._parameters()
            if self._next() not in {" ", ")"}:
                raise _NoDictionaryError

    def _parameters(self) -> None:
        while self._next() == ";":
            self._at += 1
            self._take(_SPACES)
            self._take(_KEY)
            if self._next() == "=":
                self._at += 1
                self._bare()

    def _bare(self) -> str | None:
        token = _TOKEN.match(self._text, self._at)
        if token is not None:
            self._at = token.end()
            return token[0]
        self._take(_OTHER)
        return None

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _expect(self, char: str) -> None:
        if self._next() != char:
            raise _NoDictionaryError
        self._at += 1

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _NoDictionaryError
        self._at = match.end()
        return match[0]
