"""Facts for the journal: which images left the data set, as far as a lost catalog would forget it.

Images are looked up by their file names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from pixtrawl.catalog.decisions import departed, takedown
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.folder.decisions.journal_state import state_after

__all__ = ["gone", "write_down"]


def gone(
    db: sqlite3.Connection, names: Iterable[str], *, kind: str, cause: str = ""
) -> Iterator[DecisionRecord]:
    """Yield a fact for each image that has one of these file names.

    `kind` is deleted, refused or taken; `cause` is the rule that took it down, as
    `domain a.example`.
    """
    for name in names:
        one = departed.named(db, name)
        if one is not None:
            yield _fact(one, kind, cause)


def _fact(one: departed.Departed, kind: str, cause: str) -> DecisionRecord:
    return journal.fact(
        "gone", kind=kind, value=cause, sha256=one.sha256, file_name=one.file_name,
        query=one.query, url=one.url,
    )  # fmt: skip


def write_down(db: sqlite3.Connection, folder: Folder) -> None:
    """Write the removed images and rules of the catalog that the journal lacks to it.

    For what came in without a decision here: from another data set, or an older version. Raise
    StorageError.
    """
    known = state_after(journal.read(folder).records)
    gone_before = {(one.sha256, one.file_name) for one in known.gone}
    facts = [
        journal.fact("rule", kind=rule.kind, value=rule.value)
        for rule in takedown.load(db).rules
        if (rule.kind, rule.value) not in known.rules
    ]
    facts += [
        _fact(one, one.kind, "")
        for one in departed.every(db)
        if (one.sha256, one.file_name) not in gone_before
    ]
    journal.append_facts(db, folder, facts)
