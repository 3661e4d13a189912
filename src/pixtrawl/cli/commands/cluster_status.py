"""`pixtrawl cluster status`: how far a job is, once or again and again, whatever carries it out."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixtrawl.cluster.upkeep import JobStatus
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
        out_json({"store": url, "complete": found.is_complete, **values})
    else:
        out("\n".join(_status_lines(found)))


def job_metrics(found: JobStatus) -> list[Metric]:
    """Return the status as metrics: gauges of the whole job, and of each worker."""
    from pixtrawl.display.prometheus import Metric

    def gauge(name: str, text: str, value: float) -> Metric:
        return Metric(f"job_{name}", "gauge", text, {(): float(value)})

    def of_workers(name: str, text: str, values: dict[str, float]) -> Metric:
        by_labels: dict[Labels, float] = {(("worker", one),): n for one, n in values.items()}
        return Metric(f"worker_{name}", "gauge", text, by_labels)

    beats = [one.beat for one in found.workers]
    reasons: dict[Labels, float] = {
        (("reason", reason),): float(n) for reason, n in found.reasons.items()
    }
    return [
        gauge("shards", "Shards of the job.", found.shards),
        gauge("shards_committed", "Committed shards.", found.committed),
        gauge("rows", "Rows of the job.", found.rows),
        Metric("job_rows_settled", "gauge", "Rows of committed shards.", reasons),
        gauge("fetched_bytes", "Bytes fetched.", found.fetched_bytes),
        gauge("stored_bytes", "Bytes of pictures.", found.stored_bytes),
        of_workers("up", "1: at work.", {w.beat.worker: float(w.is_alive) for w in found.workers}),
        of_workers("rows", "Rows settled.", {b.worker: float(b.settled) for b in beats}),
        of_workers("shards", "Shards committed.", {b.worker: float(b.shards) for b in beats}),
        of_workers("leases", "Shards at work.", {b.worker: float(b.leases) for b in beats}),
    ]


def _status_lines(found: JobStatus) -> list[str]:
    from pixtrawl.cli.commands.cluster_page import state_of
    from pixtrawl.display.screen import plural, size

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
    for one in found.workers:
        beat = one.beat
        lines.append(
            f"{beat.worker}: {state_of(one)}; {beat.shards:,} shards, {one.rows:,} rows, "
            f"{one.rate:,.1f}/s, {beat.leases:,} shards at work"
        )
    if found.is_complete:
        lines.append("complete")
    elif not any(one.is_alive for one in found.workers):
        lines.append("no worker is at work; start one: pixtrawl worker STORE")
    return lines
