"""Object literals in scripts: read as JavaScript would, bounded whatever they hold."""

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.matrices import sample

from pixtrawl.sources.script_data import (
    ScriptDataError,
    objects_in,
    read_value,
    scripts_in,
    value_at,
    values_after,
)

MILLION = 1_000_000
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz_$", min_size=1), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def as_script(value: Any) -> str:
    """The value as a minifier would write it: bare keys, `!0`, `void 0`, trailing commas."""
    if value is None:
        return "void 0"
    if isinstance(value, bool):
        return "!0" if value else "!1"
    if isinstance(value, list):
        return "[" + "".join(f"{as_script(one)}," for one in value) + "]"
    if isinstance(value, dict):
        return "{" + "".join(f"{key}: {as_script(one)}, " for key, one in value.items()) + "}"
    return json.dumps(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a:1,'b':\"c\",`d`:'it\\'s',}", {"a": 1, "b": "c", "d": "it's"}),
        ("[void 0, undefined, null, !0, !1, true]", [None, None, None, True, False, True]),
        ("[1,,2]", [1, None, 2]),
        ("{when: new Date('2026-01-01'), how: call(1, (2)), x: 0x1F, y: .5e1}",
         {"when": None, "how": None, "x": 31, "y": 5.0}),
        ("{/* a } */ a: 1, // b }\n b: 2}", {"a": 1, "b": 2}),
        ("'\\u0041\\x42\\/\\u{1F408}'", "AB/🐈"),
        ("  {\"strict\": [1, 2]} trailing", {"strict": [1, 2]}),
        ("{shorthand, other}", {"shorthand": None, "other": None}),
    ],
)  # fmt: skip
def test_what_javascript_allows_is_read(text: str, value: Any) -> None:
    assert read_value(text) == value


@given(VALUES)
def test_a_value_written_as_a_script_is_read_back(value: Any) -> None:
    assert read_value(as_script(value)) == value
    assert read_value(json.dumps(value)) == value


@given(st.text(alphabet="{}[]\"'`:,()!/*\\ab1 .-\n", max_size=200))
def test_any_text_gives_a_value_or_the_one_error(text: str) -> None:
    with contextlib.suppress(ScriptDataError):
        read_value(text)


@pytest.mark.parametrize(
    "text",
    sample(
        [
            "[" * 8 * MILLION,
            "{a:" * 2 * MILLION,
            "!" * 4 * MILLION,
            "(" * 4 * MILLION,
            "[a" + ",1" * 3 * MILLION,
            "'" + "\\'" * 3 * MILLION,
            "'" + "\\'" * 3 * MILLION + "'",
            "/*" * 3 * MILLION,
            "/**/" * 2 * MILLION,
            "[" + "//\n" * 2 * MILLION,
            "new " * MILLION,
            "f(" * MILLION,
            "1" * 5 * MILLION,
            "{" + "a," * 3 * MILLION,
            " " * 7 * MILLION,
            "a" * 9 * MILLION,
        ],
        2,
    ),
    ids=range(16),
)
def test_megabytes_of_anything_take_less_than_a_second(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ScriptDataError):
        read_value(text)
    assert time.process_time() - started < 1


def test_a_place_that_repeats_in_front_of_much_is_not_read_again_and_again() -> None:
    page = "data=[a" + ",1" * 300_000 + "data=[a,1" * 1000
    started = time.process_time()
    assert list(values_after(page, re.compile("data="))) == []
    assert time.process_time() - started < 1


def test_the_first_readable_place_is_found() -> None:
    page = "<script>data: [broken; </script><script>x={data: [{a:1}]}</script>"
    assert list(values_after(page, re.compile(r"data:\s"))) == [[{"a": 1}]]


def test_scripts_are_given_as_they_are_a_cut_one_included() -> None:
    page = '<script id=a>1 < 2 && "</div>"</script><p><SCRIPT type="x">{"a": "  b"}'
    assert [content for _, content in scripts_in(page)] == ['1 < 2 && "</div>"', '{"a": "  b"}']


def test_a_path_that_leads_nowhere_is_none() -> None:
    value = {"a": [{"b": 1}], "c": "text"}
    assert value_at(value, "a", 0, "b") == 1
    for path in (("a", 1), ("a", "b"), ("c", 0), ("x", "y"), ("a", -2)):
        assert value_at(value, *path) is None


@pytest.mark.parametrize(
    "text", ["<script " * MILLION, "<script>" + "<" * 7 * MILLION, "<script>" * MILLION]
)
def test_scripts_are_found_in_linear_time(text: str) -> None:
    started = time.process_time()
    assert len(list(scripts_in(text))) <= 1
    assert time.process_time() - started < 5


def test_objects_come_outer_first_in_order() -> None:
    value = [{"at": 0, "in": [{"at": 1}, {"at": 2}]}, {"at": 3}]
    assert [one["at"] for one in objects_in(value)] == [0, 1, 2, 3]
