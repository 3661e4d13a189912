"""A set of shards is read like a data set: report, outcomes, and a folder made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.cluster.commits import Commit, ObjectEntry
from pixtrawl.cluster.job.description import read_job
from pixtrawl.cluster.job.plan import Measured, measure, plan
from pixtrawl.cluster.store import Store
from tests.cluster.servers import LoggedHosts
from tests.cluster.test_job import LOOPBACK

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module", params=["webdataset", "parquet"])
def shards(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine rows of two queries: seven pictures, two of them with the same bytes; two missing."""
    folder = tmp_path_factory.mktemp("shards")
    with LoggedHosts() as site:
        paths: list[int | str] = [0, 1, 2, 3, 4, "same-56", "same-65", "a-missing", "b-missing"]
        rows = [
            {"url": site.url(f"127.0.6.{1 + n % 2}", path), "query": f"q{n % 2}", "title": f"t{n}"}
            for n, path in enumerate(paths)
        ]
        manifest = folder / "urls.jsonl"
        manifest.write_text("\n".join(map(json.dumps, rows)))
        words = ["--min-size", "16", "--junk", "keep", "--shard-rows", "3", "-q", *LOOPBACK]
        store = str(folder / "set")
        to = str(request.param)
        assert main(["cluster", "prepare", str(manifest), "-o", store, "--to", to, *words]) == 0
        assert main(["worker", store, "-q"]) == 0
    return folder / "set"


def test_report_tells_a_set_of_shards_as_a_run(
    shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(shards), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["reasons"] == {"saved": 7, "not_found": 2}
    assert (told["totals"]["candidates"], told["end_reason"]) == (9, "done")
    assert [(query["query"], query["saved"]) for query in told["queries"]] == [("q0", 4), ("q1", 3)]
    assert main(["report", shards.as_uri()]) == 0
    assert "q1" in capsys.readouterr().out
    assert main(["report", str(shards), "--status", "failed", "--query", "q1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["reason"] for line in lines] == ["not_found"]
    assert main(["report", str(shards), "--html", "page.html"]) == 2
    assert "pixtrawl cluster collect" in capsys.readouterr().err


def test_a_folder_is_made_of_a_set_of_shards_with_the_duplicates_of_all_shards_found(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    collect = ["cluster", "collect", str(shards), "-o", str(folder), "--dedup", "exact", "-q"]
    assert main([*collect, "--label", "all"]) == 0  # nobody is asked: the servers are gone
    ds = pixtrawl.open(folder)
    assert dict(ds.report["reasons"]) == {"saved": 6, "not_found": 2, "same_bytes": 1}
    assert {sample.candidate.title for sample in ds} <= {f"t{n}" for n in range(7)}
    assert main([*collect, "--label", "all"]) == 0
    assert len(pixtrawl.open(folder)) == 6
    assert main(["lock", str(folder), "-o", str(tmp_path / "lock.jsonl")]) == 0
    out = tmp_path / "csv"
    assert main(["export", str(folder), "--to", "csv", "-o", str(out)]) == 0
    capsys.readouterr()


def test_what_needs_a_folder_says_how_to_make_one(
    shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(shards)]) == 2
    assert "pixtrawl cluster collect" in capsys.readouterr().err


def test_a_plan_follows_from_a_measured_sample(
    shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["cluster", "plan", "--urls", "1e6", "--sample", str(shards), "--nodes", "3", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["measured"]["is_measured"]
    assert told["workers"] == 3
    job = read_job(Store(shards))
    assert told["largest_host_urls"] == round(1e6 * job.largest_rows / job.rows)
    assert main(["cluster", "plan", "--urls", "many"]) == 2
    assert main(["cluster", "plan", "--urls", "1e9", "--nodes", "100"]) == 0
    assert "largest host: not known" in capsys.readouterr().out


def test_the_largest_host_is_the_floor_of_a_plan() -> None:
    def hours(nodes: int, largest: int) -> float:
        return plan(
            10**9, Measured(), nodes=nodes, cores=5, delay_s=0.1, shard_rows=1_000,
            largest_urls=largest,
        ).hours  # fmt: skip

    assert hours(1, 0) == pytest.approx(10**9 / Measured().worker_rate / 3600)
    assert hours(100, 0) == pytest.approx(hours(1, 0) / 100)
    assert hours(100, 10**7) == pytest.approx(10**7 * 0.1 / 3600)
    found = plan(
        10**9, Measured(worker_rate=1_000), nodes=100, cores=5, delay_s=0.1, shard_rows=1_000,
        largest_urls=10**6,
    )  # fmt: skip
    assert found.useful_workers == 10
    assert found.largest_host_urls_s == pytest.approx(10.0)
    slow = plan(
        10**6, Measured(), nodes=10, cores=5, delay_s=0, shard_rows=1_000, bandwidth_bit_s=1e8
    )
    assert slow.bandwidth_bit_s == pytest.approx(1e8)


def test_the_rate_of_a_sample_is_that_of_one_worker(shards: Path) -> None:
    entry = ObjectEntry(name="o", size_bytes=1, sha256="", rows=100)
    commits = [
        Commit(
            shard=str(n), attempt="a", worker=f"w{n % 2}", rows=100, outcomes=entry,
            reasons={"saved": 80}, fetched_bytes=1_000, begun_at=f"2026-01-01T00:00:{10 * n:02d}Z",
            ended_at=f"2026-01-01T00:00:{10 * n + 10:02d}Z",
        )
        for n in range(4)
    ]  # fmt: skip
    found = measure(read_job(Store(shards)), commits)
    assert found.worker_rate == pytest.approx(400 / 60)  # two workers, 30 s each
    assert (found.saved_share, found.url_bytes) == (0.8, 10)


def test_the_view_of_the_documents_gives_the_outcomes_in_duckdb(shards: Path) -> None:
    duckdb = pytest.importorskip("duckdb")  # installed by `make test-cluster`
    text = (Path(__file__).parents[2] / "docs/scale.md").read_text()
    view, by_reason, by_label = text.split("```sql\n")[1].split("```")[0].split(";")[:3]
    db = duckdb.connect()
    db.execute(view.replace("'set/", f"'{shards}/"))
    assert db.execute(by_reason).fetchall() == [("saved", 7), ("not_found", 2)]
    assert sorted(count for _, count in db.execute(by_label).fetchall()) == [3, 4]
    assert sum(row[0] for row in db.execute("SELECT count(*) FROM outcomes").fetchall()) == 9
