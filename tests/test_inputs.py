"""What Python functions are given: every type is taken as what it says, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixtrawl
from pixtrawl.errors import UsageError
from pixtrawl.inputs import lists_of, queries_of
from pixtrawl.labels import Labels
from pixtrawl.manifests.reader import BadLine
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.lists import open_lists
from pixtrawl.queries import QueryDefaults, read_queries
from tests.pipeline.pictures import Answer, jpeg, scene, serving

A, B = "https://a.test/1.jpg", "https://a.test/2.jpg"
NAN = float("nan")


def frame(columns: dict[str, Any], kind: str) -> Any:
    if kind == "pandas":
        return pytest.importorskip("pandas", reason="needs pandas").DataFrame(columns)
    if kind == "polars":
        return pytest.importorskip("polars", reason="needs polars").DataFrame(columns)
    return pytest.importorskip("pyarrow", reason="needs pyarrow").table(columns)


class Frame:
    """As polars' data frames answer, so that they are tested where polars is not installed."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = columns
        self.columns = list(columns)

    def iter_rows(self, *, named: bool) -> Iterator[dict[str, Any]]:
        assert named
        for row in zip(*self._columns.values(), strict=True):
            yield dict(zip(self.columns, row, strict=True))


def series(values: list[Any]) -> Any:
    return pytest.importorskip("pandas", reason="needs pandas").Series(values)


def array(values: list[Any]) -> Any:
    return pytest.importorskip("pyarrow", reason="needs pyarrow").array(values)


QUERIES: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "a word": (lambda: "cat", ["cat"]),
    "a number": (lambda: 2020, ["2020"]),
    "a whole float": (lambda: 2020.0, ["2020"]),
    "a numpy number": (lambda: np.int64(7), ["7"]),
    "bytes": (lambda: b"caf\xc3\xa9", ["café"]),
    "a list": (lambda: ["cat", 2020], ["cat", "2020"]),
    "a tuple": (lambda: ("cat", "dog"), ["cat", "dog"]),
    "a set": (lambda: {"dog", "cat"}, ["cat", "dog"]),
    "a generator": (lambda: (word for word in ("cat", 1)), ["cat", "1"]),
    "keys": ({"cat": 1}.keys, ["cat"]),
    "a Query": (lambda: Query("cat", "pets", 3), ["cat"]),
    "a list with a Query": (lambda: [Query("cat", "pets"), "dog"], ["cat", "dog"]),
    "a numpy array": (lambda: np.array(["cat", "2020"]), ["cat", "2020"]),
    "an array of objects": (lambda: np.array(["cat", 2020], dtype=object), ["cat", "2020"]),
    "a Series": (lambda: series(["cat", 2020]), ["cat", "2020"]),
    "an arrow array": (lambda: array(["cat", "dog"]), ["cat", "dog"]),
    "a frame": (lambda: frame({"query": ["cat", "dog"]}, "pandas"), ["cat", "dog"]),
    "a frame of one column": (lambda: frame({"animal": ["cat", 1]}, "pandas"), ["cat", "1"]),
    "an arrow table": (lambda: frame({"Query": ["cat"], "n": [1]}, "pyarrow"), ["cat"]),
    "polars": (lambda: Frame({"query": ["cat"], "price": [1.5]}), ["cat"]),
    "limits by query": (lambda: {"cat": 3, "dog": None}, ["cat", "dog"]),
    "rows": (lambda: [{"query": "cat", "limit": 3}, {"keyword": "dog"}], ["cat", "dog"]),
    "a row": (lambda: {"query": "cat", "label": "pets"}, ["cat"]),
}

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "None": (lambda: None, "there is no query"),
    "an empty list": (list, "there is no query"),
    "an empty text": (lambda: "", "query 1: the query is empty"),
    "blanks": (lambda: "  ", "query 1: the query is empty"),
    "a gap": (lambda: ["cat", None], "query 2 is a missing value"),
    "NaN": (lambda: ["cat", NAN], "query 2 is a missing value"),
    "a gap in a Series": (lambda: series(["cat", None]), "query 2 is a missing value"),
    "a truth": (lambda: [True], "query 1 is True"),
    "a bare truth": (lambda: False, "query 1 is False"),
    "a nested list": (lambda: ["cat", ["dog"]], "query 2 is a list: give a flat list"),
    "two dimensions": (lambda: np.array([["a", "b"]]), "query 1 is a list"),
    "a frame without queries": (lambda: frame({"a": ["x"], "b": ["y"]}, "pandas"), "no 'query'.*'a', 'b'"),
    "other bytes": (lambda: b"\xff", "not UTF-8"),
    "an object": (object, "of type object"),
    "a list of objects": (lambda: [object()], "query 1 is of type object"),
    "a limit that is none": (lambda: {"cat": -1}, "limit '-1'"),
    "a file that is not there": (lambda: Path("none.csv"), "none.csv: no such file"),
    "a file of another kind": (lambda: Path("x.jpg"), "queries are read from"),
    "infinity": (lambda: float("inf"), "inf"),
}  # fmt: skip


