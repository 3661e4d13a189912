"""The decision on one task, and its correction by later decisions of the same batch."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.catalog.relations import Withdrawal
from pixtrawl.model import Outcome, Reason, Task

__all__ = ["Decision", "note_superseded", "note_withdrawn"]


class Decision(Struct):
    """The final outcome of one task, and the changes to files that follow from it."""

    task: Task
    outcome: Outcome
    sample_id: int | None = None
    file_name: str | None = None
    number: int = 0  # of the image, where there is one
    gained: int = 0  # images added: 0 for a better copy, which replaces one
    distance: int | None = None
    withdrawn: list[Withdrawal] = field(default_factory=list)


def note_superseded(decisions: list[Decision]) -> None:
    """Mark images that a better copy of the same batch replaced: they are never put in place."""
    newest: dict[str, Decision] = {}
    for decision in decisions:
        if decision.outcome.reason is Reason.SAVED and decision.file_name is not None:
            place = decision.file_name.rpartition(".")[0]
            if (older := newest.get(place)) is not None:
                older.outcome = replace(older.outcome, reason=Reason.BETTER_COPY_KEPT)
                decision.gained, older.gained = decision.gained or older.gained, 0
            newest[place] = decision


def note_withdrawn(decisions: list[Decision]) -> None:
    """Mark images that the same batch withdrew: they are never put in place."""
    saved = {d.sample_id: d for d in decisions if d.outcome.reason is Reason.SAVED}
    for decision in decisions:
        for withdrawal in list(decision.withdrawn):
            own = saved.get(withdrawal.sample_id)
            if own is None:
                continue
            own.outcome = replace(own.outcome, reason=withdrawal.reason)
            if own.gained:
                own.gained = 0
                decision.withdrawn.remove(withdrawal)
