"""What is told from the commits of a job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from pixtrawl.cluster.commits import Commit, ObjectEntry, time_at_work_s

OUTCOMES = ObjectEntry(name="outcomes/o.parquet", size_bytes=1, sha256="", rows=1)
SPANS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 600)), max_size=12)


def commit(shard: int, ended_s: int, took_s: int) -> Commit:
    return Commit(
        shard=str(shard), attempt="a", worker=f"w{shard % 2}", rows=1, outcomes=OUTCOMES,
        reasons={"saved": 1}, begun_at=at(ended_s - took_s), ended_at=at(ended_s),
    )  # fmt: skip


def at(second: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat()


def test_shards_at_work_at_once_count_once_and_pauses_not_at_all() -> None:
    together = [commit(0, 100, 60), commit(1, 110, 30), commit(2, 105, 5)]
    assert time_at_work_s(together) == pytest.approx(70)
    assert time_at_work_s([*together, commit(3, 3_600, 10)]) == pytest.approx(80)
    assert time_at_work_s([]) == 0


@given(SPANS)
def test_the_time_at_work_is_that_of_the_seconds_in_which_a_shard_was(
    spans: list[tuple[int, int]],
) -> None:
    seconds = {second for begin, length in spans for second in range(begin, begin + length)}
    commits = [commit(n, begin + length, length) for n, (begin, length) in enumerate(spans)]
    assert time_at_work_s(commits) == pytest.approx(len(seconds))
