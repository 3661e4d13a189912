"""Commands and calls that make a set of shards: what they print, count, return and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pixtrawl
import pixtrawl.errors
from pixtrawl.cli.main import main
from tests.cluster.scenes import LABELS

pytestmark = pytest.mark.timeout(240)


def test_a_worker_and_the_status_of_its_job_tell_metrics_and_lines(
    scenes_list: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, prom, log = str(tmp_path / "set"), tmp_path / "worker.prom", tmp_path / "worker.log"
    words = ["--min-size", "16", "--shard-rows", "4", "-q"]
    assert main(["cluster", "prepare", str(scenes_list), "-o", store, *words]) == 0
    told = ["--metrics", str(prom), "--log", str(log)]
    assert main(["worker", store, "--no-progress", *told]) == 0
    assert 'pixtrawl_urls_total{status="saved",reason="saved"} 13' in prom.read_text()
    assert "pixtrawl_shards_committed_total 4" in prom.read_text()
    lines = log.read_text().splitlines()
    assert sum(" url reason=" in line for line in lines) == 14
    assert sum(" shard shard=" in line for line in lines) == 4
    status = ["cluster", "status", store, "--watch", "0.1", "--metrics", str(tmp_path / "job.prom")]
    assert main(status) == 0  # the job is complete: it looks once
    text = (tmp_path / "job.prom").read_text()
    assert "pixtrawl_job_shards_committed_total 4" in text
    assert 'pixtrawl_job_rows_settled_total{reason="saved"} 13' in text
    assert main(["cluster", "status", store, "--metrics", "0"]) == 2
    assert "needs --watch" in capsys.readouterr().err


def test_processes_do_not_fill_a_store(
    scenes_list: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["download", str(scenes_list), "-o", "memory://processes/set", "--engine", "processes"]
    assert main(words) == 2
    assert "`pixtrawl worker memory://processes/set`" in capsys.readouterr().err


def test_a_download_in_python_to_a_url_is_a_set_of_shards(
    scenes_list: Path, tmp_path: Path
) -> None:
    rows = list(map(json.loads, scenes_list.read_text().splitlines()))
    for lists in (scenes_list, rows):
        place = f"memory://python/{type(lists).__name__}"
        ds = pixtrawl.download(lists, output=place, min_size=16, progress=False)
        assert len(ds) == 13
        assert ds.labels == list(LABELS)
        assert ds.report.totals.saved == 13
        assert {one.own.get("price") for one in ds} >= {0.0, 0.5}
        assert len(pixtrawl.download(lists, output=place, min_size=16, progress=False)) == 13
    for wrong in ({"limit": 3}, {"dedup": "exact"}, {"max_time": 5}, {"engine": "processes"}):
        with pytest.raises(pixtrawl.errors.UsageError, match="set of shards"):
            pixtrawl.download(rows, output="memory://python/wrong", **wrong)
    with pytest.raises(pixtrawl.errors.UsageError, match="is a URL"):
        pixtrawl.run("cats", output="memory://python/run", progress=False)
