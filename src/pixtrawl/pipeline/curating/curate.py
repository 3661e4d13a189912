"""Decisions of a person on a finished data set: take images down, restore near duplicates.

Changes open the data set as a run does (lock, catalog, recovery) and write the files derived from
the catalog anew. Reading needs no lock.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from pixtrawl.catalog import copies as dropped, copy_rows, kept, relations
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.decisions.takedown import Rule, Taken, TakenDown
from pixtrawl.config.groups import Images
from pixtrawl.errors import UsageError
from pixtrawl.folder import quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.pipeline.copy_back import add_row, decoded
from pixtrawl.pipeline.curating.deciding import Who, record
from pixtrawl.pipeline.finished.opened import looked_at, opened, relative

__all__ = ["Copy", "Remembered", "copies", "prepare", "rules_of", "take_back", "take_down"]


# -- taking down


class Remembered(Struct, frozen=True):
    """A takedown rule and the number of images that it removed."""

    rule: Rule
    removed: int
    because: tuple[str, ...] = ()  # for a SHA-256: other rules and named files that it came from


def rules_of(folder: Folder) -> list[Remembered]:
    """Return all takedown rules of a data set. Raise UsageError where there is none."""
    with looked_at(folder) as db:
        rules = takedown.load(db).rules
        try:
            causes = takedown.causes(db)
        except sqlite3.OperationalError:  # a catalog of an older version, on a read-only medium
            causes = {}
        down = takedown.digests_removed(db)
    found = []
    for rule in rules:
        name = f"{rule.kind} {rule.value}"
        removed = sum(name in because for because in causes.values())
        because = tuple(one for one in causes.get(rule.value, ()) if one != name)
        if rule.kind == "sha256":
            removed = int(rule.value in down)
        found.append(Remembered(rule, removed, because))
    return found


def take_down(
    folder: Folder,
    rules: Sequence[Rule],
    names: Sequence[str],
    *,
    dry_run: bool = False,
    who: Who = "cli",
) -> list[Taken]:
    """Remove the images that rules match or that are named, and keep them from coming back.

    If a run is in progress, it carries this out within about half a second.

    Args:
        folder: the data set.
        rules: rules by domain, URL, bytes or perceptual hash.
        names: image files, as paths or relative to the data set.
        dry_run: only return what would be removed.
        who: where the decision comes from.

    Raises:
        UsageError: a file is no image of the data set.
        StorageError: the decision cannot be recorded.
    """
    with looked_at(folder) as db:
        taken = _taken(db, folder, rules, names)
    if dry_run:
        return taken
    batch = journal.new_id()
    records = [
        journal.record(who, "takedown", batch, sha256=one.sha256, file_name=one.file_name)
        for one in taken
        if one.why == "named"
    ]
    records += [
        journal.record(who, "takedown", batch, kind=rule.kind, value=rule.value) for rule in rules
    ]
    record(folder, records)
    return taken


def _taken(
    db: sqlite3.Connection, folder: Folder, rules: Sequence[Rule], names: Sequence[str]
) -> list[Taken]:
    named = [_named(db, folder, name) for name in names]
    ids = {one.sample_id for one in named}
    return named + [
        one for one in takedown.matching(db, TakenDown(rules)) if one.sample_id not in ids
    ]


def _named(db: sqlite3.Connection, folder: Folder, name: str) -> Taken:
    own = relative(folder, name)
    image = kept.named(db, own)
    if image is None:
        raise UsageError(f"{name}: no image of the data set {folder.shown}")
    return Taken(image.sample_id, image.file_name, image.sha256, "named")


# -- taking back


class Copy(Struct, frozen=True):
    """A candidate that was dropped in favour of a kept image, or withdrawn."""

    candidate_id: int
    label: str
    sha256: str
    url: str
    reason: str
    distance: int | None
    of: str  # file name of the kept image; "" if it no longer exists
    aside: Path | None  # its file in quarantine, if it is still there


def copies(folder: Folder) -> list[Copy]:
    """Return every near duplicate, placeholder and conflict that was dropped, for review."""
    with looked_at(folder) as db:
        return list(_copies(db, folder))


def _copies(db: sqlite3.Connection, folder: Folder) -> Iterator[Copy]:
    for one in dropped.every(db):
        aside = quarantine.find(folder, one.sha256)
        yield Copy(
            one.candidate_id,
            one.label,
            one.sha256,
            one.url,
            one.reason,
            one.distance,
            one.of,
            aside,
        )


async def take_back(folder: Folder, wanted: Sequence[str], *, who: Who = "cli") -> list[str]:
    """Make dropped near duplicates images of the data set; they are not dropped again.

    It is a decision: `undo` takes it back as a whole.

    Args:
        folder: the data set.
        wanted: a SHA-256 (at least its first 8 digits), a quarantined file, or a kept image, which
            stands for all that was dropped in its favour.
        who: where the decision comes from.

    Return the names of the new files.

    Raises:
        UsageError: no near duplicate of this data set, or its file is gone.
        StorageError: a run is in progress on the data set.
    """
    rows = await prepare(folder, wanted)
    batch = journal.new_id()
    done = record(
        folder,
        [
            journal.record(who, "take_back", batch, sha256=sha256, file_name=name)
            for sha256, name in rows.items()
        ],
    )
    return [new for one in done.effects for _, new in one.names if new]


async def prepare(folder: Folder, wanted: Sequence[str]) -> dict[str, str]:
    """Give each of these copies a row that the decision `take_back` makes an image.

    The file has to be decoded for it, which a decision itself cannot wait for. Return file names
    that name the copies in the journal, by SHA-256. Arguments and errors are those of `take_back`.
    """
    with opened(folder) as catalog:
        known = catalog.write_now(lambda db: list(_copies(db, folder)))

        def choose(text: str) -> list[Copy]:
            return catalog.write_now(lambda db: _chosen(db, folder, known, text))

        chosen = {one.sha256: one for text in wanted for one in choose(text)}
        pool = DecoderPool(Images(), folder.staging)
        try:
            return {
                sha256: await _prepared(folder, catalog, pool, one)
                for sha256, one in chosen.items()
            }
        finally:
            await pool.aclose()


def _chosen(db: sqlite3.Connection, folder: Folder, known: Sequence[Copy], text: str) -> list[Copy]:
    digits = Path(text).name.partition(".")[0].lower()
    if re.fullmatch(r"[0-9a-f]{8,64}", digits):
        found = [one for one in known if one.sha256.startswith(digits)]
        if len({one.sha256 for one in found}) > 1:
            raise UsageError(f"{text}: several near duplicates begin so; give more digits")
    else:
        own = relative(folder, text)
        found = [one for one in known if one.of == own and one.aside is not None]
    if not found and relations.has_pardon(db, digits):
        return []  # brought back already, perhaps by this command before it was killed
    if not found:
        raise UsageError(
            f"{text}: no near duplicate of this data set (see `pixtrawl dedup {folder.shown}`)"
        )
    gone = next((one for one in found if one.aside is None), None)
    if gone is not None:
        raise UsageError(f"{gone.sha256}: its file is not kept aside any more ({gone.url})")
    return found


async def _prepared(folder: Folder, catalog: Catalog, pool: DecoderPool, copy: Copy) -> str:
    assert copy.aside is not None
    there = catalog.write_now(lambda db: copy_rows.prepared(db, copy.label, copy.sha256))
    if there is not None:
        return there[1]
    found = await decoded(folder, pool, str(copy.candidate_id), copy.sha256, copy.aside)
    info = found.info
    if info is None:
        raise UsageError(f"{copy.aside}: is no whole image any more ({found.why})")
    return catalog.write_now(
        lambda db: add_row(db, copy.candidate_id, copy.label, info, found.rights)
    )
