"""Estimates what a job takes: hours, bandwidth, requests. Pure, from measured figures.

The figures come from a job that was carried out (a sample of the list), or are those that
`bench.worker_rate` has measured. Hosts set a floor that no number of workers lowers: the largest
group of hosts is asked by one worker, at its pace.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from pixtrawl.cluster.beats import BEATS
from pixtrawl.cluster.commits import Commit
from pixtrawl.cluster.job.description import JobDescription
from pixtrawl.cluster.job.keys import LEASE_S
from pixtrawl.model import Reason

__all__ = ["JobPlan", "Measured", "Prices", "measure", "plan"]

_WRITES_OF_A_SHARD: Final = 6  # rows, lease, data, outcomes, looks, commit
_CORES_OF_A_WORKER: Final = 5
_LEAST_ROWS: Final = 2_000  # of a sample: fewer are over before a worker is at its full rate
_PACED: Final = 0.8  # of a sample's time at the pace of its largest host: no rate of a worker


class Measured(Struct, frozen=True, kw_only=True):
    """Figures of a list. The defaults were measured with pictures of 129 KB (docs/scale.md)."""

    worker_rate: float = 400.0  # URLs a second, of one worker with five cores
    url_bytes: float = 129_000.0  # fetched for each URL
    stored_bytes: float = 129_000.0  # stored for each URL
    saved_share: float = 1.0
    largest_share: float = 0.0  # of the rows, in the largest group of hosts
    is_measured: bool = False
    rows: int = 0  # of the sample that are committed
    seconds: float = 0.0  # of its workers, added up
    delay_s: float = 0.0  # between two requests to one host
    lease_s: float = LEASE_S
    is_paced: bool = False  # its time was that of its largest host

    @property
    def doubts(self) -> list[str]:
        """Return why the rate of a worker may be wrong."""
        found = []
        if self.is_measured and self.rows < _LEAST_ROWS:
            found.append(f"of {self.rows:,} rows only: a sample of some 10,000 tells more")
        if self.is_paced:
            found.append(
                "the sample's time was that of its largest host, so a worker may be faster than "
                "this; take a sample of more hosts"
            )
        return found


class Prices(Struct, frozen=True, kw_only=True):
    """Prices, all in one currency."""

    node_hour: float = 0.0
    stored_gb_month: float = 0.0  # of 10^9 bytes
    thousand_writes: float = 0.0


_FREE: Final = Prices()


class JobPlan(Struct, frozen=True, kw_only=True):
    """Hours, bandwidth, requests and space of a job."""

    urls: int
    workers: int
    cores: int
    hours: float  # the longer of the next two
    hours_by_workers: float
    hours_by_largest_host: float  # 0: not known, or no pace
    bandwidth_bit_s: float  # of all workers together
    urls_s: float
    largest_host_urls: int
    largest_host_urls_s: float
    fetched_bytes: float
    stored_bytes: float
    images: float
    shards: int
    store_writes: int
    useful_workers: int  # more would wait for the largest host; 0: no bound
    nodes: int
    delay_s: float
    cost_nodes: float
    cost_writes: float
    cost_month: float  # of what is stored


def measure(job: JobDescription, commits: Iterable[Commit]) -> Measured:
    """Return the figures of a job that was carried out, at least in part.

    Where nothing is committed they are the defaults.
    """
    rows = saved = fetched = stored = 0
    spans: dict[str, tuple[datetime, datetime, int]] = {}
    for commit in commits:
        rows += commit.rows
        saved += commit.reasons.get(Reason.SAVED.value, 0)
        fetched += commit.fetched_bytes
        stored += sum(entry.size_bytes for entry in commit.data)
        begun, ended = (
            datetime.fromisoformat(commit.begun_at),
            datetime.fromisoformat(commit.ended_at),
        )
        first, last, done = spans.get(commit.worker, (begun, ended, 0))
        spans[commit.worker] = (min(first, begun), max(last, ended), done + commit.rows)
    share = job.largest_rows / max(1, job.rows)
    if not rows:
        return Measured(largest_share=share)
    seconds = sum(max(1.0, (last - first).total_seconds()) for first, last, _ in spans.values())
    whole_s = (
        max(one[1] for one in spans.values()) - min(one[0] for one in spans.values())
    ).total_seconds()
    delay_s = float(job.settings.get("politeness.delay_s", 0.0))
    return Measured(
        worker_rate=rows / seconds, url_bytes=fetched / rows, stored_bytes=stored / rows,
        saved_share=saved / rows, largest_share=share, is_measured=True, rows=rows,
        seconds=seconds, delay_s=delay_s, lease_s=job.lease_s,
        is_paced=job.largest_rows * delay_s >= _PACED * max(1.0, whole_s),
    )  # fmt: skip


def plan(  # noqa: PLR0913 - the options of the command
    urls: int,
    measured: Measured,
    *,
    nodes: int,
    cores: int,
    delay_s: float,
    shard_rows: int,
    largest_urls: int | None = None,
    bandwidth_bit_s: float | None = None,
    prices: Prices = _FREE,
) -> JobPlan:
    """Return what `urls` take on `nodes` machines of `cores` cores.

    `delay_s` is the time between two requests to one host, `largest_urls` the URLs of the largest
    group of hosts where it is known, `bandwidth_bit_s` the line of all machines together.
    """
    workers = nodes * max(1, round(cores / _CORES_OF_A_WORKER))
    rate = workers * measured.worker_rate * min(1.0, cores / _CORES_OF_A_WORKER)
    if bandwidth_bit_s is not None:
        rate = min(rate, bandwidth_bit_s / 8 / max(1.0, measured.url_bytes))
    largest = largest_urls if largest_urls is not None else round(urls * measured.largest_share)
    by_workers_s = urls / rate
    by_largest_s = largest * delay_s
    seconds = max(by_workers_s, by_largest_s, 1e-9)
    shards = -(-urls // shard_rows)
    useful = max(1, round(workers * by_workers_s / by_largest_s)) if by_largest_s else 0
    beats = workers * seconds * BEATS / measured.lease_s
    writes = round(shards * _WRITES_OF_A_SHARD + beats)
    return JobPlan(
        urls=urls, workers=workers, cores=nodes * cores, hours=seconds / 3600,
        hours_by_workers=by_workers_s / 3600, hours_by_largest_host=by_largest_s / 3600,
        bandwidth_bit_s=urls * measured.url_bytes * 8 / seconds, urls_s=urls / seconds,
        largest_host_urls=largest, largest_host_urls_s=largest / seconds,
        fetched_bytes=urls * measured.url_bytes, stored_bytes=urls * measured.stored_bytes,
        images=urls * measured.saved_share, shards=shards,
        store_writes=writes, useful_workers=useful, nodes=nodes, delay_s=delay_s,
        cost_nodes=nodes * seconds / 3600 * prices.node_hour,
        cost_writes=writes / 1000 * prices.thousand_writes,
        cost_month=urls * measured.stored_bytes / 1e9 * prices.stored_gb_month,
    )  # fmt: skip
