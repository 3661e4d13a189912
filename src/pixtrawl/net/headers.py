"""Response headers, parsed at the first access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

__all__ = ["Headers", "status_of"]

_NEVER_JOINED: Final = frozenset({"set-cookie", "x-robots-tag"})  # a comma means something else


class Headers(Mapping[str, str]):
    """Headers by lower-case name; repeats are joined by ", ", or by newline (`_NEVER_JOINED`).

    Most image answers are only checked for the absence of a name; parsing (10 us) is left until a
    value is read.
    """

    __slots__ = ("_parsed", "_text")

    def __init__(self, lines: Iterable[bytes]) -> None:
        """`lines` as received, without the status line."""
        self._text = b"".join(lines).decode("latin-1")
        self._parsed: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        if self._parsed is None and name not in self._text.lower():
            raise KeyError(name)
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, str]:
        if self._parsed is None:
            self._parsed = _parse(self._text)
        return self._parsed


def _parse(text: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if line[:1] in {" ", "\t"} and name:  # obsolete folding, RFC 9112 5.2
            headers[name] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        if not colon:
            continue
        name = key.strip().lower()
        value = value.strip()
        if name in headers:
            headers[name] += ("\n" if name in _NEVER_JOINED else ", ") + value
        else:
            headers[name] = value
    return headers


def status_of(line: bytes) -> int:
    """Return the status of a line such as `HTTP/1.1 200 OK`; 0 without one."""
    words = line[:32].split()
    code = words[1] if len(words) > 1 else b""
    return int(code) if len(code) == 3 and code.isdigit() else 0
