"""A class check as one file: the pictures in question, each group with the command to act."""

from __future__ import annotations

import asyncio
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pixtrawl.catalog import samples
from pixtrawl.catalog.views import counts as look_counts, pairs as look_pairs, rows as look_rows
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.operations import html_page
from pixtrawl.operations.audit_actions import (
    doubt_actions,
    merge_command,
    query_texts,
    refill_command,
)
from pixtrawl.operations.thumbnails import MOST_PAGE_BYTES, PAGE_THUMB, thumbnails
from pixtrawl.scoring.classes.check import Audit, Doubt

__all__ = ["AuditPage", "write_audit_page"]

_MOST_DOUBTS: Final = 600
_MOST_FINDINGS: Final = 50  # overlaps, and biases
_BORDER: Final = 6  # pictures of an overlap or a bias
_CHECKED_BY: Final = {
    "embedding": "The embeddings of {model} were compared.",
    "look": "Only looks (light, layout, colours) were compared, which find little: most of these "
    "pictures are where they belong. `pixtrawl score` with a model gives embeddings.",
}


class AuditPage(Struct, frozen=True):
    """A written page: likely wrong images that it shows, all there are, size of the file."""

    path: str
    shown: int
    doubts: int
    size_bytes: int


class _Figures:
    """The figures of images by file name, as far as there is room for their thumbnails."""

    def __init__(self, db: sqlite3.Connection, folder: Folder, names: Sequence[str]) -> None:
        ids = look_pairs.ids_of_names(db, names)
        wanted = [ids[name] for name in dict.fromkeys(names) if name in ids]
        rows = look_rows.sample_rows_of(db, wanted)
        made = asyncio.run(thumbnails(folder, rows, PAGE_THUMB, most_bytes=MOST_PAGE_BYTES))
        self._thumbs = {row.file_name: made[row.id] for row in rows if row.id in made}
        columns = samples.columns_of(db)
        self._facts = {
            one.file_name: metadata_row(one)
            for one in samples.some(db, folder.root, wanted, columns, None)
        }

    def __contains__(self, name: str) -> bool:
        return name in self._thumbs

    def of(self, name: str, note: str = "") -> str:
        """Return the figure of an image; "" without a thumbnail."""
        if name not in self._thumbs:
            return ""
        facts: Mapping[str, Any] = self._facts.get(name, {})
        shown = {"note": note, "file": name, "title": facts.get("title")}
        link = str(facts.get("page_url") or facts.get("url") or "")
        return html_page.figure(self._thumbs[name], shown, link)


def write_audit_page(
    db: sqlite3.Connection, folder: Folder, found: Audit, where: str, target: Path
) -> AuditPage:
    """Write the page; it needs no script and no network.

    Raise StorageError where the file cannot be written.
    """
    doubts = found.doubts[:_MOST_DOUBTS]
    overlaps, biases = found.overlaps[:_MOST_FINDINGS], found.biases[:_MOST_FINDINGS]
    names = [one.file_name for one in doubts]
    for files in (*(one.files for one in overlaps), *(one.files for one in biases)):
        names += files[:_BORDER]
    figures = _Figures(db, folder, names)
    sections = [
        _summary(found),
        _how_to_act(where),
        *_doubts(found, doubts, figures, where),
        *_overlaps(db, found, figures.of, where),
        *_biases(found, figures.of),
        *_small(db, found, where),
    ]
    size = html_page.write(target, html_page.page(f"Class check of {folder.root.name}", sections))
    shown = sum(one.file_name in figures for one in doubts)
    return AuditPage(str(target), shown, len(found.doubts), size)


def _summary(found: Audit) -> str:
    how = _CHECKED_BY[found.by].format(model=found.model)
    rows = [
        ("images checked", found.images), ("likely wrong labels", len(found.doubts)),
        ("pairs of labels that overlap", len(found.overlaps)),
        ("labels mostly of one host or look", len(found.biases)),
        ("labels with few images", len(found.small)),
    ]  # fmt: skip
    return html_page.section("What was found", html_page.table(("", "number"), rows), how)


def _how_to_act(where: str) -> str:
    undo = [("undo", "brings refused images back"), ("label --undo", "moves images back")]
    rows = [(shlex.join(["pixtrawl", *name.split(), where]), what) for name, what in undo]
    note = (
        "Nothing was changed. Look at the pictures, take those that are right out of a command, "
        "and run it. Images that you keep (`pixtrawl like`) are not doubted again."
    )
    return html_page.section("How to act", html_page.table(("command", "does"), rows), note)


def _doubts(found: Audit, doubts: Sequence[Doubt], figures: _Figures, where: str) -> Iterator[str]:
    for action in doubt_actions(found.by, doubts, where):
        shown = [
            figures.of(one.file_name, f"{one.score:.0%} sure, now {one.label}")
            for one in action.doubts
        ]
        body = html_page.grid(shown)
        if action.command:
            body += html_page.command(action.command)
        title = f"Like {action.like}" if action.like else "Unlike their label, and any other"
        yield html_page.section(title, body)


def _overlaps(
    db: sqlite3.Connection, found: Audit, figure: Callable[[str], str], where: str
) -> Iterator[str]:
    sizes = dict(look_counts.label_counts(db))
    for pair in found.overlaps[:_MOST_FINDINGS]:
        body = html_page.grid(map(figure, pair.files[:_BORDER]))
        body += html_page.command(merge_command(pair.labels, sizes, where))
        one, other = pair.labels
        note = (
            f"{pair.share:.0%} of the nearest images are of the other label; these are on the "
            "border. If both mean the same, this makes them one; else word the queries apart."
        )
        yield html_page.section(f"{one} and {other} overlap", body, note)


def _biases(found: Audit, figure: Callable[[str], str]) -> Iterator[str]:
    for bias in found.biases[:_MOST_FINDINGS]:
        what = "from" if bias.kind == "host" else "that look like"
        title = f"{bias.label}: {bias.share:.0%} of the images {what} {bias.what}"
        note = "A model may learn this in place of the label: other sources or words bring variety."
        yield html_page.section(title, html_page.grid(map(figure, bias.files[:_BORDER])), note)


def _small(db: sqlite3.Connection, found: Audit, where: str) -> Iterator[str]:
    if not found.small:
        return
    texts = query_texts(db)
    rows = [(one.label, one.images, one.median) for one in found.small]
    body = html_page.table(("label", "images", "of the label in the middle"), rows)
    body += "".join(html_page.command(refill_command(one, texts, where)) for one in found.small)
    yield html_page.section("Labels with few images", body)
