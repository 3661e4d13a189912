"""URL manifests: what is written can be read again, and broken lines cost themselves only."""

from __future__ import annotations

import ast
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pixtrawl.errors import MissingExtraError, StorageError, UsageError
from pixtrawl.labels import Labels
from pixtrawl.manifests.reader import FIELDS, BadLine, read_manifest
from pixtrawl.manifests.writer import ManifestWriter
from pixtrawl.model import Alternate, Candidate, Kind
from pixtrawl.pipeline.parquet_manifest import read_rows
from tests.matrices import examples, matrix

FULL = Candidate(
    url="https://example.org/a,b.jpg?x=1&y=\"é'", query="AC/DC", label="AC_DC", source="bing", rank=3,
    kind=Kind.CACHED, page_url="https://example.org/", title='a, "b"\nc', width=640, height=480,
    thumb_url="https://t.example/1", license="cc-by", license_url="https://l.example/", creator="Ünal",
    alternates=(Alternate("https://c.example/1", Kind.CACHED),), alt="a cat", page_text="A cat, seen",
    page_said='[{"origin": "meta", "value": "noai \\"x\\""}]',
)  # fmt: skip
DATA = "data:image/png;base64,iVBORw0KGgo="


def read(path: Path, content: str | bytes) -> list[Candidate | BadLine]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_manifest(path))


def urls(found: list[Candidate | BadLine]) -> list[str]:
    return [one.url for one in found if isinstance(one, Candidate)]


def bad(found: list[Candidate | BadLine]) -> list[int]:
    return [one.number for one in found if isinstance(one, BadLine)]


