"""`pixtrawl cluster status`: how far a job is, once or again and again, whatever carries it out."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pixtrawl.cluster.upkeep import JobStatus, WorkerStatus
    from pixtrawl.display.prometheus import Labels, Metric

__all__ = ["job_metrics", "show_status"]


def show_status(arguments: argparse.Namespace) -> int:
    """Show the status, with `--watch` until the job is complete. Return the exit code."""
    from pixtrawl.cli.commands.cluster_page import job_page
    from pixtrawl.cluster.job.description import read_job
    from pixtrawl.cluster.store import Store
    from pixtrawl.cluster.upkeep import status
    from pixtrawl.display.prometheus import exposed
    from pixtrawl.errors import EXIT_OK, UsageError

    if arguments.metrics is not None and arguments.watch is None:
        raise UsageError("--metrics needs --watch: one look is over before anybody asks")
    if arguments.watch is not None and arguments.watch <= 0:
        raise UsageError("--watch: must be above 0 seconds")
    store = Store(arguments.store)
    job = read_job(store)
    found = status(store, job)
    with ExitStack() as stack:
        if arguments.metrics is not None:
            stack.enter_context(
                exposed(
                    arguments.metrics,
                    lambda: job_metrics(found),
                    lambda: job_page(store.url, found),
                )
            )
        _show(store.url, found, as_json=arguments.json)
        while arguments.watch is not None and not found.is_complete:
            time.sleep(arguments.watch)
            found = status(store, job)
            _show(store.url, found, as_json=arguments.json)
    return EXIT_OK


def _show(url: str, found: JobStatus, *, as_json: bool) -> None:
    import msgspec

    from pixtrawl.display.screen import out, out_json

    if as_json:
        values = msgspec.to_builtins(found)
        values.pop("attempts")
        more = {"open_rows": found.open_rows, "rate": found.rate}
        out_json({"store": url, "complete": found.is_complete, **values, **more})
    else:
        out("\n".join(_status_lines(found)))


def job_metrics(found: JobStatus) -> list[Metric]:
    """Return the status as metrics: of the whole job, and of each worker."""
    from pixtrawl.display.prometheus import Metric

    def of_job(name: str, text: str, value: float) -> Metric:
        return Metric(f"job_{name}", _kind(name), text, {(): float(value)})

    def of_workers(name: str, text: str, read: Callable[[WorkerStatus], float]) -> Metric:
        values: dict[Labels, float] = {
            (("worker", one.beat.worker),): float(read(one)) for one in found.workers
        }
        return Metric(f"worker_{name}", _kind(name), text, values)

    reasons: dict[Labels, float] = {
        (("reason", reason),): float(n) for reason, n in found.reasons.items()
    }
    return [
        of_job("shards", "Shards of the job.", found.shards),
        of_job("shards_committed_total", "Shards that are committed.", found.committed),
        of_job("rows", "Rows of the job.", found.rows),
        Metric("job_rows_settled_total", "counter", "Rows of committed shards.", reasons),
        of_job("open_rows", "Rows with an outcome in open shards.", found.open_rows),
        of_job("fetched_bytes_total", "Bytes fetched for committed shards.", found.fetched_bytes),
        of_job("stored_bytes_total", "Bytes of the data of committed shards.", found.stored_bytes),
        of_workers("up", "1: at work, 0: lost.", lambda one: one.is_alive),
        of_workers("rows_total", "Rows that got an outcome.", lambda one: one.rows),
        of_workers(
            "shards_committed_total", "Shards that it committed.", lambda one: one.beat.shards
        ),
        of_workers("leased_shards", "Shards that it has at work.", lambda one: one.beat.leases),
    ]


def _kind(name: str) -> str:
    return "counter" if name.endswith("_total") else "gauge"


def _status_lines(found: JobStatus) -> list[str]:
    from pixtrawl.amounts import plural, size
    from pixtrawl.cli.commands.cluster_page import state_of

    lines = [
        f"{found.committed:,} of {plural(found.shards, 'shard')} committed",
        (
            f"{found.settled:,} of {plural(found.rows, 'row')} settled, {found.saved:,} saved; "
            f"{size(found.fetched_bytes)} fetched, {size(found.stored_bytes)} stored"
        ),
        *(f"  {count:>10,}  {reason}" for reason, count in found.reasons.items()),
    ]
    if found.duplicates is not None:
        level = f"--dedup {found.duplicates.dedup}"
        lines.append(f"{found.duplicates.duplicates:,} of them left out as duplicates ({level})")
        if found.committed > found.duplicates.shards:
            lines.append("shards were committed since: repeat `pixtrawl cluster duplicates`")
    if found.lost_shards:
        lost = plural(found.lost_shards, "shard")
        lines.append(f"{lost} given up: workers ended over them again and again")
    if found.workers and not found.is_complete:
        lines.append(
            f"{found.open_rows:,} more rows have an outcome in open shards; "
            f"{found.rate:,.1f} rows/s of all workers"
        )
    for one in found.workers:
        beat = one.beat
        lines.append(
            f"{beat.worker}: {state_of(one)}; {plural(beat.shards, 'shard')}, "
            f"{plural(one.rows, 'row')}, {one.rate:,.1f}/s, {plural(beat.leases, 'shard')} at work"
        )
    if found.is_complete:
        lines.append("complete")
    elif not any(one.is_alive for one in found.workers):
        lines.append("no worker is at work; start one: pixtrawl worker STORE")
    return lines
