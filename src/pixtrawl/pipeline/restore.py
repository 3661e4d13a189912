"""Removed images brought back: deleted by hand, dropped as copies, taken down."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from pixtrawl.catalog import takedown, wanted_back
from pixtrawl.catalog.takedown import Rule
from pixtrawl.errors import UsageError
from pixtrawl.folder import derived
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.pipeline import curate
from pixtrawl.pipeline.opened import looked_at, opened, relative

__all__ = ["Removed", "Restored", "Wanted", "removed", "restore", "undo_takedown"]


class Wanted(Struct, frozen=True):
    """What is to come back; nothing named: all that was deleted by hand."""

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.names or self.labels or self.sha256 or self.urls)


class Removed(Struct, frozen=True):
    """An image that could come back."""

    sample_id: int
    file_name: str
    label: str
    sha256: str
    url: str
    how: str  # "deleted", "taken down", "wanted back"


class Restored(Struct, frozen=True):
    """What came back at once, and what the next run fetches."""

    files: tuple[str, ...]
    to_fetch: tuple[Removed, ...]


_HOW = {2: "deleted", 4: "taken down", 7: "wanted back"}


def removed(folder: Folder) -> list[Removed]:
    """Every image that was deleted by hand or taken down. Raises UsageError, StorageError."""
    with looked_at(folder) as db:
        return list(_removed(db))


def _removed(db: sqlite3.Connection) -> Iterable[Removed]:
    rows = db.execute(
        "SELECT s.id, s.file_name, s.label, lower(hex(s.sha256)), coalesce(c.fetched_url, c.url), "
        "s.state FROM sample s JOIN candidate c ON c.id = s.candidate_id "
        "WHERE s.state IN (2, 4, 7) ORDER BY s.label, s.number"
    )
    for sample_id, name, label, sha256, url, state in rows:
        yield Removed(sample_id, name, label, sha256, url, _HOW[state])


async def restore(folder: Folder, wanted: Wanted) -> Restored:
    """Brings images back: from what was kept aside, else by the next run.

    Raises:
        UsageError: something was never removed, or is held by a rule of `takedown`.
        StorageError: a run is at work on the data set.
    """
    known = [one for one in removed(folder) if one.how != "wanted back"]
    chosen, aside = _choose(folder, known, wanted)
    files = await curate.take_back(folder, aside) if aside else []
    with opened(folder) as catalog:
        catalog.write_now(lambda db: _open_again(db, chosen))
        catalog.write_now(lambda db: derived.write_all(db, folder))
    return Restored(tuple(files), tuple(chosen))


def _choose(
    folder: Folder, known: Sequence[Removed], wanted: Wanted
) -> tuple[list[Removed], list[str]]:
    if not wanted.anything:
        return [one for one in known if one.how == "deleted"], []
    chosen: dict[int, Removed] = {}
    aside: list[str] = []
    copies = {one.sha256: one for one in curate.copies(folder) if one.aside is not None}
    for kind, values in (
        ("name", wanted.names), ("label", wanted.labels), ("sha256", wanted.sha256),
        ("url", wanted.urls),
    ):  # fmt: skip
        for value in values:
            found = [one for one in known if _is_meant(folder, one, kind, value)]
            copy = [
                sha for sha, one in copies.items()
                if (kind == "sha256" and sha.startswith(value.lower()))
                or (kind == "url" and one.url == value)
                or (kind == "name" and one.aside is not None and one.aside.name == Path(value).name)
            ]  # fmt: skip
            if not found and not copy:
                raise UsageError(
                    f"{value}: nothing of this was removed (see `pixtrawl restore "
                    f"{folder.shown} --list`; copies: `pixtrawl dedup {folder.shown}`)"
                )
            chosen |= {one.sample_id: one for one in found}
            aside += copy if not found else []
    return list(chosen.values()), aside


def _is_meant(folder: Folder, one: Removed, kind: str, value: str) -> bool:
    if kind == "name":
        name = relative(folder, value).rstrip("/")
        return one.file_name == name or (one.label == name and one.how == "deleted")
    if kind == "label":
        return one.label == value and one.how == "deleted"
    return one.sha256.startswith(value.lower()) if kind == "sha256" else one.url == value


def _open_again(db: sqlite3.Connection, chosen: Sequence[Removed]) -> None:
    down = [one for one in chosen if one.how == "taken down"]
    takedown.forget(db, [Rule("sha256", one.sha256) for one in down])
    still = takedown.held(db, [one.sample_id for one in down])
    if still:
        name, why = still[0]
        raise UsageError(f"{name} is held by a rule ({why}): `pixtrawl takedown DIR --undo` it")
    wanted_back.want_back(db, [one.sample_id for one in chosen])


def undo_takedown(folder: Folder, rules: Sequence[Rule], names: Sequence[str]) -> list[Removed]:
    """Forgets rules, and what they alone removed comes back by the next run.

    Raises UsageError for a rule or file that was not taken down, StorageError.
    """
    with opened(folder) as catalog:

        def write(db: sqlite3.Connection) -> list[Removed]:
            down = {one.file_name: one for one in _removed(db) if one.how == "taken down"}
            gone = list(rules)
            for name in names:
                own = relative(folder, name)
                if own not in down:
                    raise UsageError(f"{name}: was not taken down")
                gone.append(Rule("sha256", down[own].sha256))
            free = set(takedown.forget(db, gone, strict=True))
            back = [one for one in down.values() if one.sample_id in free]
            wanted_back.want_back(db, [one.sample_id for one in back])
            return back

        back = catalog.write_now(write)
        catalog.write_now(lambda db: derived.write_all(db, folder))
        return back
