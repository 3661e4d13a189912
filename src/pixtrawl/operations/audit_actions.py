"""Commands that act on the findings of a class check, each with the images that it is about.

By looks nothing is offered for doubts: most of those are mistaken.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.views import counts as look_counts
from pixtrawl.scoring.classes.check import Doubt, SmallLabel

__all__ = ["Action", "doubt_actions", "merge_command", "query_texts", "refill_command"]

_MOST_FILES: Final = 12  # in one command


class Action(Struct, frozen=True):
    """Doubts with one remedy: images that are like one label, or like none (`""`)."""

    like: str
    doubts: tuple[Doubt, ...]
    command: str  # "" where there is none to advise


def doubt_actions(by: str, doubts: Sequence[Doubt], where: str) -> list[Action]:
    """Return the doubts by what they are like, at most twelve together, the surest first.

    Args:
        by: what the check was made by: `embedding` or `look`.
        doubts: the surest first.
        where: the data set, as the user named it.
    """
    groups: dict[str, list[Doubt]] = defaultdict(list)
    for one in doubts:
        groups[one.like].append(one)
    found = []
    for like, own in groups.items():
        for at in range(0, len(own), _MOST_FILES):
            some = tuple(own[at : at + _MOST_FILES])
            command = _command(like, some, where) if by == "embedding" else ""
            found.append(Action(like, some, command))
    return found


def _command(like: str, doubts: Sequence[Doubt], where: str) -> str:
    files = [one.file_name for one in doubts]
    if like:
        return _line("label", where, *files, to=like)
    return _line("reject", where, *files)


def merge_command(labels: tuple[str, str], sizes: Mapping[str, int], where: str) -> str:
    """Return the command that puts the smaller one of two labels under the other."""
    less, more = sorted(labels, key=lambda one: (sizes.get(one, 0), one))
    return _line("label", where, less, to=more)


def refill_command(small: SmallLabel, texts: Mapping[str, str], where: str) -> str:
    """Return the command that looks for more images of a label.

    Args:
        small: the label, and how many images the others have.
        texts: the query of each label that has one.
        where: the data set, as the user named it.
    """
    text = texts.get(small.label, small.label)
    own = [] if text == small.label else ["--label", small.label]
    return shlex.join(["pixtrawl", "run", text, *own, "-n", str(small.median), "-o", where])


def _line(command: str, where: str, *files: str, to: str = "") -> str:
    moved = ["--to", to] if to else []
    return shlex.join(["pixtrawl", command, where, *files, *moved])


def query_texts(db: sqlite3.Connection) -> dict[str, str]:
    """Return the query of each label; of several the first."""
    found: dict[str, str] = {}
    for one in look_counts.query_counts(db):
        found.setdefault(one.label, one.text)
    return found
