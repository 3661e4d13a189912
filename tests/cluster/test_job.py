"""A job without a catalog: the same outcomes as a download here, committed once, whatever happens."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.cluster import outcome_tables
from pixtrawl.cluster.beats import WorkerBeat
from pixtrawl.cluster.commits import Commits, roll_up
from pixtrawl.cluster.job.description import read_index, read_job
from pixtrawl.cluster.readers.reading import ShardSet
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_leases import StoreLeases
from pixtrawl.cluster.upkeep import status, sweep
from tests.cluster.servers import LoggedHosts

pytestmark = pytest.mark.timeout(180)
LOOPBACK = ("--allow-address", "127.0.0.0/8")


@pytest.fixture(scope="module")
def site() -> Iterator[LoggedHosts]:
    with LoggedHosts() as running:
        yield running


@pytest.fixture(scope="module")
def manifest(site: LoggedHosts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 URLs of 3 hosts: one twice, one missing, one that is no URL; and a broken line."""
    urls = [site.url(f"127.0.7.{1 + n % 2}", n) for n in range(10)]
    urls += [site.url("127.0.7.3", "missing"), "no url", site.url("127.0.7.3", 90), urls[0]]
    lines = [json.dumps({"url": url, "query": "cats", "own": n}) for n, url in enumerate(urls)]
    path = tmp_path_factory.mktemp("manifest") / "urls.jsonl"
    path.write_text("\n".join([*lines, "{broken"]))
    return path


def prepare(manifest: Path, store: Path, *options: str) -> int:
    return main(
        ["cluster", "prepare", str(manifest), "-o", str(store), "--shard-rows", "4",
         "--min-size", "16", "--junk", "keep", "--lease", "6", *LOOPBACK, *options]
    )  # fmt: skip


def table(store: Store) -> list[dict[str, Any]]:
    rows = []
    for commit in Commits(store).all():
        path = Path(store.url) / commit.outcomes.name
        rows += list(outcome_tables.read_outcomes(path))
    return sorted(rows, key=lambda row: row["row"])


