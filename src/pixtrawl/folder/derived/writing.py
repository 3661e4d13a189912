"""Writes the files derived from the catalog: metadata.jsonl, ATTRIBUTION.md and the others.

The catalog is the source of truth; these files can be regenerated at any time. Each is written to
a temporary file that is then renamed over it.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pixtrawl import durable
from pixtrawl.amounts import plural
from pixtrawl.batches import batches
from pixtrawl.catalog import keyword_urls, outcomes, own_columns, run_log, samples
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.files import derived_mark
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.folder import on_disk
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.card import Credit, Summary, attribution_lines, credit_of, data_card
from pixtrawl.folder.derived.features import IMAGE, Features, features_of
from pixtrawl.folder.derived.metadata_rows import (
    FLAGS,
    INTEGERS,
    NUMBERS,
    metadata_row,
    row_text,
)
from pixtrawl.folder.files import write_whole
from pixtrawl.model import Reason, Sample
from pixtrawl.secrets import masked_text, masked_url


def write_metadata(
    db: sqlite3.Connection, folder: Folder, go_on: Callable[[], None] = lambda: None
) -> Summary:
    """Write metadata.jsonl and ATTRIBUTION.md: one line per kept image whose file exists.

    All lines of metadata.jsonl have the same keys, which loaders rely on; the columns of
    scores are among them once any image has one. `go_on` is called every few images. Return the
    counts for the data card. Raise StorageError if a file cannot be written.
    """
    summary = Summary()
    last: tuple[Sample, dict[str, object]] | None = None

    def credits_(path: Path) -> Iterator[Credit]:
        nonlocal last
        with path.open("wb") as file:
            for found in batches(samples.read(db, folder.root)):
                go_on()
                batch = _there(folder, found)
                rows = list(map(metadata_row, batch))
                file.writelines([row_text(row) + b"\n" for row in rows])
                for sample in batch:
                    summary.count(sample)
                if batch:
                    last = batch[-1], rows[-1]
                yield from map(credit_of, batch)

    def both(path: Path) -> None:
        write_whole(
            folder.attribution, lambda other: _write_lines(other, credits_(path)),
            synced=folder.durable,
        )  # fmt: skip

    write_whole(folder.metadata, both, synced=folder.durable)
    if last is not None:
        summary.features = _features(db, summary, *last)
    return summary


def _there(folder: Folder, images: Iterable[Sample]) -> list[Sample]:
    """Return those whose file is there: a rename may have failed, or a person removed it."""
    root = os.fspath(folder.root)
    return [one for one in images if os.path.lexists(f"{root}/{one.file_name}")]


_TYPES: Final = {
    **dict.fromkeys(INTEGERS, "int64"),
    **dict.fromkeys(NUMBERS, "float64"),
    **dict.fromkeys(FLAGS, "bool"),
}


def _features(
    db: sqlite3.Connection, summary: Summary, sample: Sample, row: Mapping[str, object]
) -> Features:
    """Return the features of metadata.jsonl as Hugging Face's ImageFolder reads it."""
    names = list(row)
    kinds = own_columns.types(db)
    own = zip(names[len(names) - len(sample.own) :], sample.own, strict=True)
    types = {shown: kinds.get(name, "text") for shown, name in own}
    types |= {column.name: column.type for column in scores.columns(db)}
    labels = sorted({label for label, _ in summary.labels})
    found = features_of(names, labels, types=_TYPES, own=types)
    del found["file_name"]  # the loader turns it into the image
    return {"image": dict(IMAGE), **found}


def _write_lines(path: Path, credits_: Iterator[Credit]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in attribution_lines(credits_):
            file.write(line + "\n")


def write_card(db: sqlite3.Connection, folder: Folder, summary: Summary) -> None:
    """Write README.md, the data card. Raise StorageError if it cannot be written."""
    name = folder.root.absolute().name
    load = f'load_dataset("imagefolder", data_files={{"train": "{_glob(name)}/**"}})'
    text = data_card(summary, title=name, load=load, notes=list(_notes(db)))
    write_whole(folder.card, lambda path: _write_text(path, text), synced=folder.durable)


_OPT_OUTS: Final = {
    Reason.ROBOTS_TXT: "their hosts' robots.txt",
    Reason.ROBOTS_HEADER: "an opt-out in the answer (X-Robots-Tag or meta robots)",
    Reason.OPTED_OUT: "an AI preference of their owners",
}


def _notes(db: sqlite3.Connection) -> Iterator[str]:
    """Yield sentences on opt-outs heard and overridden, takedowns, and runs without durability."""
    yield from _purposes(db)
    counts = outcomes.opt_outs(db)
    heard = [
        f"{counts[reason]:,} for {why}" for reason, why in _OPT_OUTS.items() if reason in counts
    ]
    if heard:
        yield f"Opt-outs were honoured; images were left out: {', '.join(heard)}."
    down = takedown.count_removed(db)
    if down:
        yield f"Taken down on request and not fetched again: {plural(down, 'image')}."
    unsafe = run_log.runs_without_durability(db)
    if unsafe:
        yield (
            f"{unsafe:,} {'run' if unsafe == 1 else 'runs'} wrote with `--durability none`: after "
            "a power cut check the files (`pixtrawl verify`)."
        )


def _purposes(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the purpose that runs stated; settings of earlier versions name none."""
    groups = [run.get("politeness", {}) for run in run_log.every_settings(db)]
    known = [group for group in groups if "purpose" in group]
    if known:
        purposes = " and ".join(dict.fromkeys(str(group["purpose"]) for group in known))
        yield f"Images were fetched for the purpose: {purposes}."
    ignored = sum(bool(group.get("ignore_ai_preferences")) for group in known)
    if ignored:
        runs = f"{ignored:,} of {len(groups):,} runs"
        yield f"**AI preferences of owners were ignored in {runs} (`--ignore-ai-preferences`).**"


def _glob(name: str) -> str:
    """Escape a folder name for an fsspec pattern, in which *, ? and [ are wildcards."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name).replace('"', '\\"')


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_keyword_urls(db: sqlite3.Connection, folder: Folder, *, synced: bool = False) -> None:
    """Write `keyword_urls.txt`: a dict literal of each query's kept URLs, then of untried ones.

    During a run it is not `synced`, since the end of the run writes it again.
    """
    elsewhere = keyword_urls.moved(db)

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write("{")
            separator = ""
            for text in dict.fromkeys([*keyword_urls.texts(db), *sorted(elsewhere)]):
                file.write(f"{separator}{masked_text(text)!r}: [")
                comma = ""
                for *_, url in heapq.merge(keyword_urls.urls(db, text), elsewhere.get(text, ())):
                    file.write(f"{comma}{masked_url(url)!r}")
                    comma = ", "
                file.write("]")
                separator = ", "
            file.write("}\n")

    write_whole(folder.keyword_urls, write, synced=synced)


def write_all(
    db: sqlite3.Connection, folder: Folder, go_on: Callable[[], None] = lambda: None
) -> None:
    """Regenerate metadata.jsonl, ATTRIBUTION.md, README.md and keyword_urls.txt.

    They are on the disk when this returns, unless the folder is not durable. `go_on` is called
    every few images; what it raises ends the work, and leaves the files as they were. At last the
    images of a large set are compared with its rows, a seventh of the work, so that the next
    opening need not do it.
    """
    summary = write_metadata(db, folder, go_on)
    write_keyword_urls(db, folder, synced=folder.durable)
    write_card(db, folder, summary)
    if folder.durable:
        durable.sync_directories([folder.root])
    derived_mark.clear(db)
    on_disk.remember(db, folder.root)
