"""Manifests of every form, from sources into a file and from the file into images."""

from __future__ import annotations

import ast
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import MissingExtraError, UsageError
from pixtrawl.events import Event, RunFinished
from pixtrawl.model import Candidate
from pixtrawl.playground import Playground
from tests.net.conftest import Connection, Server
from tests.sources import synthetic_answers as synthetic

QUERIES = ["tabby cat", "AC/DC"]


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=8, log=True) as running:
        yield running
        assert running.errors == []


def discover(site: Playground, out: Path, **more: Any) -> list[Candidate]:
    return pixtrawl.discover(
        QUERIES, out=out, source="bing", settings={"bing": {"base_url": site.url}},
        allow_address="127.0.0.0/24", **{"limit": 4, **more},
    )  # fmt: skip


def urls_in(file: Path) -> list[str]:
    if file.suffix == ".txt":
        table = ast.literal_eval(file.read_text("utf-8"))
        assert list(table) == QUERIES
        return [url for urls in table.values() for url in urls]
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as stream:
            return [row["url"] for row in csv.DictReader(stream)]
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        column: list[str] = pq.read_table(file).column("url").to_pylist()
        return column
    return [json.loads(line)["url"] for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".txt", ".parquet"])
def test_what_discover_writes_download_reads(site: Playground, tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    file = tmp_path / f"urls{suffix}"
    found = discover(site, file)
    assert len(found) == 8
    assert urls_in(file) == [one.url for one in found]
    images = tmp_path / "images"
    ds = pixtrawl.download(file, output=images, allow_address="127.0.0.0/24")
    assert len(ds) == 8
    assert {sample.label for sample in ds} == {one.label for one in found}
    assert sorted(sample.candidate.url for sample in ds) == sorted(urls_in(file))
    if suffix != ".txt":  # the dict has no room for where a picture comes from
        assert {s.candidate.page_url for s in ds} == {one.page_url for one in found}


def test_keyword_urls_of_a_data_set_give_the_same_images_again(
    site: Playground, tmp_path: Path
) -> None:
    first = pixtrawl.run(
        QUERIES, source="bing", settings={"bing": {"base_url": site.url}}, limit=3,
        output=tmp_path / "first", allow_address="127.0.0.0/24",
    )  # fmt: skip
    again = pixtrawl.download(
        tmp_path / "first" / "keyword_urls.txt", output=tmp_path / "again", limit=3,
        allow_address="127.0.0.0/24",
    )  # fmt: skip
    assert {(s.label, s.info.sha256) for s in again} == {(s.label, s.info.sha256) for s in first}


def test_parquet_without_pyarrow_names_what_to_install(
    site: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pixtrawl.exporters.parquet", raising=False)
    before = len(site.requests)
    with pytest.raises(MissingExtraError, match=r"pip install 'pixtrawl\[formats\]'"):
        discover(site, tmp_path / "urls.parquet")
    assert len(site.requests) == before, "told before anything is asked"
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match=r"pip install 'pixtrawl\[formats\]'"):
        pixtrawl.download(tmp_path / "x.parquet", output=tmp_path / "images")
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + bytes(40) + b"PAR1"])
def test_a_damaged_parquet_file_is_reported_at_once(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.parquet: cannot be read as parquet"):
        pixtrawl.download(tmp_path / "x.parquet", output=tmp_path / "images")


def test_parquet_of_other_tools_needs_a_column_of_urls(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="no column holds URLs"):
        pixtrawl.download(tmp_path / "x.parquet", output=tmp_path / "images")


def test_discovery_ends_in_time_and_writes_what_it_found(site: Playground, tmp_path: Path) -> None:
    events: list[Event] = []
    found = pixtrawl.discover(
        [f"scene {number}" for number in range(20)],
        out=tmp_path / "urls.jsonl",
        source="bing",
        settings={"bing": {"base_url": site.url, "delay_s": "0.5"}},
        allow_address="127.0.0.0/24",
        max_time=2,
        listener=events.append,
    )
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.report["end_reason"] == "budget"
    assert last.report["interrupted"] is False
    assert 0 < len({one.query for one in found}) < 20
    assert urls_in(tmp_path / "urls.jsonl") == [one.url for one in found]


def test_the_best_of_each_source_come_first_in_a_manifest(server: Server, tmp_path: Path) -> None:
    """Whichever source answers first."""
    results = [{"img_src": f"https://b.test/{at}.jpg", "url": "https://b.test/"} for at in range(9)]
    listing = json.dumps({"query": "cat", "results": results}).encode()
    page = synthetic.bing([f"https://a.test/{at}.jpg" for at in range(9)]).encode()

    def search(connection: Connection) -> None:
        if connection.target.startswith("/images/"):
            connection.reply(200, page, Content_Type="text/html")
        else:
            connection.reply(200, listing, Content_Type="application/json")

    server.on("*", search)
    root = server.url("").rstrip("/")
    out = tmp_path / "found.jsonl"
    assert main([
        "discover", "cat", "-s", "bing", "-s", "searxng", "-n", "all", "-o", str(out), "-q",
        "--set", f"bing.base_url={root}", "--set", f"searxng.url={root}",
        "--allow-address", "127.0.0.0/8",
    ]) == 0  # fmt: skip
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["rank"] for row in found] == [rank for rank in range(1, 10) for _ in range(2)]
    assert {row["source"] for row in found[:2]} == {"bing", "searxng"}


@pytest.mark.parametrize("kind", ["text", "time"])
def test_parquet_with_values_that_cannot_be_read_is_told_by_name(tmp_path: Path, kind: str) -> None:
    pa = pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    import pyarrow.parquet as pq

    from pixtrawl.pipeline.parquet_manifest import read_rows

    urls = pa.array([b"http://a.example/\x87"]).cast(pa.binary())
    columns = {
        "text": pa.StringArray.from_buffers(1, urls.buffers()[1], urls.buffers()[2]),
        "time": pa.array([2**62], pa.timestamp("us")),
    }
    pq.write_table(pa.table({"url": columns[kind]}), tmp_path / "bad.parquet")
    with pytest.raises(UsageError, match=r"bad\.parquet: is damaged"):
        list(read_rows(tmp_path / "bad.parquet"))