def read(given: Any) -> list[Query]:
    found = queries_of(given)
    ready = [one for one in found if isinstance(one, Query)]
    words = [one for one in found if not isinstance(one, Query)]
    return ready + (read_queries(words, QueryDefaults(limit=100)) if words else [])


@pytest.mark.parametrize("name", QUERIES)
def test_values_that_name_queries_are_taken(name: str) -> None:
    make, expected = QUERIES[name]
    assert [query.text for query in read(make())] == expected


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_cannot_be_queries_are_refused_in_one_line(name: str) -> None:
    make, told = REFUSED[name]
    with pytest.raises(UsageError, match=told) as caught:
        read(make())
    assert "\n" not in str(caught.value)


def test_rows_carry_label_limit_and_columns_of_their_own() -> None:
    (one,) = read([{"Query": "cat", "LABEL": "pets", "limit": 3.0, "price": 1.5}])
    assert (one.label, one.limit, one.extra) == ("pets", 3, '{"price":1.5}')
    two = read({"cat": 3, "dog": "pets", "cow": {"label": "farm", "limit": 2}, "hen": None})
    assert [(q.text, q.label, q.limit) for q in two] == [
        ("cat", "cat", 3), ("dog", "pets", 100), ("cow", "farm", 2), ("hen", "hen", 100),
    ]  # fmt: skip


