"""Makes the catalog of a data set again from what is left: metadata, files, journal of decisions.

Called with the lock held. Every file is hashed and decoded, as hashes and thumbnails for near
duplicates exist only in the catalog. The new catalog gets its name only once it is complete; the
old one is set aside.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.amounts import plural
from pixtrawl.catalog.database import created
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.decisions.recorded import DecisionState, mark
from pixtrawl.catalog.decisions.takedown import Rule, TakenDown
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.rebuild import rebuilt, salvage as salvaging
from pixtrawl.catalog.rebuild.described import Described
from pixtrawl.catalog.rebuild.salvage import Salvaged
from pixtrawl.catalog.run_log import now
from pixtrawl.errors import StorageError
from pixtrawl.folder import on_disk, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import actions as decision_actions, journal
from pixtrawl.folder.decisions.journal import FACTS
from pixtrawl.folder.decisions.journal_state import Gone, JournalState, state_after
from pixtrawl.folder.layout import parse_file_name, quarantine_name
from pixtrawl.folder.recovery import remains
from pixtrawl.model import ImageInfo
from pixtrawl.pipeline.finished.examining import ImageFile, examined

__all__ = ["Rebuilt", "rebuild", "sentences"]


class Rebuilt(Struct):
    """Counts of what was found, and of what was not."""

    images: int = 0  # kept, the adopted ones included
    adopted: int = 0  # numbered files that nothing described
    missing: int = 0  # described, but their files are not where they were
    altered: int = 0  # other bytes than described, and whole: kept as they are
    torn: int = 0  # no whole images: set aside
    deleted: int = 0
    refused: int = 0
    taken: int = 0
    rules: int = 0
    bad_lines: int = 0
    had_journal: bool = False
    was_damaged: bool = False


def rebuild(folder: Folder) -> Rebuilt:
    """Rebuild the catalog and log the counts. Raise StorageError."""
    try:
        done = _rebuild(folder)
    except OSError as error:
        raise StorageError(f"the catalog of {folder.root} cannot be made again: {error}") from error
    for sentence in sentences(done, folder):
        logging.getLogger("pixtrawl").warning("%s", sentence)
    return done


def _rebuild(folder: Folder) -> Rebuilt:
    done = Rebuilt()
    own = folder.own_catalog
    done.was_damaged = own.exists() and own.stat().st_size > 0
    salvaged = salvaging.salvage(own, folder.root) if done.was_damaged else Salvaged()
    decisions = journal.read(folder)
    done.had_journal = bool(decisions.records)
    held = state_after(decisions.records)
    found = remains.read(folder, salvaged)
    done.bad_lines = found.bad_lines + len(decisions.bad)
    aliases = dict(salvaged.aliases) | held.aliases
    _say_start(folder, found)
    with created(own) as db:
        home = remains.homes(found.images.values(), aliases)
        for file in examined(folder, _files(folder, found)):
            _add(db, folder, file, found, home, done)
        rebuilt.give_filters(db, salvaged.queries)
        rebuilt.give_aliases(db, aliases)
        _remove(db, folder, [*_salvaged_gone(salvaged), *held.gone], found, aliases, done)
        _obey(db, [*salvaged.rules, *held.rules], done)
        _note_decisions(db, folder, decisions.records, held)
        mark(db, decisions.end)
        file_records.advance(db)
    return done


def _files(folder: Folder, found: remains.Remains) -> Iterator[ImageFile]:
    """Yield every described image, then each numbered file that nothing describes."""
    for name, image in found.images.items():
        yield ImageFile(name, image)
    # A file that was moved by hand is recognised later, by its bytes (folder.recovery.by_hand).
    for name in on_disk.numbered(folder.root):
        if name not in found.images:
            yield ImageFile(name, None)


def _add(
    db: sqlite3.Connection,
    folder: Folder,
    file: ImageFile,
    found: remains.Remains,
    home: dict[tuple[str, str], str],
    done: Rebuilt,
) -> None:
    image = file.described
    if image is None:
        image = _adopted(db, folder, file, found, done)
    elif not file.sha256:
        done.missing += 1
    elif file.sha256 != image.sha256.hex():
        if file.info is None:
            _set_aside(folder, file, done)
            return
        done.altered += 1
    if image is not None:
        label = home.get((image.query, image.label), image.label)
        rebuilt.add_image(db, replace(_measured(image, file.info), query_label=label))
        done.images += 1


def _adopted(
    db: sqlite3.Connection, folder: Folder, file: ImageFile, found: remains.Remains, done: Rebuilt
) -> Described | None:
    """Return the row for a file that nothing describes; None where it is no image of the set."""
    parsed = parse_file_name(file.name)
    if parsed is None or not file.sha256:
        return None
    if file.info is None:
        _set_aside(folder, file, done)
        return None
    label, number, _ = parsed
    if any(one.sha256.hex() == file.sha256 for one in found.images.values()) or (
        rebuilt.kept_row(db, label, file.sha256) is not None
    ):
        return None
    done.adopted += 1
    return _bare(label, number, file.name, file.sha256, found.texts.get(label, label))


def _bare(label: str, number: int, name: str, sha256: str, query: str, url: str = "") -> Described:
    """Return a row with only these facts."""
    return Described(
        id=0, query=query, label=label, number=number, file_name=name, url=url, final_url=None,
        kind="original", source="", rank=0, page_url=None, title=None, license=None,
        license_url=None, creator=None, sha256=bytes.fromhex(sha256), format="", width=0, height=0,
        frames=1, size_bytes=0, phash=b"", measures="{}", rights="{}", fetched_at=now(), own=None,
        relevance=None, outlier=False,
    )  # fmt: skip


def _measured(image: Described, info: ImageInfo | None) -> Described:
    """Add the facts of decoding; facts of metadata.jsonl about the same bytes have priority."""
    if info is None:
        return image
    same = image.sha256.hex() == info.sha256
    image = replace(
        image, phash_trim=info.phash_trim, thumb=info.thumb, chroma=info.chroma, fine=info.fine,
        flat=info.flat, orientation=info.orientation,
        phash=image.phash if same and image.phash else info.phash,
    )  # fmt: skip
    if same and image.format:
        return image
    return replace(
        image, sha256=bytes.fromhex(info.sha256), format=info.format, width=info.width,
        height=info.height, frames=info.frames, size_bytes=info.size_bytes, phash=info.phash,
        measures=msgspec.json.encode(dict(info.measures)).decode(),
    )  # fmt: skip


def _set_aside(folder: Folder, file: ImageFile, done: Rebuilt) -> None:
    quarantine.put(folder, folder.root / file.name, file.sha256)
    done.torn += 1


# -- what people decided


def _salvaged_gone(salvaged: Salvaged) -> Iterator[Gone]:
    for one in salvaged.gone:
        yield Gone(one.kind, one.sha256, one.file_name, one.query, one.url)


def _remove(
    db: sqlite3.Connection,
    folder: Folder,
    gone: Iterable[Gone],
    found: remains.Remains,
    aliases: dict[str, str],
    done: Rebuilt,
) -> None:
    """Set the state of each removed image; images without a description get a row."""
    last = {(one.sha256, one.file_name.partition("/")[0]): one for one in gone}  # the journal wins
    for one in last.values():
        label, _, leaf = one.file_name.partition("/")
        label = aliases.get(label, label)
        row = rebuilt.kept_row(db, label, one.sha256)
        if one.kind == "deleted":
            if row is not None:
                continue  # still described: folder.recovery.by_hand sees if its file is there
            done.deleted += 1
        if row is None:
            number = (parse_file_name(f"{label}/{leaf}") or ("", rebuilt.next_id(db)))[1]
            text = one.query or found.texts.get(label, label)
            image = _bare(label, number, f"{label}/{leaf}", one.sha256, text, one.url)
            row = rebuilt.add_image(db, _measured(image, _kept_aside(folder, one)))
        if one.kind == "taken":
            rebuilt.take_down(db, row, one.sha256, one.because)
            done.taken += 1
        elif one.kind == "refused":
            rebuilt.refuse(db, row, refill=one.refill, words=one.reason)
            done.refused += 1
        else:
            rebuilt.delete(db, row)


def _kept_aside(folder: Folder, one: Gone) -> ImageInfo | None:
    """Return the measures of a refused image: its near duplicates are refused, too."""
    if one.kind != "refused" or quarantine.find(folder, one.sha256) is None:
        return None
    file = ImageFile(quarantine_name(one.sha256), None)
    return next(examined(folder, iter([file]))).info


def _obey(db: sqlite3.Connection, rules: Iterable[tuple[str, str]], done: Rebuilt) -> None:
    known = [Rule(kind, value) for kind, value in dict.fromkeys(rules)]
    done.rules = len(known)
    takedown.remember(db, known)
    taken = list(takedown.matching(db, TakenDown(known)))
    takedown.remove(db, taken, known)
    done.taken += len(taken)


def _note_decisions(
    db: sqlite3.Connection,
    folder: Folder,
    records: Iterable[journal.DecisionRecord],
    held: JournalState,
) -> None:
    """Note every decision of the journal as carried out, so that it can be undone as before."""
    for one in records:
        if one.action in FACTS:
            continue
        holds = one.id in held.holding
        note: dict[str, object] = {}
        if holds and one.action in {"label", "caption"}:
            effect = decision_actions.apply(db, folder, one)  # no effect where its file was moved
            holds, note = effect.changed, dict(effect.note)
        elif holds and one.sha256:
            note = _note(db, one)
        state = DecisionState.HOLDS if holds else DecisionState.VOID
        line = msgspec.json.encode(one)
        rebuilt.note_decision(db, (one.id, one.batch, line), state, note)


def _note(db: sqlite3.Connection, one: journal.DecisionRecord) -> dict[str, object]:
    rows = rebuilt.rows_of(db, one.sha256)
    if one.action == "reject" and rows:
        return {"sample": rows[0], "samples": rows}
    return {"samples": rows, "sha256": [one.sha256]} if one.action == "takedown" else {}


# -- messages


def _say_start(folder: Folder, found: remains.Remains) -> None:
    logging.getLogger("pixtrawl").warning(
        "%s has lost its catalog: it is made again from %s, the files and the journal of decisions",
        folder.shown,
        f"{plural(len(found.images), 'line')} of {folder.metadata.name}",
    )


def sentences(done: Rebuilt, folder: Folder) -> list[str]:
    """Return what was recovered and what was not, one sentence for each."""
    lines = [f"recovered: {_count(done.images, 'image')} with numbers and hashes"]
    for count, noun, what in (
        (done.deleted, "image", "deleted by hand: still left out"),
        (done.refused, "image", "refused by a person: still left out"),
        (done.taken, "image", "taken down: still left out"),
        (done.rules, "rule", "of `takedown`: still in force"),
        (done.adopted, "numbered file", "without a description: adopted, URL and licence unknown"),
        (done.altered, "file", "with other bytes than described: kept as now"),
        (done.torn, "file", "that is no whole image: set aside, the next run fills the place"),
        (done.missing, "described image", "not at its place: moved or deleted by hand"),
        (done.bad_lines, "line", "that cannot be read: left out"),
    ):
        if count:
            lines.append(f"{_count(count, noun)} {what}")
    if not done.had_journal:
        lines.append("there is no journal of decisions: if images were taken down, do so again")
    lines.append(
        "not recovered: what became of URLs that gave no image (the next run asks for them again), "
        "the list of near duplicates kept aside, and the run log"
    )
    if done.was_damaged:
        lines.append(f"the damaged catalog is kept as {folder.own_catalog.name}.damaged-*")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
