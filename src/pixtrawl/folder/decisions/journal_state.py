"""The state that the journal describes: which images are gone, and which rules hold.

Decisions that were undone are left out, and those that an undone undo brought back count again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from pixtrawl.folder.decisions.journal import BY_DECISION, FACTS, STEERING, DecisionRecord

__all__ = ["Gone", "JournalState", "state_after"]

DELETED: Final = "deleted"
REFUSED: Final = "refused"
TAKEN: Final = "taken"


class Gone(Struct):
    """An image that is not in the data set any more; `kind` is deleted, refused or taken."""

    kind: str
    sha256: str  # hexadecimal
    file_name: str
    query: str = ""
    url: str = ""
    because: str = ""  # taken: the rule
    record_id: str = ""  # the decision that removed it
    reason: str = ""  # refused: the person's words
    refill: bool = True


class JournalState(Struct):
    """The journal, read to its end."""

    gone: list[Gone] = field(default_factory=list)
    rules: dict[tuple[str, str], str] = field(default_factory=dict)  # (kind, value): decision
    aliases: dict[str, str] = field(default_factory=dict)  # renamed labels: old -> new
    moves: list[DecisionRecord] = field(default_factory=list)  # label decisions that hold
    holding: frozenset[str] = frozenset()  # ids of the decisions that hold


def state_after(records: Sequence[DecisionRecord]) -> JournalState:
    """Return the state of the data set after all these records."""
    active = _active_batches(records)
    found = JournalState()
    gone: dict[tuple[str, str], Gone] = {}
    cards: dict[str, DecisionRecord] = {}
    holding = set()
    for one in records:
        if one.action == "gone":
            cards[one.sha256] = one
        if one.action in FACTS:
            _take_fact(one, gone, found)
        elif one.action not in STEERING and one.action != "undo" and one.batch in active:
            holding.add(one.id)
            _take(one, gone, found)
    found.holding = frozenset(holding)
    found.gone = [_completed(one, cards) for one in gone.values() if _still(one, found)]
    for old, new in _renames(records, holding):
        found.aliases = {a: new if b == old else b for a, b in found.aliases.items() if a != new}
        found.aliases[old] = new
    return found


def _active_batches(records: Iterable[DecisionRecord]) -> set[str]:
    """Return the batches that are not undone."""
    active: set[str] = set()
    undid: dict[str, list[str]] = {}

    def switch(batch: str, *, on: bool) -> None:
        (active.add if on else active.discard)(batch)
        for other in undid.get(batch, ()):  # an undo that is undone lets its batch hold again
            switch(other, on=not on)

    for one in records:
        if one.action in STEERING or one.action in FACTS:
            continue
        if one.action != "undo":
            if one.batch not in undid:
                active.add(one.batch)
        elif one.undoes in active:
            switch(one.undoes, on=False)
            undid.setdefault(one.batch, []).append(one.undoes)
            active.add(one.batch)
    return active


def _take_fact(one: DecisionRecord, gone: dict[tuple[str, str], Gone], found: JournalState) -> None:
    key = _key(one)
    if one.action == "rule":
        found.rules[one.kind, one.value] = ""
    elif one.action == "back":
        _forget(gone, one.sha256)
    elif one.action == "gone" and one.value != BY_DECISION:
        gone[key] = Gone(
            one.kind, one.sha256, one.file_name, one.query, one.url, one.value,
            refill=one.refill, reason=one.reason,
        )  # fmt: skip


def _take(one: DecisionRecord, gone: dict[tuple[str, str], Gone], found: JournalState) -> None:
    if one.action == "reject":
        gone[_key(one)] = Gone(
            REFUSED, one.sha256, one.file_name, record_id=one.id, reason=one.reason,
            refill=one.refill,
        )  # fmt: skip
    elif one.action in {"keep", "restore"}:
        _forget(gone, one.sha256)
        if one.action == "restore":
            found.rules.pop(("sha256", one.sha256), None)
    elif one.action == "takedown" and one.kind:
        found.rules[one.kind, one.value] = one.id
    elif one.action == "takedown":
        gone[_key(one)] = Gone(
            TAKEN, one.sha256, one.file_name, because=f"file {one.file_name}", record_id=one.id
        )
    elif one.action == "forget":
        kind, value = (one.kind, one.value) if one.kind else ("sha256", one.sha256)
        found.rules.pop((kind, value), None)
        if kind == "sha256":
            _forget(gone, value)
    elif one.action == "label":
        found.moves.append(one)


def _still(one: Gone, found: JournalState) -> bool:
    """Return whether the removal of an image is in force: its takedown rule may be forgotten."""
    if one.kind != TAKEN or one.record_id or not one.because:
        return True
    kind, _, value = one.because.partition(" ")
    return (kind, value) in found.rules


def _completed(one: Gone, cards: dict[str, DecisionRecord]) -> Gone:
    """Add query and URL, which the fact behind a decision holds."""
    card = cards.get(one.sha256)
    if card is not None:
        one.query, one.url = one.query or card.query, one.url or card.url
    return one


def _renames(
    records: Iterable[DecisionRecord], holding: Iterable[str]
) -> Iterator[tuple[str, str]]:
    held = frozenset(holding)
    for one in records:
        by_command = one.action == "label" and not one.sha256 and one.id in held
        if by_command or one.action == "renamed":
            yield one.file_name, one.label


def _key(one: DecisionRecord) -> tuple[str, str]:
    return one.sha256, one.file_name.partition("/")[0]


def _forget(gone: dict[tuple[str, str], Gone], sha256: str) -> None:
    for key in [key for key in gone if key[0] == sha256]:
        del gone[key]