def test_json_lines_bring_back_every_field(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "m.jsonl"
    with ManifestWriter(path) as writer:
        writer.add_query("nothing found")
        writer.add(FULL)
    assert list(read_manifest(path)) == [FULL]
    assert list(json.loads(path.read_text()))[:14] == list(FIELDS)
    assert [one.name for one in path.parent.iterdir()] == ["m.jsonl"]


def test_only_our_own_manifests_say_what_a_page_s_owner_said(tmp_path: Path) -> None:
    row = {"url": "https://h.example/1.jpg", "page_said": '[{"origin": "header", "train": "yes"}]'}
    (found,) = read(tmp_path / "m.jsonl", json.dumps(row) + "\n")
    assert isinstance(found, Candidate)
    assert found.page_said is None
    assert "page_said" in found.own, "a column of another list stays its own"


def test_csv_brings_back_every_field_but_alternates(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    with ManifestWriter(path) as writer:
        writer.add(FULL)
    (found,) = read_manifest(path)
    assert isinstance(found, Candidate)
    assert found.title == 'a, "b" c'
    assert (found.url, found.label, found.kind, found.width) == (
        FULL.url,
        "AC_DC",
        Kind.CACHED,
        640,
    )
    assert path.read_text().count("\n") == 2


@given(st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=12), max_size=4), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_dict_literal_is_the_repr_of_a_dict(
    tmp_path: Path, urls_by_query: dict[str, list[str]]
) -> None:
    path = tmp_path / "keyword_urls.txt"
    with ManifestWriter(path) as writer:
        for query in urls_by_query:
            writer.add_query(query)
        for place in range(4):  # found in turns, grouped in the file
            for query, found in urls_by_query.items():
                if place < len(found):
                    writer.add(Candidate(url=found[place], query=query, label="x", source="bing"))
    text = path.read_text(encoding="utf-8")
    assert text == repr(urls_by_query) + "\n"
    assert ast.literal_eval(text) == urls_by_query
    again = [one for one in read_manifest(path) if isinstance(one, Candidate)]
    assert [one.url for one in again] == [url for found in urls_by_query.values() for url in found]


def test_the_posts_file_is_read_with_its_labels_and_data_uris(tmp_path: Path) -> None:
    content = f"{{'AC/DC': ['http://a/1?a=b,c', '{DATA}', None],\n 'nothing': [], \"it's\": ('http://a/2',),}}"
    found = read(tmp_path / "keyword_urls.txt", content)
    assert bad(found) == []
    rows = [(c.query, c.label, c.rank, c.url, c.kind) for c in found if isinstance(c, Candidate)]
    assert rows == [
        ("AC/DC", "AC_DC", 1, "http://a/1?a=b,c", Kind.ORIGINAL),
        ("AC/DC", "AC_DC", 2, DATA, Kind.DATA),
        ("AC/DC", "AC_DC", 3, "", Kind.ORIGINAL),
        ("it's", "it's", 1, "http://a/2", Kind.ORIGINAL),
    ]


@pytest.mark.parametrize(
    ("content", "expected", "line"),
    [
        ("{'a': ['http://a/1', 'http://a/2'", ["http://a/1", "http://a/2"], 1),
        ("{'a': ['http://a/1',\n'http://a", ["http://a/1"], 2),
        ("{'a': ['http://a/1', 'b\n']}", ["http://a/1"], 1),
        ("{'a': [__import__('os')]}", [], 1),
        ("{'a': ['x' + 'y']}", ["x"], 1),
        ("{'a': [['x']]}", [], 1),
        ("{'a': {'b': 'c'}}", [], 1),
        ("{'a' ['x']}", [], 1),
        ("{'a': ['x']} {'b': []}", ["x"], 1),
        ("{'a': " + "[" * 500_000, [], 1),
        ("{'a': " + "(" * 500_000 + ")" * 500_000 + "}", [], 1),
        ("{'a': ['\\", [], 1),
    ],
)
def test_a_literal_is_read_up_to_where_it_breaks_and_never_evaluated(
    tmp_path: Path, content: str, expected: list[str], line: int
) -> None:
    found = read(tmp_path / "keyword_urls.txt", content)
    assert urls(found) == expected
    assert bad(found) == [line]


def test_escapes_in_a_literal_mean_what_python_means(tmp_path: Path) -> None:
    texts = [
        "tab\t",
        "nl\n",
        "back\\slash",
        "quote'\"",
        "nul\0",
        "\x85",
        "é\U0001f600",
        "\\x41",
        "\\'",
    ]
    found = read(tmp_path / "k.txt", repr({"a": texts}))
    assert urls(found) == texts
    assert urls(read(tmp_path / "k.txt", r"{'a': ['\101\x41\u0041\U00000041\d\U99999999']}")) == [
        "AAAA\\d\ufffd"
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_plain_list_is_labelled_by_its_name(tmp_path: Path, encoding: str) -> None:
    lines = (
        f"http://a/1,2.jpg\r\n\r\n# a comment\r\n  {DATA}\r\nftp://a/é\r\nno url, this\r\n#x\r\n"
    )
    found = read(tmp_path / "my list.txt", lines.encode(encoding))
    assert urls(found) == ["http://a/1,2.jpg", DATA, "ftp://a/é", "no url, this", "#x"]
    assert {(c.query, c.label) for c in found if isinstance(c, Candidate)} == {
        ("my list", "my list")
    }
    assert [c.rank for c in found if isinstance(c, Candidate)] == [1, 2, 3, 4, 5]


def test_a_csv_needs_a_column_of_urls_only(tmp_path: Path) -> None:
    table = 'URL,TEXT,WIDTH,height\nhttp://a/1,"a cat, grey",640.0,480\n"http://a/2,3",dog,x,-1\n'
    one, two = (c for c in read(tmp_path / "laion.csv", table) if isinstance(c, Candidate))
    assert (one.title, one.width, one.height, one.label) == ("a cat, grey", 640, 480, "laion")
    assert (two.url, two.width, two.height) == ("http://a/2,3", None, None)
    assert urls(read(tmp_path / "x.tsv", "caption\turl\nx,y\thttp://a/1\n")) == ["http://a/1"]
    assert urls(read(tmp_path / "one.csv", f"url\nhttp://a/1,2\n{DATA}\n")) == [
        "http://a/1,2",
        DATA,
    ]
    assert urls(read(tmp_path / "bare.csv", f"http://a/1,2\n{DATA}\n")) == ["http://a/1,2", DATA]
    assert urls(read(tmp_path / "x.csv", "name,address\ncat,http://a/1\n")) == ["http://a/1"]
    with pytest.raises(UsageError, match=r"x\.csv: no column holds URLs \('name', 'address'\)"):
        read(tmp_path / "x.csv", "name,address\ncat,Main Street\n")


def test_broken_lines_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows: list[bytes] = [
        b'{"url": "http://a/1"}', b"{", b'"http://a/2"', b"[1]", b'{"uri": "x"}', b"[" * 100_000,
        b'{"url": "caf\xe9"}', b"", b'{"url": ["x"]}', b'{"url": null}', b'{"url": 5}',
        b'{"url": "nonsense"}', b'{"url": "\\ud800"}', b'{"url": "http://a/3"}',
    ]  # fmt: skip
    found = read(tmp_path / "m.jsonl", b"\n".join(rows))
    assert urls(found) == [
        "http://a/1", "http://a/2", "café", "x", "", "5", "nonsense", "\ufffd", "http://a/3",
    ]  # fmt: skip
    assert bad(found) == [2, 4, 5, 6]
    table = (
        b'url,title\nhttp://a/1,x\nhttp://a/2,"open\nhttp://a/3,y\nhttp://a/4,a,b\nhttp://a/5,z\n'
    )
    found = read(tmp_path / "m.csv", table)
    assert urls(found) == ["http://a/1", "http://a/3", "http://a/5"]
    assert bad(found) == [3, 5]


def test_labels_from_a_file_are_made_portable_and_queries_never_share_one(tmp_path: Path) -> None:
    rows = '{"url":"u1","label":"../../etc"}\n{"url":"u2","query":"AC/DC"}\n{"url":"u3","query":"AC_DC"}\n{"url":"u4","query":"q","label":"pets"}\n{"url":"u5","query":"r","label":"pets"}\n'
    found = [c for c in read(tmp_path / "m.jsonl", rows) if isinstance(c, Candidate)]
    labels = [c.label for c in found]
    assert labels[0] == "_._.._etc".replace("_._..", "_._..")
    assert "/" not in "".join(labels)
    assert len(set(labels[:3])) == 3
    assert labels[3:] == ["pets", "pets"]
    again = read_manifest(tmp_path / "m.jsonl", labels=Labels([("pets", "x")]), label="all")
    assert {c.label for c in again if isinstance(c, Candidate)} == {"all"}


def test_a_file_that_is_no_manifest_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_manifest(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="cannot be read"):
        read_manifest(tmp_path)
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0")
    with pytest.raises(UsageError, match="is no text"):
        read_manifest(tmp_path / "x.jpg")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match=r"pixtrawl\[formats\]"):
        read_manifest(tmp_path / "x.parquet")
    rows: list[dict[str, object]] = [{"url": "http://a/1", "label": "l"}, {"nothing": 1}]
    found = list(read_manifest(tmp_path / "x.parquet", read_parquet=lambda _: rows))
    assert urls(found) == ["http://a/1"]
    assert bad(found) == [2]
    assert read(tmp_path / "empty.txt", "") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(150))
