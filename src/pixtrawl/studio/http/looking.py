"""Answers about a data set: its summary, views of its images, and pages of them."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from pixtrawl.catalog import samples
from pixtrawl.catalog.decisions import recorded as decisions
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.catalog.views import counts as look_counts, rows as look_rows
from pixtrawl.catalog.views.filter import LookFilter
from pixtrawl.catalog.views.table import kept_ids, marked_ids
from pixtrawl.folder import quarantine
from pixtrawl.folder.decisions import applying, journal
from pixtrawl.model import REASONS, Reason
from pixtrawl.studio.messages import (
    ItemPage,
    LabelLine,
    LookItem,
    Named,
    QueryLine,
    ReasonLine,
    SetSummary,
    StudioError,
    ViewAnswer,
    ViewRequest,
)
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.sets.tiles import RESTORABLE, candidate_item, sample_item
from pixtrawl.studio.sets.views import StudioView, parse_ref, view_key

__all__ = ["MOST_ITEMS", "index_of", "page", "summary", "view"]

MOST_ITEMS: Final = 500
_MOST_HOSTS: Final = 50


def summary(data_set: OpenSet) -> SetSummary:
    """Return the counts of a data set."""
    revision = data_set.watch()
    counts = data_set.remembered("counts", _counts)
    records = data_set.remembered("journal", lambda _: journal.read(data_set.folder).records)
    return SetSummary(
        id=data_set.id,
        path=str(data_set.folder.root),
        name=data_set.name,
        **counts,
        measures=[*data_set.measures, *data_set.remembered("scores", _score_names)],
        can_undo=applying.last_batch(records) is not None,
        can_redo=applying.last_batch(records, redo=True) is not None,
        quarantine_bytes=quarantine.size_bytes(data_set.folder),
        run=data_set.run_line(),
        revision=revision,
    )


def _counts(db: sqlite3.Connection) -> dict[str, Any]:
    queries = look_counts.query_counts(db)
    wanted: dict[str, int | None] = {}
    for one in queries:
        former = wanted.get(one.label, 0)
        wanted[one.label] = None if former is None or one.wanted is None else former + one.wanted
    kept = dict(look_counts.label_counts(db))
    return {
        "kept": sum(kept.values()),
        "refused": look_counts.refused_count(db),
        "labels": [
            LabelLine(name, kept.get(name, 0), wanted.get(name, 0))
            for name in sorted(kept.keys() | wanted.keys())
        ],
        "queries": [
            QueryLine(one.id, one.text, one.label, one.wanted, one.saved) for one in queries
        ],
        "sources": _named(look_counts.source_counts(db)),
        "hosts": _named(look_counts.host_counts(db, _MOST_HOSTS)),
        "licences": _named(look_counts.licence_counts(db)),
        "reasons": [_reason_line(name, n) for name, n in look_counts.reason_counts(db)],
        "waiting": decisions.waiting_count(db),
        "refusals": _named(look_counts.refusal_counts(db)),
    }


def _score_names(db: sqlite3.Connection) -> list[str]:
    return [one.name for one in scores.columns(db) if one.type != "text"]


def _named(rows: Sequence[tuple[str, int]]) -> list[Named]:
    return [Named(name, n) for name, n in rows]


def _reason_line(name: str, n: int) -> ReasonLine:
    known = name in Reason.__members__.values()
    sentence = REASONS[Reason(name)].sentence if known else name
    return ReasonLine(name, n, name in RESTORABLE, sentence)


def view(data_set: OpenSet, request: ViewRequest) -> ViewAnswer:
    """Return a view of the data set, made now unless it is held already."""
    revision = data_set.watch()
    key = view_key(request, revision)
    found = data_set.views.get(key) or data_set.views.put(_made(data_set, request, key, revision))
    more: dict[str, Any] = {"by": found.by} if found.by else {}
    if found.done < 1:
        more["done"] = round(found.done, 3)
    return ViewAnswer(found.key, len(found.ids), found.of, revision, **more)


def _made(data_set: OpenSet, request: ViewRequest, key: str, revision: int) -> StudioView:
    try:
        if request.kind == "not_kept":
            ids = data_set.read(lambda db: look_rows.not_kept_ids(db, request.filter, request.sort))
            of = data_set.remembered("not_kept", look_rows.not_kept_count)
            return StudioView(key, request.kind, ids, of, revision)
        by, done = "", 1.0
        if _is_plain(request):
            ids = data_set.remembered("kept_ids", kept_ids)
            of = len(ids)
        else:
            ids, done = data_set.look(lambda table: table.ids(request.filter, request.sort))
            of = data_set.remembered("kept", samples.count)
        if request.filter.colour:
            ids, known = data_set.with_colour(ids, request.filter.colour)
            done = min(done, known)
        if request.lasso:
            from pixtrawl.studio.similarity.maps import inside

            ids = inside(data_set, ids, request.lasso)
        if request.kind in {"groups", "conflicts"}:
            ids = _with_copies(data_set, ids, conflicts=request.kind == "conflicts")
        elif request.kind == "doubts":
            from pixtrawl.studio.sets import checks

            ids, by, compared = checks.doubted(data_set, ids)
            of, done = len(ids), min(done, compared)
        else:
            ids, by, compared = _in_order(data_set, request, ids)
            done = min(done, compared)
        key = view_key(request, revision, done)  # a part is not taken for the whole
    except ValueError as error:
        raise StudioError(400, str(error)) from error
    return StudioView(key, request.kind, ids, of, revision, by, done)


def _in_order(
    data_set: OpenSet, request: ViewRequest, ids: array[int]
) -> tuple[array[int], str, float]:
    """Return images in an order that compares them, by what ("" where nothing is compared), and the
    share of them that was compared so far.
    """
    if request.meaning:
        from pixtrawl.studio.similarity.meaning import by_meaning

        return by_meaning(data_set, ids, request.meaning)
    if request.sort.by == "outlier":
        from pixtrawl.studio.sets import checks

        return checks.least_typical(data_set, ids)
    if request.similar_to or request.sort.by == "similar":
        from pixtrawl.studio.similarity.similar import most_alike

        return most_alike(data_set, ids, request.similar_to)
    return ids, "", 1.0


def _is_plain(request: ViewRequest) -> bool:
    """Return whether the kept images by number will do, which an index has."""
    ordered = request.sort.by in {"number", "similar", "outlier"} and not request.sort.descending
    return ordered and replace(request.filter, colour="") == LookFilter()


def _with_copies(data_set: OpenSet, ids: array[int], *, conflicts: bool) -> array[int]:
    """Return those that have near duplicates or a conflict of labels, or only the latter."""
    from pixtrawl.catalog.views.groups import with_conflicts, with_copies

    if conflicts:
        having = data_set.remembered("conflicts", with_conflicts)
    else:
        having = data_set.remembered("copies", with_copies)
    return array("I", (one for one in ids if one in having))


def page(data_set: OpenSet, found: StudioView, start: int, count: int) -> ItemPage:
    """Return the items of a range of a view; images that are gone meanwhile stay, as refused."""
    ids = list(found.ids[start : start + count])
    if found.kind == "not_kept":
        rows = data_set.read(lambda db: look_rows.candidate_rows(db, ids))
        return ItemPage(start, [candidate_item(one) for one in rows])
    rows = data_set.read(lambda db: look_rows.sample_rows_of(db, ids))
    marked = data_set.remembered("marked", marked_ids)
    refused = _refused_meanwhile(data_set)
    items = [
        replace(item, decision="reject", reason=Reason.REFUSED_BY_PERSON.value)
        if row.id in refused and item.decision != "reject" else item
        for row, item in ((one, sample_item(one, one.id in marked)) for one in rows)
    ]  # fmt: skip
    return ItemPage(start, _with_doubts(data_set, items) if found.kind == "doubts" else items)


def _refused_meanwhile(data_set: OpenSet) -> frozenset[int]:
    """Return the images whose refusal is recorded, and not carried out yet: another command, or a
    run that is paused, holds the data set. To the person it is decided.
    """
    return data_set.remembered(
        "refused_meanwhile", lambda db: applying.refused_meanwhile(db, data_set.folder)
    )


def _with_doubts(data_set: OpenSet, items: list[LookItem]) -> list[LookItem]:
    from pixtrawl.studio.sets.checks import doubts_of

    doubts = doubts_of(data_set)
    known = [(item, doubts.get(parse_ref(item.id)[1])) for item in items]
    return [
        item if doubt is None else replace(item, like=doubt.like, score=round(doubt.score, 3))
        for item, doubt in known
    ]


def index_of(data_set: OpenSet, found: StudioView, number: int) -> int | None:
    """Return where the image with this number is in a view; None where it is not."""
    wanted = data_set.read(lambda db: look_rows.ids_of_number(db, number))
    return next((at for at, one in enumerate(found.ids) if one in wanted), None)
