"""Hosts that pass from one lease to the next: their pace goes on, and requests of other leases."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from pixtrawl.config.groups import Fetch, Images, Politeness
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.host_leases import HostLeases
from pixtrawl.engines.lease import Lease
from pixtrawl.engines.shard_worker import ShardWorker
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, Outcome, Reason
from pixtrawl.net.hosts.state import HostState
from tests.engines.feed import Hosts, task

pytestmark = pytest.mark.timeout(60)


def nothing_taken_down(candidate: Candidate, url: str) -> str | None:
    return None


def spec(staging: Path, delay_s: float) -> WorkerSpec:
    return WorkerSpec(
        fetch=Fetch(allow_address=("127.0.0.0/8",)),
        politeness=Politeness(
            delay_s=delay_s, per_host=1, ignore_robots=True, ignore_ai_preferences=True
        ),
        rules=Rules(Images(check="none")), taken_down=nothing_taken_down, staging=staging,
    )  # fmt: skip


def carried_out(leases: list[Lease], staging: Path, delay_s: float) -> dict[int, Outcome]:
    got: dict[int, Outcome] = {}

    async def main() -> None:
        worker = await ShardWorker.open(spec(staging, delay_s), silence_s=float("inf"))
        try:
            await asyncio.gather(
                *(worker.carry_out(one, lambda t, o: got.__setitem__(t.id, o)) for one in leases)
            )
        finally:
            await worker.aclose()

    asyncio.run(main())
    return got


def test_a_redirect_that_waits_for_a_host_whose_lease_ends_goes_on(tmp_path: Path) -> None:
    def answer(host: str, path: str) -> str | float | None:
        return hosts.url(1, "9") if host == "127.0.7.2" else 0.1

    with Hosts(answer) as hosts:
        here = Lease(id="a", tasks=(task(1, hosts.url(1, "1")),))
        elsewhere = Lease(id="b", tasks=(task(2, hosts.url(2, "2")),))
        got = carried_out([here, elsewhere], tmp_path, delay_s=0.4)
        assert {one.reason for one in got.values()} == {Reason.SAVED}


def test_rows_that_were_leased_before_begin_after_a_delay(tmp_path: Path) -> None:
    with Hosts(lambda host, path: None) as hosts:
        for epoch, least_s in ((1, 0.0), (2, 0.4)):
            lease = Lease(id="a", epoch=epoch, tasks=(task(epoch, hosts.url(3, str(epoch))),))
            began = time.monotonic()
            carried_out([lease], tmp_path, delay_s=0.4)
            assert hosts.log[-1][0] - began >= least_s


def test_hosts_of_a_lost_worker_rest_for_their_delay_as_well() -> None:
    now, granted = [0.0], list[tuple[int, str]]()

    def grant(holder: int, state: HostState) -> None:
        granted.append((holder, state.host))

    leases = HostLeases(lambda: now[0], grant, lambda holder, host: None, rest_s=37.0)
    leases.wants(1, "a")
    leases.lost(1)
    leases.wants(2, "a")
    now[0] = 36.0
    leases.look()
    assert granted == [(1, "a")]
    now[0] = 37.0
    leases.look()
    assert granted == [(1, "a"), (2, "a")]
