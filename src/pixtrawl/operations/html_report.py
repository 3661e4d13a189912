"""A report of a data set as one file: counts, charts, licences, thumbnails with provenance."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pixtrawl.catalog import samples
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.views import counts as look_counts, rows as look_rows
from pixtrawl.catalog.views.rows import LookRow
from pixtrawl.catalog.views.table import LookTable, kept_ids
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.model import REASONS, Reason
from pixtrawl.operations import html_page
from pixtrawl.operations.job_progress import shortfalls
from pixtrawl.operations.thumbnails import MOST_PAGE_BYTES, PAGE_THUMB, thumbnails
from pixtrawl.pipeline.report import report
from pixtrawl.report import Report

__all__ = ["HtmlReport", "write_html_report"]

_MOST_IMAGES: Final = 1000
_MOST_ROWS: Final = 50
_WIDTHS: Final = (1.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)


class HtmlReport(Struct, frozen=True):
    """A written report: images shown, images that the data set has, size of the file."""

    path: str
    shown: int
    images: int
    size_bytes: int


def write_html_report(folder: Folder, target: Path) -> HtmlReport:
    """Write the report; it needs no script and no network.

    Where the data set has more images than the file may hold, every label shows some. Raise
    UsageError where there is no data set, StorageError where the file cannot be written.
    """
    folder.require()
    found = report(folder.root)
    with closing(connect(folder.catalog, read_only=True)) as db:
        total = samples.count(db)
        rows = _chosen(db)
        thumbs = asyncio.run(thumbnails(folder, rows, PAGE_THUMB, most_bytes=MOST_PAGE_BYTES))
        shown = [one for one in rows if one.id in thumbs]
        sections = [
            *_counts(db, found), *_charts(db), *_gallery(db, folder, shown, thumbs, total),
        ]  # fmt: skip
    text = html_page.page(f"Data set {folder.root.name}", sections)
    return HtmlReport(str(target), len(shown), total, html_page.write(target, text))


def _chosen(db: sqlite3.Connection) -> list[LookRow]:
    """Return the images to show, by label: all, or as many of each label as there is room for."""
    rows = look_rows.sample_rows_of(db, list(kept_ids(db)))
    by_label: dict[str, list[LookRow]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    left, found = _MOST_IMAGES, []
    for at, label in enumerate(sorted(by_label, key=lambda name: len(by_label[name]))):
        share = max(1, left // (len(by_label) - at))
        own = by_label[label]
        step = max(1.0, len(own) / share)
        picked = [own[int(n * step)] for n in range(min(len(own), share))]
        found += picked
        left -= len(picked)
        if left <= 0:
            break
    return sorted(found, key=lambda one: (one.label, one.number or 0))


def _counts(db: sqlite3.Connection, report_: Report) -> list[str]:
    head = ("query", "label", "wanted", "saved")
    rows = [
        (one.text, one.label, "all" if one.wanted is None else one.wanted, one.saved)
        for one in look_counts.query_counts(db)[:_MOST_ROWS]
    ]
    found = [html_page.section("Queries", html_page.table(head, rows))]
    short = [
        (one["query"], one["why"], one["next_step"]) for one in shortfalls(report_)[:_MOST_ROWS]
    ]
    if short:
        body = html_page.table(("query", "why", "next step"), short)
        found.append(html_page.section("Fewer than wanted", body))
    reasons = [
        (name, n, REASONS[Reason(name)].sentence if name in set(Reason) else "")
        for name, n in look_counts.reason_counts(db)[:_MOST_ROWS]
    ]
    if reasons:
        body = html_page.table(("reason", "candidates", "meaning"), reasons)
        found.append(html_page.section("Not kept", body))
    return found


def _charts(db: sqlite3.Connection) -> list[str]:
    look = LookTable(db, ())
    look.update()
    widths = [
        (f"{lo:g} px and more" if hi is None else f"{lo:g} to {hi:g} px", n)
        for lo, hi, n in look.histogram("width", _WIDTHS)
    ]
    charts = {
        "Images by label": look_counts.label_counts(db)[:_MOST_ROWS],
        "Licences, as sources claim them": look_counts.licence_counts(db)[:_MOST_ROWS],
        "Sources": look_counts.source_counts(db)[:_MOST_ROWS],
        "Hosts": look_counts.host_counts(db, _MOST_ROWS),
        "Widths": widths,
    }
    return [html_page.section(name, html_page.bars(rows)) for name, rows in charts.items() if rows]


def _gallery(
    db: sqlite3.Connection,
    folder: Folder,
    rows: Sequence[LookRow],
    thumbs: Mapping[int, bytes],
    total: int,
) -> list[str]:
    columns = samples.columns_of(db)
    ids = [one.id for one in rows]
    known = {
        one.file_name: metadata_row(one)
        for one in samples.some(db, folder.root, ids, columns, None)
    }
    by_label: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        facts = known.get(row.file_name, {})
        by_label[row.label].append(
            html_page.figure(thumbs[row.id], _facts(row, facts), _link(facts))
        )
    note = f"showing {len(rows):,} of {total:,} images; each links to where it was found"
    return [
        html_page.section(label, html_page.grid(figures), note)
        for label, figures in by_label.items()
    ]


def _facts(row: LookRow, facts: Mapping[str, Any]) -> dict[str, object]:
    return {
        "file": row.file_name, "size": f"{row.width} × {row.height}", "title": row.title,
        "host": row.host, "source": facts.get("source", ""), "licence": row.licence,
        "creator": facts.get("creator", ""),
    }  # fmt: skip


def _link(facts: Mapping[str, Any]) -> str:
    return str(facts.get("page_url") or facts.get("url") or "")
