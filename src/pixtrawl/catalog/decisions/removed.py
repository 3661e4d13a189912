"""Images that were removed by a person's decision and can be restored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from msgspec import Struct

from pixtrawl.catalog.schema.states import REMOVED_OR_WANTED, SampleState
from pixtrawl.model import Reason

__all__ = ["RemovedImage", "every"]


class RemovedImage(Struct, frozen=True):
    """One removed image; `url` is the one that it was fetched from."""

    sample_id: int
    file_name: str
    label: str
    sha256: str
    url: str
    state: SampleState


def every(db: sqlite3.Connection) -> Iterator[RemovedImage]:
    """Yield images deleted, taken down, wanted back or refused, by label and number."""
    rows = db.execute(
        "SELECT s.id, s.file_name, s.label, lower(hex(s.sha256)), coalesce(c.fetched_url, c.url), "
        "s.state FROM sample s JOIN candidate c ON c.id = s.candidate_id "
        f"WHERE s.state IN {REMOVED_OR_WANTED} OR s.state = {SampleState.WITHDRAWN} "
        "AND s.withdrawn_for = ? ORDER BY s.label, s.number",
        (Reason.REFUSED_BY_PERSON.value,),
    )
    for sample_id, name, label, sha256, url, state in rows:
        yield RemovedImage(sample_id, name, label, sha256, url, SampleState(state))
