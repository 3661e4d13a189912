"""A page with the live totals of a job and its workers, for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pixtrawl.operations import html_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixtrawl.cluster.upkeep import JobStatus, WorkerStatus

__all__ = ["job_page", "state_of"]

_REFRESH_S: Final = 5
_WORKER_COLUMNS: Final = ("worker", "state", "shards", "rows", "rows/s", "shards at work")


def job_page(url: str, found: JobStatus) -> str:
    """Return the page. It loads itself again until the job is complete."""
    sections = [
        html_page.section(_standing(found), html_page.table(("", ""), _totals(found))),
        html_page.section("Workers", html_page.table(_WORKER_COLUMNS, _workers(found))),
    ]
    if found.reasons:
        reasons = html_page.bars(list(found.reasons.items()))
        sections.insert(1, html_page.section("Rows by reason", reasons))
    refresh_s = None if found.is_complete else _REFRESH_S
    return html_page.page(f"Job {url}", sections, refresh_s=refresh_s)


def _standing(found: JobStatus) -> str:
    if found.is_complete:
        return "Complete"
    alive = sum(one.is_alive for one in found.workers)
    share = found.committed / max(1, found.shards)
    return f"{share:.1%} of the shards, {alive} of {len(found.workers)} workers at work"


def _totals(found: JobStatus) -> Iterator[tuple[str, object]]:
    from pixtrawl.amounts import size

    yield "shards committed", f"{found.committed:,} of {found.shards:,}"
    yield "rows settled", f"{found.settled:,} of {found.rows:,}"
    yield "saved", found.saved
    yield "fetched", size(found.fetched_bytes)
    yield "stored", size(found.stored_bytes)
    yield "rows with an outcome in open shards", found.open_rows
    yield "rows a second, all workers", found.rate
    if found.lost_shards:
        yield "shards given up", found.lost_shards
    if found.duplicates is not None:
        yield "left out as duplicates", found.duplicates.duplicates


def _workers(found: JobStatus) -> Iterator[tuple[object, ...]]:
    for one in found.workers:
        beat = one.beat
        yield beat.worker, state_of(one), beat.shards, one.rows, one.rate, beat.leases


def state_of(worker: WorkerStatus) -> str:
    """Return whether a worker is at work, in words."""
    from pixtrawl.amounts import span

    return "at work" if worker.is_alive else f"lost, last heard of {span(worker.age_s)} ago"
