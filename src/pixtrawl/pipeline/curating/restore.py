"""Restores removed images: deleted by hand, refused, dropped as copies or taken down."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.decisions import removed as removed_rows, takedown
from pixtrawl.catalog.decisions.takedown import Rule, TakenDown
from pixtrawl.catalog.schema.states import SampleState, any_of
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.pipeline.curating import curate
from pixtrawl.pipeline.curating.deciding import Who, record
from pixtrawl.pipeline.finished.opened import looked_at, relative

__all__ = ["RestorableImage", "Restored", "Wanted", "removed", "restore", "undo_takedown"]


class Wanted(Struct, frozen=True):
    """The images to restore; if empty, all that were deleted by hand."""

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.names or self.labels or self.sha256 or self.urls)


class RestorableImage(Struct, frozen=True):
    """A removed image that can be restored."""

    sample_id: int
    file_name: str
    label: str
    sha256: str
    url: str
    how: str  # "deleted", "taken down", "refused", "wanted back"


class Restored(Struct, frozen=True):
    """The files restored at once, and the images that the next run fetches."""

    files: tuple[str, ...]
    to_fetch: tuple[RestorableImage, ...]


_HOW: Final = {
    SampleState.DELETED_BY_HAND: "deleted",
    SampleState.TAKEN_DOWN: "taken down",
    SampleState.WITHDRAWN: "refused",
    SampleState.WANTED_BACK: "wanted back",
}


def removed(folder: Folder) -> list[RestorableImage]:
    """Return every image that was removed. Raise UsageError or StorageError."""
    with looked_at(folder) as db:
        return list(_removed(db))


def _removed(db: sqlite3.Connection) -> Iterable[RestorableImage]:
    for one in removed_rows.every(db):
        yield RestorableImage(
            one.sample_id, one.file_name, one.label, one.sha256, one.url, _HOW[one.state]
        )


async def restore(folder: Folder, wanted: Wanted, *, who: Who = "cli") -> Restored:
    """Restore images from quarantine, or mark them for the next run to fetch.

    Raises:
        UsageError: an image was never removed, or a rule of `takedown` applies to it.
        StorageError: a dropped copy cannot be restored while a run is in progress.
    """
    known = [one for one in removed(folder) if one.how != "wanted back"]
    chosen, aside = _choose(folder, known, wanted)
    _refuse_held(folder, chosen)
    files = await curate.take_back(folder, aside, who=who) if aside else []
    batch = journal.new_id()
    done = record(
        folder,
        [
            journal.record(who, "restore", batch, sha256=one.sha256, file_name=one.file_name)
            for one in chosen
        ],
    )
    back = {one.record.file_name: name for one in done.effects for _, name in one.names if name}
    if done.by_run:  # the run restores refused images; the next run fetches the rest
        back = {one.file_name: one.file_name for one in chosen if one.how == "refused"}
    to_fetch = tuple(one for one in chosen if one.file_name not in back)
    return Restored((*files, *back.values()), to_fetch)


def _choose(
    folder: Folder, known: Sequence[RestorableImage], wanted: Wanted
) -> tuple[list[RestorableImage], list[str]]:
    if not wanted.anything:
        return [one for one in known if one.how == "deleted"], []
    chosen: dict[int, RestorableImage] = {}
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


def _is_meant(folder: Folder, one: RestorableImage, kind: str, value: str) -> bool:
    if kind == "name":
        name = relative(folder, value).rstrip("/")
        return one.file_name == name or (one.label == name and one.how == "deleted")
    if kind == "label":
        return one.label == value and one.how == "deleted"
    return one.sha256.startswith(value.lower()) if kind == "sha256" else one.url == value


def _refuse_held(folder: Folder, chosen: Sequence[RestorableImage]) -> None:
    """Raise UsageError if a takedown rule other than that of its own bytes matches an image."""
    for one in chosen:
        if one.how != "taken down":
            continue
        with looked_at(folder) as db:
            others = [
                rule
                for rule in takedown.load(db).rules
                if (rule.kind, rule.value) != ("sha256", one.sha256)
            ]
            found = takedown.matching(db, TakenDown(others), states=any_of(SampleState.TAKEN_DOWN))
            why = next((held.why for held in found if held.sample_id == one.sample_id), None)
        if why is not None:
            raise UsageError(
                f"{one.file_name} is held by a rule ({why}): `pixtrawl takedown DIR --undo` it"
            )


def undo_takedown(
    folder: Folder, rules: Sequence[Rule], names: Sequence[str], *, who: Who = "cli"
) -> list[RestorableImage]:
    """Delete takedown rules; the next run fetches the images that only they removed.

    Return those images; empty while a run is in progress, which then carries this out.

    Raise UsageError for a rule or file that was not taken down; StorageError.
    """
    batch = journal.new_id()
    with looked_at(folder) as db:
        down = {one.file_name: one for one in _removed(db) if one.how == "taken down"}
        known = {(rule.kind, rule.value) for rule in takedown.load(db).rules}
    records = []
    for rule in rules:
        if (rule.kind, rule.value) not in known:
            raise UsageError(f"{rule.kind} {rule.value}: no such rule (see `takedown DIR --list`)")
        records.append(journal.record(who, "forget", batch, kind=rule.kind, value=rule.value))
    for name in names:
        own = relative(folder, name)
        if own not in down:
            raise UsageError(f"{name}: was not taken down")
        sha256 = down[own].sha256
        records.append(journal.record(who, "forget", batch, sha256=sha256, file_name=own))
    done = record(folder, records)
    free = {sample_id for effect in done.effects for sample_id in effect.samples}
    return [one for one in down.values() if one.sample_id in free]
