"""What `cluster plan` says follows from its sample by plain arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pixtrawl.cli.main import main
from pixtrawl.cluster.commits import Commit, ObjectEntry
from pixtrawl.cluster.job.description import JobDescription, read_job
from pixtrawl.cluster.job.plan import Measured, Prices, measure, plan
from pixtrawl.cluster.store import Store


@pytest.fixture
def job(tmp_path: Path) -> JobDescription:
    """A job of 40 rows of one host and 60 of others."""
    manifest = tmp_path / "urls.txt"
    urls = [f"http://a{max(0, n - 39)}.test/{n}.jpg" for n in range(100)]
    manifest.write_text("\n".join(urls))
    words = ["--delay", "0.5", "--lease", "30", "-q"]
    assert main(["cluster", "prepare", str(manifest), "-o", str(tmp_path / "set"), *words]) == 0
    return read_job(Store(tmp_path / "set"))


def committed(second: int, rows: int = 100) -> Commit:
    entry = ObjectEntry(name="o", size_bytes=1, sha256="", rows=rows)
    return Commit(
        shard="s", attempt="a", worker="w", rows=rows, outcomes=entry, reasons={"saved": rows},
        begun_at="2026-01-01T00:00:00Z", ended_at=f"2026-01-01T00:00:{second:02d}Z",
    )  # fmt: skip


def test_a_sample_that_waited_for_its_largest_host_is_no_measure_of_a_worker(
    job: JobDescription,
) -> None:
    assert measure(job, [committed(22)]).is_paced  # 40 URLs at 0.5 s
    assert not measure(job, [committed(50)]).is_paced
    few, many = measure(job, [committed(50)]), measure(job, [committed(50, rows=10_000)])
    assert [one for one in few.doubts if "100 rows" in one]
    assert many.doubts == Measured().doubts == []


def test_a_plan_keeps_the_pace_of_its_sample(
    job: JobDescription, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path / "set")
    store.put("commits/s.json", msgspec.json.encode(committed(50)))
    words = ["cluster", "plan", "--urls", "1e6", "--sample", store.url, "--json"]
    capsys.readouterr()
    hours = {}
    for delay in ([], ["--delay", "0.1"]):
        assert main([*words, *delay]) == 0
        told = json.loads(capsys.readouterr().out)
        hours[told["delay_s"]] = told["hours_by_largest_host"]
    assert hours == {
        0.5: pytest.approx(400_000 * 0.5 / 3600),
        0.1: pytest.approx(400_000 * 0.1 / 3600),
    }


def test_beats_of_idle_workers_are_writes_too() -> None:
    def writes(nodes: int) -> int:
        return plan(
            10**6, Measured(lease_s=45), nodes=nodes, cores=5, delay_s=1, shard_rows=1_000,
            largest_urls=36_000,
        ).store_writes  # fmt: skip

    assert writes(1) == 6 * 1_000 + 36_000 / 5  # ten hours by the largest host, a beat each 5 s
    assert writes(10) - writes(1) == 9 * 36_000 / 5


def test_the_cost_is_of_machines_writes_and_space() -> None:
    prices = Prices(node_hour=2, stored_gb_month=0.5, thousand_writes=0.1)
    found = plan(
        10**9, Measured(), nodes=100, cores=5, delay_s=0.1, shard_rows=10_000, prices=prices
    )
    assert found.hours == pytest.approx(10**9 / (100 * Measured().worker_rate) / 3600)
    assert found.cost_nodes == pytest.approx(100 * found.hours * 2)
    assert found.cost_writes == pytest.approx(found.store_writes / 1_000 * 0.1)
    assert found.cost_month == pytest.approx(129_000 * 0.5)


def test_a_plan_in_words_has_machines_pace_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cluster", "plan", "--urls", "1e9", "--nodes", "100", "--cores", "16"]
    assert main([*words, "--price-node", "0.5", "--largest-host", "1e6"]) == 0
    told = capsys.readouterr().out
    assert "100 machines with 1,600 cores, 300 workers" in told
    assert "every host: at most 10.0 requests a second (--delay 0.1)" in told
    assert "cost: 1,388.89 (machines 1,388.89" in told
    assert main([*words, "--price-node", "-1"]) == 2
