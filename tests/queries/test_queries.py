"""Queries from words and files: everything stays text, and a bad line is named."""

from __future__ import annotations

import codecs
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.matrices import examples

from pixtrawl.errors import UsageError
from pixtrawl.model import Filters
from pixtrawl.queries import MAX_CHARS, QueryDefaults, read_queries


def texts(path: Path, content: bytes | str) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [query.text for query in read_queries([str(path)])]


def refusal(path: Path, content: bytes | str) -> str:
    with pytest.raises(UsageError) as caught:
        texts(path, content)
    return str(caught.value)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "queries.csv"


def test_words_are_queries_in_their_order() -> None:
    queries = read_queries(["tabby cat", "2020", "null"], QueryDefaults(limit=7))
    assert [(q.text, q.label, q.limit) for q in queries] == [
        ("tabby cat", "tabby cat", 7), ("2020", "2020", 7), ("null", "null", 7),
    ]  # fmt: skip


def test_a_column_without_a_header_is_read_as_it_stands(csv: Path) -> None:
    rows = 'tabby cat\n2020\nnull\nNA\n1e5\nC# logo\n#hashtag\n"salt, pepper"\n"a ""big"" dog"\n6" pipe\n../../escaped\nAC/DC\n'
    assert texts(csv, rows) == [
        "tabby cat", "2020", "null", "NA", "1e5", "C# logo", "#hashtag", "salt, pepper",
        'a "big" dog', '6" pipe', "../../escaped", "AC/DC",
    ]  # fmt: skip


def test_an_unquoted_comma_in_the_only_column_belongs_to_the_text(csv: Path) -> None:
    csv.write_text("salt, pepper\ncat,,\na,b\n")
    notices: list[str] = []
    queries = read_queries([str(csv)], notice=notices.append)
    assert [query.text for query in queries] == ["salt, pepper", "cat", "a,b"]
    assert len(notices) == 1
    assert notices[0].startswith("queries.csv:1: the comma")
    assert texts(csv, "query\nsalt, pepper\n") == ["salt, pepper"]


def test_a_header_names_the_columns_in_any_order_and_case(csv: Path) -> None:
    csv.write_text('Limit, LABEL ,Query,colour\n3,cats,"tabby, grey",x\n,,dog\n5,,AC/DC,y\n')
    notices: list[str] = []
    queries = read_queries([str(csv)], QueryDefaults(limit=100), notice=notices.append)
    assert [(q.text, q.label, q.limit) for q in queries] == [
        ("tabby, grey", "cats", 3), ("dog", "dog", 100), ("AC/DC", "AC_DC", 5),
    ]  # fmt: skip
    assert notices == ["queries.csv: kept with each image: colour"]
    assert [q.extra for q in queries] == ['{"colour":"x"}', "", '{"colour":"y"}']


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_header_may_use_what_spreadsheets_use(csv: Path, delimiter: str) -> None:
    csv.write_text(f"query{delimiter}label\nsalt, pepper{delimiter}spice\n")
    (query,) = read_queries([str(csv)])
    assert (query.text, query.label) == ("salt, pepper", "spice")


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + "café\ncat".encode(),
        "\ufeffcafé\r\ncat\r\n".encode("utf-16-le"),
        "café\ncat".encode("utf-16"),
        "café\rcat\r".encode(),
        "\n  café  \n\n\ncat\ncafé\n".encode(),
    ],
)
def test_marks_encodings_line_ends_blanks_and_repetitions_change_nothing(
    csv: Path, content: bytes
) -> None:
    assert texts(csv, content) == ["café", "cat"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"cat\ncaf\xe9\n", "queries.csv:2: is not UTF-8"),
        (b"cat\nd\0og\n", "queries.csv:2: holds NUL"),
        (b"cat\n\n" + b"x" * 200_000 + b"\n", "queries.csv:3: longer than"),
        (b"cat\n" + b"x" * (MAX_CHARS + 1) + b"\n", "queries.csv:2: the query is longer"),
        (b'cat\n"dog\n', "queries.csv:2: a quotation mark is not closed"),
        (b'cat\n"dog","x"\n', "queries.csv:2: 2 columns"),
        (b"query,label\ncat,a\ndog,b,c\n", "queries.csv:3: 3 columns, the header has 2"),
        (b"query,label\n,a\n", "queries.csv:2: the query is empty"),
        (b"query,limit\ncat,many\n", "queries.csv:2: the limit 'many'"),
        (b"query,limit\ncat,0\n", "queries.csv:2: the limit '0'"),
        (b"query,query\ncat,a\n", "queries.csv:1: the column 'query' is there twice"),
        (b"query,limit\n", "no queries"),
        (b"", "no queries"),
        (b"\n \n", "no queries"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(csv: Path, content: bytes, says: str) -> None:
    assert says in refusal(csv, content)


def test_a_text_file_has_one_query_a_line_and_comments_after_hash_and_space(tmp_path: Path) -> None:
    content = '# my list\n#\ncat, dog\n#hashtag\nC# logo\n"quoted"\n'
    assert texts(tmp_path / "q.TXT", content) == ["cat, dog", "#hashtag", "C# logo", '"quoted"']


def test_json_lines_are_strings_or_objects(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '"cat"\n2020\n{"query": "dog", "label": "pets", "limit": 3, "x": 1}\n{"keyword": "AC/DC"}\n'
    )
    queries = read_queries([str(path)])
    assert [(q.text, q.label, q.limit) for q in queries] == [
        ("cat", "cat", None), ("2020", "2020", None), ("dog", "pets", 3), ("AC/DC", "AC_DC", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["{", "null", "1.5", "true", "[1]", "{}", '{"query": null}', '{"query": "x", "limit": 1.5}',
     '"\\ud800"', '""', "[" * 60_000, '{"query": "x", "limit": true}', '"a\\u0000b"', "9" * 5000],
)  # fmt: skip
def test_a_json_line_that_is_no_query_is_named(tmp_path: Path, line: str) -> None:
    assert "q.jsonl:2: " in refusal(tmp_path / "q.jsonl", f'"cat"\n{line}\n')


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"cat\n# no\nsalt, pepper\n", ["cat", "salt, pepper"]),
        (b'{"query": "cat"}\n"dog"\n', ["cat", "dog"]),
        (b'query,label\n"cat, grey",a\n', ["cat, grey"]),
    ],
)
def test_standard_input_is_told_by_its_first_line(content: bytes, expected: list[str]) -> None:
    assert [q.text for q in read_queries(["-"], stdin=io.BytesIO(content))] == expected


