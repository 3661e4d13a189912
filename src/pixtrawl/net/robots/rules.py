"""The rules of a robots.txt for one agent: compact to keep, matched without backtracking. Pure.

A rule is one line of text: a sign, then the parts between its wildcards; the most specific rule
comes first, so that the first match decides. Forty thousand rules (500 KiB of robots.txt) take
their own length; files of usual size are taken apart once, for speed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_from_bytes

import msgspec

__all__ = ["AgentRules", "Line", "PathText", "longest_matches"]

Line = tuple[str, str]
"""A line of robots.txt: its name in lower case, and its value."""

# Characters that compare equal whether plain or escaped: unreserved and reserved ones (RFC 9309
# 2.2.2), including `$` and `*`, so that `%24` and `%2A` are literal. `/`, `?` and `#` delimit parts
# of a URL and differ from `%2F`, `%3F` and `%23`.
_LITERAL: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~$*:[]@!&'()+,;="
)
_SAFE: Final = bytes(_LITERAL) + b"/?#%"
# Nearly every rule and path: nothing to normalise.
_PLAIN: Final = re.compile(r"[a-zA-Z0-9\-._~$*:\[\]@!&'()+,;=/?#]*").fullmatch
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_DELAY: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
# Signs: allow and disallow, each plain or anchored to the path's end.
_OPEN: Final = "-+"
_ENDS: Final = "da"
_ALLOWS: Final = "+a"
_WILD: Final = "\0"  # between the parts of a rule: none of them holds it
_FEW: Final = 256  # rules up to which they are kept taken apart
_LONG: Final = 2000  # characters of a path from which its groups of letters are worth counting
_GRAM: Final = 3
_FEW_RECORDS: Final = 500
_RECORD_BYTES: Final = 2048

Rule = tuple[bool, str, tuple[str, ...], bool]
"""Whether it allows, the first part, the other parts, and whether the last ends the path."""


class AgentRules:
    """The rules and other records of a robots.txt for one agent."""

    __slots__ = ("_few", "crawl_delay_s", "records", "rules", "scanning", "text")

    def __init__(
        self,
        text: str = "",
        rules: int = 0,
        scanning: int = 0,
        crawl_delay_s: float = 0.0,
        records: tuple[Line, ...] = (),
    ) -> None:
        self.text = text  # one rule a line, the most specific first
        self.rules = rules  # number of them
        self.scanning = scanning  # how many search through the path instead of comparing its start
        self.crawl_delay_s = crawl_delay_s  # 0: none
        self.records = records  # lines of preferences, in order
        self._few: tuple[Rule, ...] | None = None

    @classmethod
    def of(cls, rules: Iterable[Line], records: Iterable[Line]) -> AgentRules:
        """Make them from `allow` and `disallow` lines and the other records of the groups."""
        found: dict[str, int] = {}
        for line in rules:
            _encode(line, found)
        # The longest wins, and allow on a tie; of the same size the order says nothing.
        texts = sorted(found, key=lambda one: (-found[one], one[0] not in _ALLOWS))
        scanning = sum(_WILD in one for one in texts)
        delay_s = 0.0
        kept: list[Line] = []
        for name, value in records:
            if name == "crawl-delay":
                delay_s = max(delay_s, _delay_s(value))
            elif len(kept) < _FEW_RECORDS:
                kept.append((name, value[:_RECORD_BYTES]))
        return cls("\n".join(texts), len(texts), scanning, delay_s, tuple(kept))

    def allows(self, url: str) -> bool:
        """Return whether this URL or path may be fetched."""
        if not self.rules:
            return True
        path = _normal(_path_of(url))
        if path == "/robots.txt":
            return True
        grams = _grams_of(path) if self.scanning > _FEW and len(path) > _LONG else None
        for allow, first, others, anchored in self._each():
            if grams and others and len(others[0]) >= _GRAM and others[0][:_GRAM] not in grams:
                continue
            if path.startswith(first) and _matches(path, first, others, anchored):
                return allow
        return True

    def cost_s(self, url: str) -> float:
        """Estimate the time of `allows` (upwards: seconds of one core of 2020)."""
        return 4e-7 * self.rules + 1e-9 * self.scanning * len(url) + 2e-7 * len(url)

    @property
    def size_bytes(self) -> int:
        """Memory that they take, roughly."""
        taken_apart = 300 * self.rules if self.rules <= _FEW else 0
        return 400 + len(self.text) + taken_apart + sum(200 + len(v) for _, v in self.records)

    def _each(self) -> Iterable[Rule]:
        if self.rules > _FEW:
            return map(_decoded, self.text.split("\n"))
        if self._few is None:
            self._few = tuple(map(_decoded, self.text.split("\n")))
        return self._few

    def packed(self) -> bytes:
        """Return them as bytes, compressed."""
        whole = (self.text, self.rules, self.scanning, self.crawl_delay_s, self.records)
        return zlib.compress(msgspec.msgpack.encode(whole), 1)

    @classmethod
    def unpacked(cls, packed: bytes) -> AgentRules:
        """Return the rules from the bytes of `packed`."""
        kind = tuple[str, int, int, float, tuple[Line, ...]]
        return cls(*msgspec.msgpack.decode(zlib.decompress(packed), type=kind))


class PathText(msgspec.Struct, frozen=True):
    """A text that holds for the paths of a pattern, matched as Allow and Disallow are."""

    name: str
    text: str
    length: int  # of the pattern, by which the more specific one is found
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, name: str, text: str, pattern: str) -> PathText:
        """Parse one pattern; an empty one matches every path and has the lowest priority."""
        found: dict[str, int] = {}
        _encode(("allow", pattern or "/"), found)
        return cls(name, text, len(pattern), tuple(map(_decoded, found)))

    @classmethod
    def of_line(cls, name: str, value: str) -> PathText:
        """Read `[path] text` (draft-ietf-aipref-attach-05, 3.2)."""
        if not value.startswith("/"):
            return cls.of(name, value, "")
        path, _, text = value.replace("\t", " ").partition(" ")
        return cls.of(name, text.strip(), path)

    def matches(self, url: str) -> bool:
        """Return whether it holds for this URL or path."""
        return self.matches_path(_normal(_path_of(url)))

    def matches_path(self, path: str) -> bool:
        return any(
            path.startswith(first) and _matches(path, first, others, anchored)
            for _, first, others, anchored in self.rules
        )


def longest_matches(texts: Iterable[PathText], url: str) -> list[PathText]:
    """Return the texts that match this URL or path: of each name those with the longest pattern."""
    path = _normal(_path_of(url))
    found = [one for one in texts if one.matches_path(path)]
    longest: dict[str, int] = {}
    for one in found:
        longest[one.name] = max(longest.get(one.name, 0), one.length)
    return [one for one in found if one.length == longest[one.name]]


def _encode(line: Line, found: dict[str, int]) -> None:
    """Add the text of the rules that a line stands for, each with its length."""
    kind, value = line
    # Browsers treat a backslash in a URL as a slash; the rule may mean either.
    forms = (value, value.replace("\\", "/")) if "\\" in value else (value,)
    for form in forms:
        pattern = form if form[0] in "/*" else "/" + form
        body = pattern[:-1] if pattern[-1] == "$" else pattern
        signs = _ENDS if body is not pattern else _OPEN
        text = _WILD.join(map(_normal, body.split("*"))) if "*" in body else _normal(body)
        text = signs[kind == "allow"] + text
        found[text] = max(len(pattern), found.get(text, 0))


def _decoded(text: str) -> Rule:
    sign, parts = text[0], text[1:]
    if _WILD not in parts:
        return sign in _ALLOWS, parts, (), sign in _ENDS
    first, *others = parts.split(_WILD)
    return sign in _ALLOWS, first, tuple(others), sign in _ENDS


def _matches(path: str, first: str, others: tuple[str, ...], anchored: bool) -> bool:
    """Return whether a rule matches a path that starts with its first part."""
    if not anchored:
        return _find(path, len(first), others) >= 0
    # Be careful: a path that itself contains the dollar matches too.
    if not others:
        return path == first or path.startswith(first + "$")
    at = _find(path, len(first), others[:-1])
    if at < 0:
        return False
    last = others[-1]
    ends = path.endswith(last) and len(path) - len(last) >= at
    return ends or path.find(last + "$", at) >= 0


def _grams_of(path: str) -> frozenset[str]:
    """Return every three characters that follow one another: most rules need others."""
    return frozenset(map("".join, zip(path, path[1:], path[2:], strict=False)))


def _find(path: str, at: int, parts: tuple[str, ...]) -> int:
    """Return the end of the last part where all occur in order from `at` on, else -1."""
    for part in parts:
        found = path.find(part, at)
        if found < 0:
            return -1
        at = found + len(part)
    return at


def _normal(text: str) -> str:
    """Normalise a rule or path: upper-case escapes, needless ones decoded, all else escaped.

    Bytes of a rule that are not UTF-8 are escaped one by one.
    """
    if _PLAIN(text):
        return text
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        octets = text.encode("utf-8", "replace")
    text = quote_from_bytes(octets, safe=_SAFE)
    return _ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(match: re.Match[str]) -> str:
    octet = int(match[1], 16)
    return chr(octet) if octet in _LITERAL else match[0].upper()


def _path_of(url: str) -> str:
    if "://" in url and not url.startswith("/"):
        rest = url.partition("://")[2]
        start = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
        url = rest[start:]
    url = url.partition("#")[0]
    return url if url.startswith("/") else "/" + url


def _delay_s(value: str) -> float:
    """Return the seconds of a `Crawl-delay`; 0 for what is no number."""
    match = _DELAY.match(value)
    return float(match[0]) if match else 0.0
