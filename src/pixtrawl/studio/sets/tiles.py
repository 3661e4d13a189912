"""The tiles of images and candidates: what the page shows of each without its details."""

from __future__ import annotations

from typing import Any, Final, Literal

from pixtrawl.catalog.schema.states import KEPT_STATES, SampleState
from pixtrawl.catalog.views.rows import NEVER_SHOWN, LookRow
from pixtrawl.model import Reason
from pixtrawl.studio.messages import LookItem
from pixtrawl.studio.sets.views import image_ref

__all__ = ["RESTORABLE", "candidate_item", "sample_item"]

_MOST_TITLE: Final = 300  # characters of a tile; the details have all
# What a person may bring back: the file is kept aside, or the next run fetches it.
RESTORABLE: Final = frozenset(
    {
        Reason.SAME_PICTURE, Reason.BETTER_COPY_KEPT, Reason.PLACEHOLDER, Reason.LABEL_CONFLICT,
        Reason.REFUSED_BY_PERSON, Reason.REMOVED_BY_USER,
    }
)  # fmt: skip


def sample_item(row: LookRow, by_hand: bool) -> LookItem:
    """Return the tile of an image."""
    decision: Literal["keep", "reject"] | None = "keep" if by_hand else None
    more: dict[str, Any] = {}
    if row.state not in KEPT_STATES:
        decision = "reject" if row.reason == Reason.REFUSED_BY_PERSON else None
        gone = row.reason or (row.state.name.lower() if row.state is not None else "")
        more = {"reason": gone, "detail": row.detail}
    if row.title:
        more["title"] = row.title[:_MOST_TITLE]
    hidden = row.state is SampleState.TAKEN_DOWN or row.reason in NEVER_SHOWN
    return LookItem(
        id=image_ref(row.id), n=row.number, label=row.label, name=row.file_name, w=row.width,
        h=row.height, decision=decision, src_host=row.host, licence=row.licence,
        v="" if hidden else row.sha256[:16], **more,
    )  # fmt: skip


def candidate_item(row: LookRow) -> LookItem:
    """Return the tile of a candidate that was not kept."""
    shown = bool(row.sha256) and row.reason not in NEVER_SHOWN
    return LookItem(
        id=f"c{row.id}", n=None, label=row.label, name="", w=row.width, h=row.height, decision=None,
        src_host=row.host, licence=row.licence, v=row.sha256[:16] if shown else "",
        reason=row.reason, detail=row.detail, title=row.title[:_MOST_TITLE],
        restorable=row.reason in RESTORABLE,
    )  # fmt: skip
