"""Robots exclusion: robots.txt (RFC 9309) and the directives of `X-Robots-Tag`. Pure.

Where RFC 9309 leaves room, this follows Google's published parser: blank and unknown lines are
ignored, common misspellings count, a line is read up to 16,664 bytes. Matching searches for the
parts between `*` one after the other, without backtracking, so that no rule can make it slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_from_bytes

from msgspec import Struct, field

__all__ = ["PRODUCT_TOKEN", "ROBOTS_MAX_BYTES", "RobotsRules", "opts_out", "parse_robots"]

PRODUCT_TOKEN: Final = "pixtrawl"  # noqa: S105 - the name in User-agent lines, no secret
ROBOTS_MAX_BYTES: Final = 500 * 1024  # RFC 9309 2.5: at least so much is parsed

_MAX_LINE: Final = 2083 * 8
_AGENT_KEYS: Final = frozenset({"user-agent", "useragent", "user agent"})
_DISALLOW_KEYS: Final = frozenset({
    "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw",
})  # fmt: skip
_NO_COLON: Final = re.compile(r"(user[- ]?agent|allow|dis+al+ow)(?:\s+(.*))?", re.IGNORECASE)
_OTHER_RECORDS: Final = frozenset({"", "sitemap", "host", "crawl-delay"})
# Characters that compare equal whether plain or escaped: unreserved and reserved ones (RFC 9309
# 2.2.2), including `$` and `*`, so that `%24` and `%2A` are literal. `/`, `?` and `#` delimit parts
# of a URL and differ from `%2F`, `%3F` and `%23`.
_LITERAL: Final = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~$*:[]@!&'()+,;="
)
_SAFE: Final = bytes(_LITERAL) + b"/?#%"
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")


def _normal(text: str) -> str:
    """Normalise a rule or path: upper-case escapes, needless ones decoded, all else escaped.

    Bytes of a rule that are not UTF-8 are escaped one by one.
    """
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        octets = text.encode("utf-8", "replace")
    text = quote_from_bytes(octets, safe=_SAFE)
    return _ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(match: re.Match[str]) -> str:
    octet = int(match[1], 16)
    return chr(octet) if octet in _LITERAL else match[0].upper()


class _Rule(Struct, frozen=True):
    """One allow or disallow line; the longest match wins, allow on a tie."""

    allow: bool
    length: int
    parts: tuple[str, ...]  # between the wildcards
    anchored: bool  # the pattern ends with $

    @classmethod
    def parse(cls, allow: bool, pattern: str) -> _Rule:
        if not pattern.startswith(("/", "*")):
            pattern = "/" + pattern
        anchored = pattern.endswith("$")
        body = pattern.removesuffix("$")
        return cls(allow, len(pattern), tuple(map(_normal, body.split("*"))), anchored)

    def matches(self, path: str) -> bool:
        if not self.anchored:
            return _find(self.parts, path) is not None
        # Be careful: a path that itself contains the dollar matches too.
        literal = (*self.parts[:-1], self.parts[-1] + "$")
        return _matches_whole(self.parts, path) or _find(literal, path) is not None


def _find(parts: tuple[str, ...], path: str) -> int | None:
    """Return the end of the last part where all occur in order, the first at the start."""
    if not path.startswith(parts[0]):
        return None
    at = len(parts[0])
    for part in parts[1:]:
        found = path.find(part, at)
        if found < 0:
            return None
        at = found + len(part)
    return at


def _matches_whole(parts: tuple[str, ...], path: str) -> bool:
    if len(parts) == 1:
        return path == parts[0]
    at = _find(parts[:-1], path)
    return at is not None and path.endswith(parts[-1]) and len(path) - len(parts[-1]) >= at


class RobotsRules(Struct, frozen=True):
    """The parsed rules of one robots.txt, by agent."""

    groups: dict[str, list[_Rule]] = field(default_factory=dict)  # "*" is everyone

    def allows(self, url: str, agent: str = PRODUCT_TOKEN) -> bool:
        """Return whether `agent` may fetch this URL or path. All groups that name it are merged."""
        rules = self.groups.get(agent.strip().lower(), self.groups.get("*", []))
        if not rules:
            return True
        path = _normal(_path_of(url))
        if path == "/robots.txt":
            return True
        best: _Rule | None = None
        for rule in rules:
            longer = best is None or (rule.length, rule.allow) > (best.length, best.allow)
            if longer and rule.matches(path):
                best = rule
        return best is None or best.allow


def _path_of(url: str) -> str:
    if "://" in url and not url.startswith("/"):
        rest = url.partition("://")[2]
        start = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
        url = rest[start:]
    url = url.partition("#")[0]
    return url if url.startswith("/") else "/" + url


def parse_robots(content: bytes | str) -> RobotsRules:
    """Parse any bytes; lines that are no rule are ignored."""
    if isinstance(content, bytes):
        content = content[:ROBOTS_MAX_BYTES].decode("utf-8", "surrogateescape")
    rules = RobotsRules()
    current: list[list[_Rule]] = []
    in_agents = False
    for line in re.split(r"\r\n|\r|\n", content.removeprefix("\ufeff")):
        key, value = _key_value(line[:_MAX_LINE])
        if key in _AGENT_KEYS:
            if not in_agents:
                current = []
            in_agents = True
            current.append(rules.groups.setdefault(_agent(value), []))
        elif key == "allow" or key in _DISALLOW_KEYS:
            in_agents = False
            if value:
                # Browsers treat a backslash in a URL as a slash; the rule may mean either.
                for form in dict.fromkeys((value, value.replace("\\", "/"))):
                    rule = _Rule.parse(key == "allow", form)
                    for group in current:
                        group.append(rule)
        elif key not in _OTHER_RECORDS:
            in_agents = False
    return rules


def _key_value(line: str) -> tuple[str, str]:
    line = line.partition("#")[0].strip()
    key, colon, value = line.partition(":")
    if not colon:
        match = _NO_COLON.fullmatch(line)
        if match is None:
            return "", ""
        key, value = match[1], match[2] or ""
    return key.strip().lower(), value.strip()


def _agent(value: str) -> str:
    """Return the product token: `FooBot/1.2 (x)` is foobot; `*` and `* ...` are everyone."""
    words = value.lower().split()
    return words[0].partition("/")[0] if words else ""


_OPT_OUT: Final = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_WITH_VALUE: Final = frozenset({
    "unavailable_after", "max-snippet", "max-image-preview", "max-video-preview",
})  # fmt: skip


def opts_out(values: Iterable[str], agent: str | None = PRODUCT_TOKEN) -> str:
    """Return the directive by which a picture opts out, or an empty string.

    Args:
        values: one for each `X-Robots-Tag` header (or robots meta element).
        agent: our product token; directives scoped to another agent are ignored.
    """
    for value in values:
        scope = ""
        for part in value.split(","):
            name, colon, rest = part.partition(":")
            directive = name.strip().lower()
            if colon and directive not in _WITH_VALUE:
                scope, directive = directive, rest.strip().lower()
            if directive in _OPT_OUT and scope in {"", "*", agent}:
                return directive
    return ""
