"""Rows are divided by host group, in memory that does not grow with their number."""

from __future__ import annotations

import random
import threading
import time
import tracemalloc
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pixtrawl import urls
from pixtrawl.cluster.job import prepare as prepare_module
from pixtrawl.cluster.job.host_groups import group_of, is_shared
from pixtrawl.cluster.job.partition import Shard, shards_of
from pixtrawl.cluster.job.spool import Row, Spool
from pixtrawl.cluster.store import Store
from pixtrawl.model import Candidate
from tests import warm_command
from tests.matrices import examples, slow

GROUPS = {
    "https://example.org/a.jpg": "example.org",
    "https://img1.example.org:8443/a.jpg": "example.org",
    "https://EXAMPLE.org./a.jpg": "example.org",
    "https://a.b.example.co.uk/a.jpg": "example.co.uk",
    "https://static.example.com.br/a": "example.com.br",
    "https://d111.cloudfront.net/a.jpg": "d111.cloudfront.net",
    "https://d222.cloudfront.net/a.jpg": "d222.cloudfront.net",
    "https://bucket.s3.eu-west-1.amazonaws.com/a.jpg": "bucket.s3.eu-west-1.amazonaws.com",
    "https://one.github.io/a.png": "one.github.io",
    "https://blog.one.github.io/a.png": "blog.one.github.io",
    "http://127.0.0.3:8080/a": "127.0.0.3",
    "http://2130706435/a": "127.0.0.3",
    "http://[::1]:81/a": "[::1]",
    "http://localhost/a": "localhost",
}


@pytest.mark.parametrize(("url", "group"), GROUPS.items())
def test_a_url_belongs_to_the_group_of_its_owner(url: str, group: str) -> None:
    assert group_of(url) == group
    assert is_shared(group) == any(word in group for word in ("cloudfront", "amazonaws", "github"))


def test_what_has_no_host_is_spread() -> None:
    assert len({group_of(f"data:image/png;base64,{n}") for n in range(100)}) > 50


@given(st.sampled_from(list(GROUPS)), st.sampled_from(list(GROUPS)))
def test_one_account_lies_in_one_group(one: str, other: str) -> None:
    if urls.account_of(one) == urls.account_of(other):
        assert group_of(one) == group_of(other)


def candidate(url: str) -> Candidate:
    return Candidate(url=url, query="q", label="l", source="urls")


def urls_of(shard: Shard) -> list[str]:
    return [msgspec.msgpack.decode(one.row, type=Row).candidate.url for one in shard.rows]


def divided(
    rows: list[str], folder: Path, shard_rows: int, in_memory_rows: int
) -> tuple[list[Shard], Spool]:
    folder.mkdir(exist_ok=True)
    spool = Spool(folder, in_memory_rows)
    spool.take(map(candidate, rows))
    return list(shards_of(spool.groups(), shard_rows)), spool


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    hosts=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    shard_rows=st.integers(1, 20), in_memory=st.integers(1, 30), repeats=st.integers(0, 20),
)  # fmt: skip
def test_every_url_is_in_one_shard_and_every_group_in_one_chain(
    tmp_path_factory: pytest.TempPathFactory,
    hosts: list[int],
    shard_rows: int,
    in_memory: int,
    repeats: int,
) -> None:
    rows = [f"http://h{host}.test/{n}" for host, count in enumerate(hosts) for n in range(count)]
    random.Random(1).shuffle(rows)
    given_rows = rows + rows[:repeats]
    folder = tmp_path_factory.mktemp("spool")
    shards, spool = divided(given_rows, folder, shard_rows, in_memory)
    found = [url for shard in shards for url in urls_of(shard)]
    assert sorted(found) == sorted(rows)
    assert spool.rows == len(given_rows)
    assert spool.duplicates == len(given_rows) - len(rows)
    chains: dict[str, set[str]] = defaultdict(set)
    for shard in shards:
        assert 0 < shard.entry.rows == len(shard.rows) <= shard_rows
        for url in urls_of(shard):
            chains[group_of(url)].add(shard.entry.chain)
    assert all(len(found) == 1 for found in chains.values())
    places: dict[str, list[int]] = defaultdict(list)
    for shard in shards:
        places[shard.entry.chain].append(shard.entry.place)
        assert shard.entry.is_last == (
            shard.entry.place
            == max(one.entry.place for one in shards if one.entry.chain == shard.entry.chain)
        )
    assert all(found == list(range(len(found))) for found in places.values())
    assert len({shard.entry.id for shard in shards}) == len(shards)
    assert not list(folder.iterdir())


def test_the_same_rows_give_the_same_shards(tmp_path: Path) -> None:
    rows = [f"http://h{n % 7}.test/{n}" for n in range(200)]
    first, _ = divided(rows, tmp_path / "a", 20, 50)
    second, _ = divided(rows, tmp_path / "b", 20, 50)
    assert [shard.entry for shard in first] == [shard.entry for shard in second]


PEAK = """
import sys
from pathlib import Path
from tests.cluster.partition_memory import peak_bytes
print(peak_bytes(int(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)  # of a loaded machine: each allocation is traced
@pytest.mark.parametrize("counts", [(4_000, 9_000), slow((5_000, 40_000))])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, counts: tuple[int, int]) -> None:
    peaks: list[int] = []
    for count in counts:
        folder = tmp_path / str(count)
        folder.mkdir()
        # in a process of its own: what threads of other tests allocate is traced, too
        ended = warm_command.run(
            [*warm_command.CODE, PEAK, str(count), str(folder)],
            cwd=warm_command.ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        peaks.append(int(ended.stdout))
    # The tables of hosts and buffers have their size by 4,000 rows: 7 bytes a row were seen beyond.
    # A row that stays is 570 bytes.
    assert peaks[1] - peaks[0] < 150 * (counts[1] - counts[0])


@pytest.mark.slow  # the test above has short ones
def test_long_urls_pass_through_little_memory(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    tracemalloc.start()
    spool.take(candidate(f"http://h{n % 97}.test/{n:020000}.jpg") for n in range(2_000))
    assert sum(shard.entry.rows for shard in shards_of(spool.groups(), 10)) == 2_000
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 10e6  # of 40 MB


def test_a_store_that_is_slow_makes_prepare_wait_rather_than_hold_what_it_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare_module, "_PENDING_BYTES", 40_000)
    store = Store(tmp_path / "set")
    lock, pending, most = threading.Lock(), 0, 0
    plain = Store.put

    def slow_put(self: Store, name: str, data: bytes) -> None:
        nonlocal pending, most
        with lock:
            pending += len(data)
            most = max(most, pending)
        time.sleep(0.002)
        plain(self, name, data)
        with lock:
            pending -= len(data)

    monkeypatch.setattr(Store, "put", slow_put)
    manifest = tmp_path / "urls.txt"
    draw = random.Random(3)
    manifest.write_text("".join(f"http://h.test/{draw.randbytes(400).hex()}\n" for _ in range(600)))
    job = prepare_module.prepare(
        [str(manifest)], store, to="webdataset", settings={}, shard_rows=20, lease_s=45.0
    )
    largest = max(entry.size_bytes for entry in store.entries("shards"))
    assert (job.rows, job.shards) == (600, 30)
    assert largest < most <= 40_000 + largest