@given(
    start=st.sampled_from(
        [b"", b"{'", b"{'a': [", b'{"', b"url,x\n", b"\xef\xbb\xbf", b"\xff\xfe"]
    ),
    content=st.binary(max_size=120),
    suffix=st.sampled_from([".jsonl", ".csv", ".txt", ".list"]),
)
def test_any_bytes_give_candidates_bad_lines_or_a_usage_error(
    tmp_path: Path, start: bytes, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(start + content)
    try:
        found = list(read_manifest(path))
    except UsageError:
        return
    for one in found:
        json.dumps(one.url if isinstance(one, Candidate) else one.text, ensure_ascii=False).encode()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".txt"])
def test_an_interrupted_writer_leaves_a_whole_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"

    def interrupted(count: int) -> None:
        with ManifestWriter(path) as writer:
            for number in range(count):
                writer.add(Candidate(url=f"http://a/{number}", query="q", label="q", source="s"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(3)
    assert urls(list(read_manifest(path))) == [f"http://a/{number}" for number in range(3)]
    with pytest.raises(KeyboardInterrupt):
        interrupted(0)
    assert len(urls(list(read_manifest(path)))) == 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"):
        ManifestWriter(tmp_path / "file" / "m.jsonl")
    with pytest.raises(UsageError, match=r"\.jsonl, \.csv"):
        ManifestWriter(tmp_path / "m.xml")
    with pytest.raises(MissingExtraError):
        ManifestWriter(tmp_path / "m.parquet")


@pytest.mark.parametrize("suffix", matrix([".jsonl", ".csv", ".txt"], ".csv"))
def test_memory_stays_flat_whatever_the_length(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    tracemalloc.start()
    try:
        with ManifestWriter(path) as writer:
            for number in range(3_000):
                url = f"http://example.org/{number}/{'x' * 800}"
                writer.add(Candidate(url=url, query=f"q{number % 7}", label="q", source="s"))
        count = sum(isinstance(one, Candidate) for one in read_manifest(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 3_000
    assert path.stat().st_size > 2_000_000
    assert peak < 1_600_000


def test_one_endless_text_or_line_is_read_in_linear_time(tmp_path: Path) -> None:
    payload = random.Random(1).randbytes(1).hex() * 3_000_000
    started = time.process_time()
    (one,) = read(tmp_path / "k.txt", f"{{'a': ['data:,{payload}']}}")
    assert isinstance(one, Candidate)
    assert len(one.url) > 6_000_000
    assert len(urls(read(tmp_path / "k.txt", "{'a': ['" + "\\\\" * 2_000_000))) == 0
    assert time.process_time() - started < 5


ROWS = [{"url": f"https://h.example/{number}.jpg", "alt": f"no {number}"} for number in range(1001)]


def _as_parquet(rows: list[dict[str, str]]) -> bytes:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=70)
    return bytes(file.getvalue())


@pytest.mark.parametrize("count", [1, 50, 51, 100, 101, 102, 200, 201, 1001])
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("m.jsonl", lambda rows: "".join(json.dumps(row) + "\n" for row in rows)),
        ("m.json", json.dumps),
        ("m.csv", lambda rows: "url,alt\n" + "".join(f"{r['url']},{r['alt']}\n" for r in rows)),
        ("m.txt", lambda rows: "".join(f"{row['url']}\n" for row in rows)),
        ("m.parquet", _as_parquet),
    ],
)
def test_every_row_of_a_list_is_read_however_many_are_looked_at_first(
    name: str, write: Callable[[list[dict[str, str]]], str | bytes], count: int, tmp_path: Path
) -> None:
    content = write(ROWS[:count])
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    found = list(read_manifest(tmp_path / name, read_parquet=read_rows))
    assert urls(found) == [row["url"] for row in ROWS[:count]]
