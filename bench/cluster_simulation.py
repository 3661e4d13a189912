"""Simulation of a job of 1e9 URLs on 100 machines whose hosts are of Zipf sizes: arithmetic only.

    python -m bench.cluster_simulation [--urls 1e9] [--nodes 100] [--cores 16] [--delay 0.1]

No network and no store: shards are packed as `cluster.job.partition` packs them, given out as
`cluster.store_leases` gives them out (chains first, then at random, at most 32 to a worker), and
carried out at the rate that `bench.worker_rate` has measured. Between two events every worker
divides its rate among its shards, none of which goes faster than its largest host allows. Not in
it: hosts in trouble, unequal sizes of pictures, a line that is full, and the store's own time.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import deque
from typing import Final, NamedTuple

import numpy as np

from pixtrawl.cluster.job.plan import Measured, plan

_CORES_OF_A_WORKER: Final = 5
_MOST_LEASES: Final = 32  # cluster.workers.store_worker
_SHARES: Final = (0.5, 0.9, 0.99, 0.999, 1.0)


class SimulatedShard(NamedTuple):
    """A shard: its rows, and the most URLs a second that its largest host allows."""

    rows: int
    limit: float
    chain: int  # -1: small groups, packed together


class Outcome(NamedTuple):
    """The result of a simulation. Times are hours."""

    largest_share: float
    shards: int
    chains: int
    hours_at: dict[float, float]  # until this share of all rows was committed
    again_rows: int  # fetched twice, as their worker was lost
    busy: float  # share of the workers' rate used, until 99 % were done


def group_sizes(urls: int, hosts: int, exponent: float) -> np.ndarray:
    """Return the URLs of each host group, the largest first: Zipf with this exponent."""
    weights = np.arange(1, hosts + 1, dtype=np.float64) ** -exponent
    sizes: np.ndarray = np.floor(weights * (urls / weights.sum())).astype(np.int64)
    missing = urls - int(sizes.sum())
    sizes[: missing % hosts] += 1
    sizes += missing // hosts
    return sizes


def packed(sizes: np.ndarray, shard_rows: int, delay_s: float, seed: int) -> list[SimulatedShard]:
    """Return the shards, those of a chain in order."""
    pace = 1 / delay_s
    shards: list[SimulatedShard] = []
    large = sizes[sizes > shard_rows]
    for chain, rows in enumerate(large.tolist()):
        shards += [
            SimulatedShard(min(rows - done, shard_rows), pace, chain)
            for done in range(0, rows, shard_rows)
        ]
    small = sizes[(sizes <= shard_rows) & (sizes > 0)]
    np.random.default_rng(seed).shuffle(small)
    ends = np.cumsum(small)
    start, done = 0, 0
    while start < len(small):
        end = max(start + 1, int(np.searchsorted(ends, done + shard_rows, "right")))
        rows, largest = int(ends[end - 1]) - done, int(small[start:end].max())
        shards.append(SimulatedShard(rows, pace * rows / largest, -1))
        start, done = end, int(ends[end - 1])
    return shards


class _Worker:
    """Shards at work, as a fluid: [rows left, limit, shard]."""

    def __init__(self) -> None:
        self.shards: list[list[float]] = []
        self.rates: list[float] = []
        self.at = 0.0
        self.version = 0

    def go_to(self, now: float) -> float:
        """Let time pass; return the rows done meanwhile."""
        passed, self.at = now - self.at, now
        done = 0.0
        for one, rate in zip(self.shards, self.rates, strict=True):
            one[0] -= rate * passed
            done += rate * passed
        return done

    def share_out(self, capacity: float) -> None:
        """Divide the rate: nobody above its limit, the rest to those that can use it."""
        self.rates = [0.0] * len(self.shards)
        left = capacity
        order = sorted(range(len(self.shards)), key=lambda at: self.shards[at][1])
        for place, at in enumerate(order):
            self.rates[at] = min(self.shards[at][1], left / (len(order) - place))
            left -= self.rates[at]
        self.version += 1

    def next_s(self) -> float:
        """Return the seconds until a shard is done."""
        return min(
            (one[0] / rate for one, rate in zip(self.shards, self.rates, strict=True) if rate),
            default=float("inf"),
        )


class Simulation:
    """A job under way."""

    def __init__(
        self, shards: list[SimulatedShard], workers: int, rate: float, lost_every_s: float,
        lease_s: float, seed: int,
    ) -> None:  # fmt: skip
        self._rate = rate
        self._shards = shards
        self._workers = [_Worker() for _ in range(workers)]
        self._random = random.Random(seed)
        self._lost_every_s = lost_every_s
        self._lease_s = lease_s
        chains: dict[int, deque[int]] = {}
        for at, one in enumerate(shards):
            if one.chain >= 0:
                chains.setdefault(one.chain, deque()).append(at)
        self._chains = chains
        firsts = [chain.popleft() for chain in chains.values()]
        mixed = [at for at, one in enumerate(shards) if one.chain < 0]
        self._random.shuffle(firsts)
        self._random.shuffle(mixed)
        self._free = [*mixed, *firsts]  # taken from the end: chains first
        self._events: list[tuple[float, int, int]] = []  # time, worker (minus: lost), version
        self.again_rows = 0.0
        self.used: list[tuple[float, float]] = []  # time, rows done by then

    def run(self) -> list[tuple[float, float]]:
        """Return the time of each commit, and the rows committed by then."""
        for number in range(len(self._workers)):
            self._fill(number, 0.0)
            self._push_loss(number, 0.0)
        committed, done, left = 0.0, [], len(self._shards)
        while left:
            now, number, version = heapq.heappop(self._events)
            if number < 0:
                self._lose(-number - 1, now)
                continue
            worker = self._workers[number]
            if version != worker.version:
                continue
            worker.go_to(now)
            ended = [one for one in worker.shards if one[0] <= 1e-6 * self._rate]
            worker.shards = [one for one in worker.shards if one[0] > 1e-6 * self._rate]
            for one in ended:
                shard = self._shards[int(one[2])]
                committed += shard.rows
                left -= 1
                chain = self._chains.get(shard.chain)
                if chain:
                    self._free.append(chain.popleft())
            done.append((now, committed))
            self._fill(number, now)
        return done

    def _fill(self, number: int, now: float) -> None:
        worker = self._workers[number]
        while self._free and len(worker.shards) < _MOST_LEASES and self._has_room(worker):
            at = self._free.pop()
            shard = self._shards[at]
            worker.shards.append([float(shard.rows), shard.limit, float(at)])
        worker.at = now
        worker.share_out(self._rate)
        if worker.shards:
            heapq.heappush(self._events, (now + worker.next_s(), number, worker.version))

    def _has_room(self, worker: _Worker) -> bool:
        return sum(one[1] for one in worker.shards) < self._rate

    def _push_loss(self, number: int, now: float) -> None:
        if self._lost_every_s:
            after = self._random.expovariate(1 / self._lost_every_s)
            heapq.heappush(self._events, (now + after, -number - 1, 0))

    def _lose(self, number: int, now: float) -> None:
        """A worker ends; its shards begin anew elsewhere, and another takes its place."""
        worker = self._workers[number]
        worker.go_to(now)
        for rows, _, at in worker.shards:
            self.again_rows += self._shards[int(at)].rows - max(0.0, rows)
            self._free.append(int(at))
        worker.shards, worker.rates = [], []
        worker.version += 1
        back = now + self._lease_s
        heapq.heappush(self._events, (back, number, worker.version))
        self._push_loss(number, back)


def simulate(
    urls: int, hosts: int, exponent: float, *, nodes: int, cores: int, delay_s: float,
    shard_rows: int, lost_every_h: float = 24.0, seed: int = 1,
) -> Outcome:  # fmt: skip
    """Simulate a job; see the module."""
    sizes = group_sizes(urls, hosts, exponent)
    shards = packed(sizes, shard_rows, delay_s, seed)
    workers = nodes * max(1, round(cores / _CORES_OF_A_WORKER))
    rate = Measured().worker_rate
    job = Simulation(shards, workers, rate, lost_every_h * 3600, 45.0, seed)
    times = job.run()
    hours_at = {
        share: next(at for at, rows in times if rows >= share * urls * (1 - 1e-9)) / 3600
        for share in _SHARES
    }
    return Outcome(
        largest_share=int(sizes[0]) / urls, shards=len(shards),
        chains=len({one.chain for one in shards if one.chain >= 0}), hours_at=hours_at,
        again_rows=round(job.again_rows),
        busy=0.99 * urls / (workers * rate * 3600 * hours_at[0.99]),
    )  # fmt: skip


def main() -> None:
    """Print a table over several exponents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--urls", type=float, default=1e9)
    parser.add_argument("--hosts", type=float, default=1e7)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--cores", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.1)
    parser.add_argument("--shard-rows", type=int, default=10_000)
    given = parser.parse_args()
    urls = int(given.urls)
    print(
        "| exponent | largest host | shards, chains | hours to 50 % | 90 % | 99 % | 99.9 % | all |"
    )
    print(" floor by `cluster plan` | busy to 99 % | fetched twice |")
    for exponent in (0.6, 0.7, 0.8, 0.9, 1.0):
        found = simulate(
            urls, int(given.hosts), exponent, nodes=given.nodes, cores=given.cores,
            delay_s=given.delay, shard_rows=given.shard_rows,
        )  # fmt: skip
        floor = plan(
            urls, Measured(), nodes=given.nodes, cores=given.cores, delay_s=given.delay,
            shard_rows=given.shard_rows, largest_urls=round(urls * found.largest_share),
        ).hours  # fmt: skip
        hours = " | ".join(f"{one:,.1f}" for one in found.hours_at.values())
        print(
            f"| {exponent} | {found.largest_share:.3%} | {found.shards:,}, {found.chains:,} | "
            f"{hours} | {floor:,.1f} | {found.busy:.0%} | {found.again_rows / urls:.2%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
