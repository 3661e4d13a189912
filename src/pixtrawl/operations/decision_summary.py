"""Name decisions in words: for the answer to an undo, in the shell, the page and for assistants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pixtrawl.folder.decisions.journal import DecisionRecord

__all__ = ["summarise"]

_SAID: Final = {
    "reject": "{images} rejected",
    "keep": "{images} kept",
    "restore": "{images} brought back",
    "take_back": "{copies} brought back",
    "label": "{images} put under {label}",
    "takedown": "{images} taken down",
    "forget": "{images} allowed again",
    "caption": "{captions} written",
}


def summarise(records: Sequence[DecisionRecord]) -> str:
    """Return what the decisions of one batch did, such as `3 images rejected`.

    Rules of a takedown are named, the images that a rule removed are not counted.

        >>> summarise([DecisionRecord(id="1", batch="b", at="", who="cli", action="reject")])
        '1 image rejected'
    """
    rules = [one for one in records if _is_rule(one)]
    parts = [f"rule of {one.kind} {one.value} {_rule_word(one)}" for one in rules]
    counts = Counter((one.action, one.label) for one in records if not _is_rule(one))
    for (action, label), n in counts.items():
        if action in _SAID:
            parts.append(_SAID[action].format(
                images=_counted(n, "image", "images"), copies=_counted(n, "copy", "copies"),
                captions=_counted(n, "caption", "captions"), label=label,
            ))  # fmt: skip
    return "; ".join(parts)


def _is_rule(record: DecisionRecord) -> bool:
    return bool(record.kind) and record.action in {"takedown", "forget"}


def _rule_word(record: DecisionRecord) -> str:
    return "added" if record.action == "takedown" else "forgotten"


def _counted(n: int, one: str, more: str) -> str:
    return f"{n:,} {one if n == 1 else more}"
