"""Robots exclusion: robots.txt (RFC 9309) and the directives of `X-Robots-Tag`. Pure.

Where RFC 9309 leaves room, this follows Google's published parser: blank and unknown lines are
ignored, common misspellings count, a line is read up to 16,664 bytes. A parsed file is lists of
lines; only the lines of the group asked for become rules (`net.robots.rules`), so that a file
which names ten thousand agents over ten thousand rules costs no more than its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from msgspec import Struct, field

from pixtrawl.net.robots.rules import AgentRules, Line
from pixtrawl.preferences.vocabulary import ROBOTS_KEYS

__all__ = ["PRODUCT_TOKEN", "ROBOTS_MAX_BYTES", "RobotsRules", "opts_out", "parse_robots"]

PRODUCT_TOKEN: Final = "pixtrawl"  # noqa: S105 - the name in User-agent lines, no secret
ROBOTS_MAX_BYTES: Final = 500 * 1024  # RFC 9309 2.5: at least so much is parsed

_MAX_LINE: Final = 2083 * 8
_AGENT_KEYS: Final = frozenset({"user-agent", "useragent", "user agent"})
_DISALLOW_KEYS: Final = frozenset({
    "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw",
})  # fmt: skip
_NO_COLON: Final = re.compile(r"(user[- ]?agent|allow|dis+al+ow)(?:\s+(.*))?", re.IGNORECASE)
# Lines of a group that are no rules but hold for its agents; any other line is ignored.
_RECORDS: Final = frozenset({"crawl-delay", *ROBOTS_KEYS})
_ALL: Final = "*"


class _Block(Struct):
    """Lines below one run of `User-agent` lines, which share their rules."""

    agents: list[str] = field(default_factory=list)
    rules: list[Line] = field(default_factory=list)
    # A record between two `User-agent` lines holds for the agents above it only, as its author
    # means it: how many these are. (Rules hold for all of them: RFC 9309 2.2.4.)
    records: list[tuple[int, Line]] = field(default_factory=list)


class RobotsRules(Struct, frozen=True):
    """The lines of one robots.txt, by the agents they are for."""

    blocks: list[_Block] = field(default_factory=list)
    # Preferences before the first group are for no agent by RFC 9309; they are taken as addressed
    # to everyone, since their author meant somebody.
    ungrouped: list[Line] = field(default_factory=list)

    def of(self, agent: str = PRODUCT_TOKEN) -> AgentRules:
        """Return the rules for `agent`: of all groups that name it, else of everyone's."""
        agent = agent.strip().lower()
        mine = [block for block in self.blocks if agent in block.agents]
        if not mine:
            agent = _ALL
            mine = [block for block in self.blocks if _ALL in block.agents]
        return AgentRules.of(
            (line for block in mine for line in block.rules),
            chain(self.ungrouped, (line for block in mine for line in _records_of(block, agent))),
        )

    def allows(self, url: str, agent: str = PRODUCT_TOKEN) -> bool:
        """Return whether `agent` may fetch this URL or path. All groups that name it are merged."""
        return self.of(agent).allows(url)


def _records_of(block: _Block, agent: str) -> Iterator[Line]:
    first = block.agents.index(agent)
    return (line for above, line in block.records if first < above)


def parse_robots(content: bytes | str) -> RobotsRules:
    """Parse any bytes; lines that are no rule are ignored."""
    if isinstance(content, bytes):
        content = content[:ROBOTS_MAX_BYTES].decode("utf-8", "surrogateescape")
    blocks: list[_Block] = []
    block = before = _Block()  # of lines before the first group: they are for nobody
    in_agents = False
    for line in re.split(r"\r\n|\r|\n", content.removeprefix("\ufeff")):
        key, value = _key_value(line[:_MAX_LINE])
        if key in _AGENT_KEYS:
            if not in_agents:
                block = _Block()
                blocks.append(block)
            in_agents = True
            block.agents.append(_agent(value))
        elif key == "allow" or key in _DISALLOW_KEYS:
            in_agents = False
            if value:
                block.rules.append(("allow" if key == "allow" else "disallow", value))
        elif key in _RECORDS:
            block.records.append((len(block.agents), (key, value)))
    ungrouped = [line for _, line in before.records if line[0] in ROBOTS_KEYS]
    return RobotsRules(blocks, ungrouped)


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
    words = value.lower().split(None, 1)
    return words[0].partition("/")[0] if words else ""


_OPT_OUT: Final = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_WITH_VALUE: Final = frozenset({
    "unavailable_after", "max-snippet", "max-image-preview", "max-video-preview",
})  # fmt: skip


_FOR_TRAINING: Final = frozenset({"noai", "noimageai"})


def opts_out(
    values: Iterable[str], agent: str | None = PRODUCT_TOKEN, *, purpose: str = "train"
) -> str:
    """Return the directive by which a picture opts out, or an empty string.

    Args:
        values: one for each `X-Robots-Tag` header (or robots meta element).
        agent: our product token; directives scoped to another agent are ignored.
        purpose: of the run; `noai` and `noimageai` concern `train` alone.
    """
    opting_out = _OPT_OUT if purpose == "train" else _OPT_OUT - _FOR_TRAINING
    for value in values:
        scope = ""
        for part in value.split(","):
            name, colon, rest = part.partition(":")
            directive = name.strip().lower()
            if colon and directive not in _WITH_VALUE:
                scope, directive = directive, rest.strip().lower()
            if directive in opting_out and scope in {"", "*", agent}:
                return directive
    return ""
