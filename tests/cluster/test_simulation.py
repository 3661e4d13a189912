"""The simulation of large jobs agrees with the plan where one of the two bounds decides alone."""

from __future__ import annotations

import pytest
from bench.cluster_simulation import group_sizes, packed, simulate

from pixtrawl.cluster.job.plan import Measured, plan


def test_shards_of_the_simulation_hold_every_url_once() -> None:
    sizes = group_sizes(100_000, 3_000, 1.0)
    shards = packed(sizes, 1_000, 0.1, seed=1)
    assert sizes.sum() == sum(one.rows for one in shards) == 100_000
    assert max(one.rows for one in shards) <= 1_000
    assert {one.limit for one in shards if one.chain >= 0} == {10.0}


@pytest.mark.parametrize(("exponent", "delay_s"), [(0.3, 0.001), (1.0, 0.1)])
def test_a_simulated_job_takes_what_the_plan_says(exponent: float, delay_s: float) -> None:
    """By the workers where no host is large, by the largest host where one is."""
    urls, nodes = 3_000_000, 4
    found = simulate(
        urls, 30_000, exponent, nodes=nodes, cores=5, delay_s=delay_s, shard_rows=1_000,
        lost_every_h=0.0,
    )  # fmt: skip
    told = plan(
        urls, Measured(), nodes=nodes, cores=5, delay_s=delay_s, shard_rows=1_000,
        largest_urls=round(urls * found.largest_share),
    ).hours  # fmt: skip
    assert found.hours_at[1.0] == pytest.approx(told, rel=0.05)
    assert found.again_rows == 0


def test_lost_workers_cost_the_shards_they_had_and_nothing_else() -> None:
    found = simulate(
        1_000_000, 10_000, 0.3, nodes=4, cores=5, delay_s=0.001, shard_rows=1_000,
        lost_every_h=0.02,
    )  # fmt: skip
    assert 0 < found.again_rows < 200_000