def test_a_word_that_looks_like_a_missing_file_is_refused(
    tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no file has the name of a word
    csv.write_text("cat\n")
    with pytest.raises(UsageError, match=r"no such file; did you mean queries\.csv\?"):
        read_queries([str(tmp_path / "querys.csv")])
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        read_queries([str(tmp_path / "folder.txt")])
    (tmp_path / "q.xlsx").touch()
    with pytest.raises(UsageError, match=r"\.csv, \.txt, \.jsonl"):
        read_queries([str(tmp_path / "q.xlsx")])
    assert [q.text for q in read_queries(["package.json", "x" * 400])] == [
        "package.json",
        "x" * 400,
    ]


def test_nothing_to_look_for_is_an_error() -> None:
    for items in ([], [""], ["  "], ["cat\udcff"], ["x" * (MAX_CHARS + 1)]):
        with pytest.raises(UsageError):
            read_queries(items)


def test_words_around_a_query_become_part_of_it_and_filters_go_along() -> None:
    defaults = QueryDefaults(
        prefix="a photo of", suffix=" outdoors ", filters=Filters(type="photo")
    )
    (query,) = read_queries(["cat"], defaults)
    assert (query.text, query.label) == ("a photo of cat outdoors", "a photo of cat outdoors")
    assert query.filters == Filters(type="photo")


def test_one_label_for_all_is_shared_and_made_portable() -> None:
    queries = read_queries(["tabby", "siamese"], QueryDefaults(label="cats/all"))
    assert [query.label for query in queries] == ["cats_all", "cats_all"]


def test_queries_that_differ_never_share_a_folder() -> None:
    queries = read_queries(["AC/DC", "AC_DC", "ac_dc"])
    assert len({query.label.casefold() for query in queries}) == 3
    taken = [(query.label, query.text) for query in queries]
    again = read_queries(["AC?DC", "ac_dc", "AC/DC"], taken=taken)
    assert [(q.label, q.text) for q in again[1:]] == [taken[2], taken[0]]
    assert again[0].label not in {label for label, _ in taken}


def test_a_repeated_query_is_kept_once_with_its_first_limit(csv: Path) -> None:
    csv.write_text("query,limit\ncat,5\ncat,9\n")
    notices: list[str] = []
    (query,) = read_queries([str(csv)], notice=notices.append)
    assert query.limit == 5
    assert "queries.csv:3" in notices[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(150))
@given(content=st.binary(max_size=200), kind=st.sampled_from([".csv", ".txt", ".jsonl"]))
def test_any_bytes_give_queries_or_a_usage_error(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / f"q{kind}"
    path.write_bytes(content)
    try:
        queries = read_queries([str(path)])
    except UsageError:
        return
    assert queries
    assert all(query.text.strip() and query.label for query in queries)


def test_importing_queries_imports_nothing_heavy() -> None:
    code = "import sys, pixtrawl.queries; print(sorted({'selectolax', 'numpy', 'pycurl', 'sqlite3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