def test_a_path_is_a_file_and_a_text_of_a_row_is_not(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("cat\n2020\n")
    assert [query.text for query in read(path)] == ["cat", "2020"]
    assert [query.text for query in read([path, "dog"])] == ["cat", "2020", "dog"]
    assert [query.text for query in read([{"query": str(path)}])] == [str(path)]


FOUND = [
    Candidate(url=A, query="cat", label="cat", source="bing", rank=4, title="x"),
    Candidate(url=B, query="dog", label="dog", source="bing"),
]

LISTS: dict[str, tuple[Callable[[], Any], list[tuple[str, str]]]] = {
    "a URL": (lambda: A, [(A, "urls")]),
    "URLs": (lambda: [A, B], [(A, "urls"), (B, "urls")]),
    "a set": (lambda: {B, A}, [(A, "urls"), (B, "urls")]),
    "a generator": (lambda: (url for url in (A, B)), [(A, "urls"), (B, "urls")]),
    "bytes": (lambda: [A.encode()], [(A, "urls")]),
    "an array": (lambda: np.array([A, B]), [(A, "urls"), (B, "urls")]),
    "a Series": (lambda: series([A, B]), [(A, "urls"), (B, "urls")]),
    "a gap in a Series": (lambda: series([A, None]), [(A, "urls"), ("", "urls")]),
    "candidates": (lambda: FOUND, [(A, "cat"), (B, "dog")]),
    "a candidate": (lambda: FOUND[0], [(A, "cat")]),
    "a mixture": (lambda: [FOUND[0], B], [(A, "cat"), (B, "urls")]),
    "labels with URLs": (lambda: {"cat": [A], "dog": B}, [(A, "cat"), (B, "dog")]),
    "labels with Series": (lambda: {"cat": series([A])}, [(A, "cat")]),
    "rows": (lambda: [{"url": A, "label": "cat"}, {"url": B, "label": "dog"}], [(A, "cat"), (B, "dog")]),
    "a row": (lambda: {"url": A, "label": "cat"}, [(A, "cat")]),
    "columns": (lambda: {"url": [A, B], "label": ["x", "y"]}, [(A, "x"), (B, "y")]),
    "a frame": (lambda: frame({"image_link": [A], "class": ["x"]}, "pandas"), [(A, "x")]),
    "an arrow table": (lambda: frame({"URL": [A], "TEXT": ["x"]}, "pyarrow"), [(A, "urls")]),
    "polars": (lambda: Frame({"photo": [A], "label": ["x"]}), [(A, "x")]),
}  # fmt: skip

NO_LISTS: dict[str, tuple[Callable[[], Any], str]] = {
    "None": (lambda: None, "there is no URL"),
    "nothing": (list, "there is no URL"),
    "an empty text": (lambda: [""], "item 1 is empty"),
    "a number": (lambda: [A, 3], "item 2 is of type int"),
    "a truth": (lambda: True, "item 1 is True"),
    "a nested list": (lambda: [[A]], "item 1 is of type list"),
    "an object": (object, "of type object"),
    "a label with words": (lambda: {"cat": ["dog"]}, "'cat', item 1: 'dog' is no URL"),
    "uneven columns": (lambda: {"url": [A, B], "label": ["x"]}, "one length"),
    "a frame without URLs": (lambda: frame({"a": ["x"], "b": ["y"]}, "pandas"), "no column holds URLs"),
    "a file that is not there": (lambda: Path("none.csv"), "cannot be read"),
    "a word": (lambda: "cat", "cannot be read"),
}  # fmt: skip


def listed(given: Any) -> list[Candidate]:
    rows = [row for listing in open_lists(lists_of(given), Labels()) for row in listing.rows]
    assert [row for row in rows if isinstance(row, BadLine)] == []
    return [row for row in rows if isinstance(row, Candidate)]


@pytest.mark.parametrize("name", LISTS)
def test_values_that_hold_urls_are_taken(name: str) -> None:
    make, expected = LISTS[name]
    assert [(one.url, one.label) for one in listed(make())] == expected


@pytest.mark.parametrize("name", NO_LISTS)
def test_values_that_hold_none_are_refused_in_one_line(name: str) -> None:
    make, told = NO_LISTS[name]
    with pytest.raises(UsageError, match=told) as caught:
        listed(make())
    assert "\n" not in str(caught.value)


def test_types_of_a_frame_stay_and_gaps_are_gaps() -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    table = pandas.DataFrame(
        {
            "url": [A, B],
            "n": [1, 2],
            "x": [1.5, NAN],
            "day": pandas.to_datetime(["2020-01-02"] * 2),
        },
        index=pandas.Index(["s1", "s2"], name="sku"),
    )
    one, two = listed(table)
    assert one.own == {"sku": "s1", "n": 1, "x": 1.5, "day": "2020-01-02T00:00:00"}
    assert two.own["x"] is None


def test_what_discover_gives_and_a_frame_are_downloaded(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {f"/{n}.jpg": jpeg(scene(n)) for n in range(3)}
    with serving(answers) as host:
        path = tmp_path / "l.csv"
        path.write_text(
            "query,url,sku\n" + "".join(f"cat,{host.url}/{n}.jpg,s{n}\n" for n in range(3))
        )
        found = pixtrawl.discover("cat", source="urls", set=[f"urls.file={path}"])
        local: dict[str, Any] = {"allow_address": "127.0.0.0/8"}
        ds = pixtrawl.download(found, output=tmp_path / "a", **local)
        assert sorted(sample.own["sku"] for sample in ds) == ["s0", "s1", "s2"]
        pandas = pytest.importorskip("pandas", reason="needs pandas")
        table = pandas.DataFrame({"photo": [f"{host.url}/0.jpg"], "kind": ["x"]})
        ds = pixtrawl.download(table, label_column="kind", output=tmp_path / "b", **local)
        assert [(s.file_name, s.own) for s in ds] == [
            ("x/000001.jpg", {"photo": f"{host.url}/0.jpg", "kind": "x"})
        ]
