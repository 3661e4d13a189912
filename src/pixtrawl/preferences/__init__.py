"""Owners' statements on the use of their pictures for training and for search.

Each statement is read for both purposes, whatever the purpose of the run: it is kept as evidence
with the image. One "no" for the purpose of the run is enough to leave the image out, whoever says
it and wherever it stands; a "yes" elsewhere does not outweigh it. Pure.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, ValidationError, convert, to_builtins

__all__ = [
    "KEY", "PURPOSES", "PreferencePolicy", "Says", "Statement", "cut", "evidence",
    "evidence_text", "now_utc", "says_in", "statements_of",
]  # fmt: skip

PURPOSES: Final = ("train", "search")
KEY: Final = "ai_preferences"  # in `Outcome.rights` and `Sample.rights`, and the metadata's column
_MAX_TEXT: Final = 300
_MAX_KEPT: Final = 16  # statements for one image


class Says(StrEnum):
    """The answer of a statement to one use."""

    NO = "no"
    YES = "yes"
    UNSET = "unset"  # it says something else, or nothing clear


class Statement(Struct, frozen=True, kw_only=True):
    """One statement of an owner."""

    source: str  # robots | header | tdmrep | meta | xmp | c2pa; page header: header of its page
    name: str  # Content-Signal, tdm-reservation, plus:DataMining ...
    text: str  # as it stands there, cut at 300 characters
    train: Says = Says.UNSET
    search: Says = Says.UNSET
    at: str = ""  # when it was heard: ISO 8601, UTC

    def says(self, purpose: str) -> Says:
        return self.search if purpose == "search" else self.train

    def __str__(self) -> str:
        return f"{self.source}: {self.name}: {self.text}"


class PreferencePolicy(Struct, frozen=True):
    """The purpose of a run, and whether the user overrides what owners say of it."""

    purpose: str = PURPOSES[0]
    ignored: bool = False

    def objection(self, statements: Iterable[Statement]) -> Statement | None:
        """Return the first statement that says no to the purpose; None where they are ignored."""
        if self.ignored:
            return None
        return next((one for one in statements if one.says(self.purpose) is Says.NO), None)


def now_utc() -> str:
    """Return the time in UTC, to the second, as ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def cut(text: str) -> str:
    """Return a statement's text on one line, printable and bounded."""
    shown = "".join(char if char.isprintable() else " " for char in text[: 2 * _MAX_TEXT])
    return " ".join(shown.split())[:_MAX_TEXT]


def evidence(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """Return statements as plain values for `Outcome.rights`, each once; the noes are never cut."""
    noes = [one for one in statements if Says.NO in (one.train, one.search)]
    others = [one for one in statements if one not in noes]
    return [to_builtins(one) for one in dict.fromkeys([*noes, *others])][:_MAX_KEPT]


def evidence_text(statements: Sequence[Statement]) -> str | None:
    """Return `evidence` as JSON text for a candidate; None where nobody said anything."""
    return json.dumps(evidence(statements), ensure_ascii=False) if statements else None


def statements_of(text: str | None) -> list[Statement]:
    """Return the statements of `evidence_text`; none of a text that is no such JSON."""
    try:
        return convert(json.loads(text or "[]"), list[Statement])
    except (ValueError, ValidationError):
        return []


def says_in(kept: object, purpose: str) -> Says | None:
    """Return what the evidence kept with an image says in all; None where nobody said anything.

    Args:
        kept: `rights[KEY]`, or its JSON text in metadata.jsonl and exports.
        purpose: one of `PURPOSES`.
    """
    if isinstance(kept, str):
        try:
            kept = json.loads(kept or "[]")
        except ValueError:
            return None
    found = [one.get(purpose) for one in _rows(kept)]
    if not found:
        return None
    return next((word for word in (Says.NO, Says.YES) if word in found), Says.UNSET)


def _rows(kept: object) -> list[Mapping[str, object]]:
    return [one for one in kept if isinstance(one, Mapping)] if isinstance(kept, Sequence) else []
