"""What the judge decides of one task, and what later decisions of the same batch make of it."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.catalog.relations import Withdrawal
from pixtrawl.model import Outcome, Reason, Task

__all__ = ["Decision", "note_superseded", "note_withdrawn"]


class Decision(Struct):
    """The final word on one task, and what has to happen to files because of it."""

    task: Task
    outcome: Outcome
    sample_id: int | None = None
    file_name: str | None = None
    number: int = 0  # of the image, where there is one
    gained: int = 0  # 1: one image more; 0 for a better copy, which replaces one
    distance: int | None = None
    withdrawn: list[Withdrawal] = field(default_factory=list)


def note_superseded(decisions: list[Decision]) -> None:
    """An image that a better copy replaced within its own batch is never put in place."""
    newest: dict[str, Decision] = {}
    for decision in decisions:
        if decision.outcome.reason is Reason.SAVED and decision.file_name is not None:
            place = decision.file_name.rpartition(".")[0]
            if (older := newest.get(place)) is not None:
                older.outcome = replace(older.outcome, reason=Reason.BETTER_COPY_KEPT)
                decision.gained, older.gained = decision.gained or older.gained, 0
            newest[place] = decision


def note_withdrawn(decisions: list[Decision]) -> None:
    """Neither is one that was withdrawn within its own batch."""
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