@pytest.fixture(scope="module")
def local(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    ds = pixtrawl.download(
        manifest, output=tmp_path_factory.mktemp("local") / "set", dedup="off", min_size=16,
        junk="keep", allow_address="127.0.0.0/8",
    )  # fmt: skip
    found = [one for one in ds.outcomes() if not one.url.startswith("{")]  # the broken line
    return (
        sorted((one.url, str(one.reason)) for one in found),
        sorted(image.info.sha256 for image in ds),
    )


@pytest.mark.parametrize("to", ["webdataset", "parquet"])
def test_a_job_ends_with_the_outcomes_and_the_files_of_a_download_here(
    to: str, manifest: Path, local: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes, files = local
    assert prepare(manifest, tmp_path / "set", "--to", to) == 0
    said = capsys.readouterr().out
    assert "1 line could not be read" in said
    assert "1 row left out" in said
    assert main(["worker", str(tmp_path / "set"), "-q"]) == 0
    store = Store(tmp_path / "set")
    rows = table(store)
    assert sorted((row["url"], row["reason"]) for row in rows) == outcomes
    assert sorted(row["sha256"] for row in rows if row["status"] == "saved") == files
    assert {json.loads(row["extra"])["own"] for row in rows} == set(range(13))
    found = status(store, read_job(store))
    assert found.is_complete
    assert not found.workers  # it has ended in order
    assert pictures(store, to) == {row["key"]: row["sha256"] for row in rows if row["key"]}


def pictures(store: Store, to: str) -> dict[str, str]:
    import hashlib

    import pyarrow.parquet as pq

    found: dict[str, str] = {}
    for commit in Commits(store).all():
        for entry in commit.data:
            data = store.read(entry.name) or b""
            assert hashlib.sha256(data).hexdigest() == entry.sha256
            if to == "parquet":
                for row in pq.read_table(io.BytesIO(data)).to_pylist():
                    found[row["key"]] = hashlib.sha256(row["image"]["bytes"]).hexdigest()
                continue
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for member in tar:
                    if member.name.endswith(".jpg"):
                        content = tar.extractfile(member)
                        assert content is not None
                        digest = hashlib.sha256(content.read()).hexdigest()
                        found[member.name.removesuffix(".jpg")] = digest
    return found


def test_preparing_again_changes_nothing_and_another_job_is_refused(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "set"
    assert prepare(manifest, store) == 0
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    assert prepare(manifest, store) == 0
    assert {p: p.stat().st_mtime_ns for p in store.rglob("*") if p.is_file()} == before
    assert prepare(manifest, store, "--min-size", "20") == 2
    assert "holds a job of other manifests or settings" in capsys.readouterr().err
    assert prepare(manifest, tmp_path / "other", "-n", "5") == 2
    assert "a job has no -n" in capsys.readouterr().err
    assert prepare(manifest, tmp_path / "other", "--to", "coco") == 2
    assert main(["worker", str(tmp_path / "none")]) == 2
    assert "begin with `pixtrawl cluster prepare" in capsys.readouterr().err


def test_manifests_are_read_from_any_file_system(site: LoggedHosts, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    for n in range(2):
        url = site.url("127.0.7.1", n)
        memory.pipe_file(f"/lists/part-{n}.csv", f"image_url,note\n{url},a\n".encode())
    store = str(tmp_path / "set")
    assert main(["cluster", "prepare", "memory://lists/part-*.csv", "-o", store, "-q"]) == 0
    assert read_job(Store(store)).rows == 2
    assert main(["cluster", "prepare", "memory://lists/none-*.csv", "-o", store, "-q"]) == 2


@pytest.fixture
def prepared(manifest: Path, tmp_path: Path) -> Store:
    assert prepare(manifest, tmp_path / "set", "-q") == 0
    return Store(tmp_path / "set")


def leases_of(store: Store, beat: bool = True) -> StoreLeases:
    job = read_job(store)
    leases = StoreLeases(store, read_index(store, job), job.lease_s)
    if beat:
        leases.beats.write(WorkerBeat(worker=leases.worker, host="here"))
    return leases


def age(store: Store, worker: str, by_s: float) -> None:
    """Let a worker's last beat be older."""
    import os

    path = Path(store.url) / "beats" / f"{worker}.json"
    at = path.stat().st_mtime - by_s
    os.utime(path, (at, at))


def test_a_shard_has_one_holder_until_that_is_lost_or_gives_it_back(prepared: Store) -> None:
    first, second = leases_of(prepared), leases_of(prepared)
    assert first.look()
    assert second.look()  # both have seen the same shards free
    mine = list(iter(first.claim, None))
    assert second.claim() is None
    assert not second.look()
    first.give_back(mine[0])
    assert second.look()
    again = second.claim()
    assert again is not None
    assert (again.entry, again.epoch, again.lost) == (mine[0].entry, 2, 0)
    age(prepared, first.worker, by_s=5.0)
    assert not second.look()  # old, but not old enough
    age(prepared, first.worker, by_s=2.0)
    assert second.look()
    theirs = list(iter(second.claim, None))
    assert {claim.entry for claim in theirs} == {claim.entry for claim in mine[1:]}
    assert {(claim.epoch, claim.lost) for claim in theirs} == {(2, 1)}


def test_the_shards_of_a_chain_are_given_out_one_after_another(prepared: Store) -> None:
    leases = leases_of(prepared)
    leases.look()
    claims = list(iter(leases.claim, None))
    chained = [claim.entry for claim in claims if claim.entry.chain != claim.entry.id]
    assert chained
    assert {entry.place for entry in chained} == {0}


def test_a_shard_that_ends_its_workers_is_given_up_with_its_rows_reported(prepared: Store) -> None:
    for _ in range(6):
        lost = leases_of(prepared)
        lost.look()
        while lost.claim() is not None:
            pass
        age(prepared, lost.worker, by_s=60.0)
    assert main(["worker", prepared.url, "-q"]) == 0  # chains go on behind their lost first shard
    rows = table(prepared)
    given_up = [row for row in rows if row["reason"] == "worker_lost"]
    assert given_up
    assert {row["status"] for row in given_up} == {"failed"}
    assert "6 workers ended over its shard" in given_up[0]["detail"]
    assert status(prepared, read_job(prepared)).lost_shards == len(
        {row["shard"] for row in given_up}
    )


def test_orphans_are_swept_and_commits_rolled_up_and_nothing_changes_for_readers(
    prepared: Store,
) -> None:
    assert main(["worker", prepared.url, "-q"]) == 0
    before = table(prepared)
    commits = list(Commits(prepared).all())
    late = commits[0].shard
    for name in (f"data/{late}-009-0badcafe-00.tar", f"outcomes/{late}-009-0badcafe.parquet"):
        prepared.put(name, b"of an attempt that came too late")
    prepared.put("data/g-0000000000000000-001-0badcafe-00.tar", b"of a shard without a commit")
    swept = sweep(prepared, older_s=3600)
    assert (swept.removed, swept.kept) == (2, 1)
    assert sweep(prepared, older_s=0).removed == 1
    assert roll_up(prepared) == (len(commits), 1)
    assert [entry.name for entry in prepared.entries("commits")] == []
    assert prepared.entries("leases") == []
    assert table(prepared) == before
    assert roll_up(prepared) == (0, 0)
    # A worker that comes back late commits beside the roll-up: not counted, not read.
    assert not Commits(prepared).create(commits[0])
    assert main(["worker", prepared.url, "-q"]) == 0
    assert table(prepared) == before


def test_a_download_goes_on_with_a_prepared_job_in_shards_of_its_size(
    manifest: Path, tmp_path: Path
) -> None:
    store = tmp_path / "set"
    assert prepare(manifest, store) == 0
    again = ["--min-size", "16", "--junk", "keep", *LOOPBACK, "-q"]
    assert main(["download", str(manifest), "-o", store.as_uri(), *again]) == 0
    job = read_job(Store(store))
    assert job.shard_rows == 4
    assert status(Store(store), job).is_complete


def test_engine_ray_asks_for_a_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["run", "cats", "--engine", "ray", "-o", str(tmp_path / "set")]) == 2
    assert "`pixtrawl discover`" in capsys.readouterr().err
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/a.jpg\n")
    words = ["download", str(tmp_path / "urls.txt"), "-o", str(tmp_path / "other")]
    assert main([*words, "--address", "auto"]) == 2
    assert main([*words, "--engine", "ray", "-n", "3"]) == 2
    assert "has no -n" in capsys.readouterr().err


def test_options_without_a_meaning_for_shards_are_refused(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["download", str(manifest), "-o", "memory://refused/set"]
    for option in (["--max-time", "5"], ["--dedup", "near"], ["--set", "job.retry=none"]):
        assert main([*words, *option]) == 2
        assert f"{option[0]} has no meaning" in capsys.readouterr().err.replace(
            "--set job.retry", "--set"
        )


def test_a_store_that_overwrites_has_one_worker(
    prepared: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Store, "_create", Store._put)
    other = leases_of(prepared)
    assert main(["worker", prepared.url, "-q"]) == 5
    assert "only one worker can use it" in capsys.readouterr().err
    other.beats.end(other.worker)
    assert main(["worker", prepared.url]) == 0
    assert "this worker works alone" in capsys.readouterr().err
    assert status(prepared, read_job(prepared)).is_complete


def test_a_job_in_a_real_object_store_is_carried_out(
    manifest: Path, local: Any, object_store: Store, tmp_path: Path
) -> None:
    store = object_store
    words = ["--shard-rows", "4", "--min-size", "16", "--junk", "keep", *LOOPBACK]
    prepare = ["cluster", "prepare", str(manifest), "-o", store.url, "-q", *words]
    assert main(prepare) == 0
    assert main(["worker", store.url, "-q"]) == 0
    assert main(prepare) == 0
    found = ShardSet(store).outcomes()
    assert sorted((one.url, str(one.reason)) for one in found) == local[0]
    assert roll_up(store)[1] == 1
    assert ShardSet(store).report().totals.saved == len(local[1])
    collect = ["cluster", "collect", store.url, "-o", str(tmp_path / "images"), "-q"]
    assert main([*collect, "--dedup", "off"]) == 0
    assert sorted(one.info.sha256 for one in pixtrawl.open(tmp_path / "images")) == local[1]


def test_a_download_to_a_url_is_a_set_of_shards(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["download", str(manifest), "-o", "memory://download/set", "--json", "-q", *LOOPBACK]
    assert main([*words, "--min-size", "16", "--junk", "keep"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["complete"], told["rows"], told["saved"]) == (True, 13, 11)
    assert told["reasons"] == {"saved": 11, "not_found": 1, "bad_url": 1}
    assert read_job(Store("memory://download/set")).to == "webdataset"
