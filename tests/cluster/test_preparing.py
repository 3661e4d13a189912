"""What `cluster prepare` writes is one job, whole, whoever else prepares, and misuse is one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import fsspec
import pytest

from pixtrawl.cli.main import main
from pixtrawl.cluster.job import description as jobs
from pixtrawl.cluster.job.description import read_index, read_job, read_rows_of
from pixtrawl.cluster.store import Store
from pixtrawl.errors import UsageError


def write_list(path: Path, title: str, hosts: Sequence[str] = ("a.example", "b.example")) -> Path:
    rows = [{"url": f"http://{host}/{n}.jpg", "title": title} for host in hosts for n in range(3)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def prepare(manifest: Path | str, store: Path, *options: str) -> int:
    return main(["cluster", "prepare", str(manifest), "-o", str(store), "-q", *options])


def titles(place: Path) -> set[str | None]:
    store = Store(place)
    entries = read_index(store, read_job(store))
    return {row.candidate.title for one in entries for row in read_rows_of(store, one.id)}


def test_of_two_that_prepare_at_once_the_first_has_the_store_and_its_own_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_list(tmp_path / "first.jsonl", "first")
    second = write_list(tmp_path / "second.jsonl", "second", ("c.example",))
    assert prepare(first, tmp_path / "set") == 0
    index = sorted((tmp_path / "set/index").iterdir())
    monkeypatch.setattr(jobs, "has_job", lambda _: False)  # looked before the first was there
    assert prepare(second, tmp_path / "set") == 2
    assert "holds a job of other manifests" in capsys.readouterr().err
    assert titles(tmp_path / "set") == {"first"}
    assert sorted((tmp_path / "set/index").iterdir()) == index


def test_a_list_that_says_other_things_of_the_same_urls_is_another_job(tmp_path: Path) -> None:
    assert prepare(write_list(tmp_path / "a.jsonl", "one"), tmp_path / "set") == 0
    assert prepare(write_list(tmp_path / "a.jsonl", "other"), tmp_path / "set") == 2
    assert titles(tmp_path / "set") == {"one"}


def test_preparing_again_writes_what_the_job_has_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, place = write_list(tmp_path / "a.jsonl", "one"), tmp_path / "set"
    assert prepare(manifest, place, "--shard-rows", "3") == 0
    rows = sorted((place / "shards").iterdir())
    before = [path.read_bytes() for path in rows]
    rows[0].unlink()
    rows[1].write_bytes(b"")  # a power cut leaves files without their bytes
    assert main(["worker", str(place), "-q"]) == 5
    assert "the same `pixtrawl cluster prepare` writes it again" in capsys.readouterr().err
    other = write_list(tmp_path / "b.jsonl", "other", ("c.example",))
    assert prepare(other, place) == 2
    assert len(list((place / "shards").iterdir())) == 1
    assert main(["cluster", "prepare", str(manifest), "-o", str(place), "--shard-rows", "3"]) == 0
    assert "2 objects of the job were gone or damaged" in capsys.readouterr().err
    assert [path.read_bytes() for path in rows] == before


def test_a_job_of_a_newer_version_is_refused_whatever_else_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"version": 2, "shards": "many"}')
    with pytest.raises(UsageError, match="of a newer pixtrawl"):
        read_job(Store(tmp_path))


def test_remote_manifests_may_have_the_names_of_our_own_files(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    lines = b'{"url": "http://a.example/1.jpg"}\n{broken\n'
    memory.pipe_file("/named/bad-lines.jsonl", lines)
    memory.pipe_file("/named/0.rows", b"http://a.example/2.jpg\n")
    assert prepare("memory://named/*", tmp_path / "set") == 0
    assert read_job(Store(tmp_path / "set")).rows == 2
    bad = json.loads((tmp_path / "set/bad-lines.jsonl").read_text())
    assert bad["text"] == "{broken"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["prepare", "LIST", "-o", "STORE", "--lease", "nan"], "--lease: 'nan' is no number"),
        (["prepare", "LIST", "-o", "STORE", "--lease", "inf"], "--lease: 'inf' is no number"),
        (["prepare", "LIST", "-o", ""], "'' names no folder"),
        (["prepare", "LIST", "-o", "s3://"], "'s3://' names no folder"),
        (["prepare", "LIST", "-o", "STORE", "--scratch", "/no/such"], "--scratch /no/such: must be"),
        (["prepare", "LIST"], "`pixtrawl cluster prepare --help`"),
        (["status", "SET", "--watch", "inf"], "--watch: 'inf' is no number"),
        (["status", "SET", "--watch", "1e300"], "--watch: '1e300' is no number"),
        (["sweep", "SET", "--older", "nan"], "--older: 'nan' is no number"),
        (["duplicates", "SET", "--scratch", "/no/such"], "--scratch /no/such: must be"),
        (["duplicates", "SET", "--dedup", "off"], "--dedup off finds nothing"),
        (["plan", "--urls", "1e9", "--delay", "nan"], "--delay: 'nan' is no number"),
        (["plan", "--urls", "1e9", "--bandwidth", "1e-300"], "'1e-300' is no number"),
    ],
)  # fmt: skip
def test_misuse_is_told_in_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    manifest = write_list(tmp_path / "list.jsonl", "one")
    assert prepare(manifest, tmp_path / "set") == 0
    places = {"LIST": str(manifest), "STORE": str(tmp_path / "new"), "SET": str(tmp_path / "set")}
    assert main(["cluster", *(places.get(word, word) for word in words)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"list.jsonl", "set"}
