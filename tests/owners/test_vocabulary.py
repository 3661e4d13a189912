"""The words of each signal, and what they say of training and of search."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtrawl.net.robots.exclusion import parse_robots
from pixtrawl.net.robots.owners import parse_tdmrep
from pixtrawl.net.robots.rules import PathText, longest_matches
from pixtrawl.preferences import PreferencePolicy, Says, Statement, evidence, says_in
from pixtrawl.preferences.structured import parse_dictionary
from pixtrawl.preferences.vocabulary import (
    content_signal,
    content_usage,
    in_file,
    in_headers,
    tdm_reservation,
)

NO, YES, UNSET = Says.NO, Says.YES, Says.UNSET


@pytest.mark.parametrize(
    ("text", "train", "search"),
    [
        ("search=yes, ai-train=no", NO, YES),
        ("search=yes,ai-train=yes,ai-input=no", YES, YES),
        ("SEARCH=No , AI-Train = YES", YES, NO),
        ("ai-input=no", UNSET, UNSET),
        ("ai-train=no, ai-train=yes", NO, UNSET),
        ("ai-train=yes, ai-train=no", NO, UNSET),
        ("ai-train", UNSET, UNSET),
        ("ai-train=maybe", UNSET, UNSET),
        ("", UNSET, UNSET),
    ],
)
def test_content_signals(text: str, train: Says, search: Says) -> None:
    assert content_signal(text) == (train, search)


@pytest.mark.parametrize(
    ("text", "train", "search"),
    [
        ("train-ai=n", NO, UNSET),
        ("train-ai=y, search=n", YES, NO),
        ("train-ai=n;reason=x, search=y", NO, YES),
        # draft-ietf-aipref-vocab 6.5.1: the last of a key counts, whatever its type
        ("train-ai=y, train-ai, search=n, search=\"n\"", UNSET, UNSET),
        ("train-ai;allow=n, train-ai=y", YES, UNSET),
        ('train-ai;has;parameters="?"', UNSET, UNSET),
        ("Train-AI=n", UNSET, UNSET),  # no key: the whole fails to parse
        ("train-ai=N", UNSET, UNSET),
        ("train-ai=no", UNSET, UNSET),
        ("train-ai=n,", UNSET, UNSET),
        ("train-ai=n search=y", UNSET, UNSET),
        ("future-use=n, train-ai=y", YES, UNSET),
        ("train-ai=n, x=(a \"b\" 1.5);p=?1, d=@17, e=:aGk=:", NO, UNSET),
        # labels of revisions 01 to 04, of which the more specific one counts
        ("ai=n", NO, UNSET), ("genai=n", NO, UNSET), ("train-genai=n", NO, UNSET),
        ("tdm=n", NO, NO), ("bots=n", NO, NO), ("all=n", NO, NO),
        ("bots=n, train-ai=y", YES, NO), ("bots=n, search=y", NO, YES),
        ("train-ai=y, train-genai=n", NO, UNSET), ("tdm=y, genai=n", NO, YES),
        ("train-ai=n, train-genai=y", NO, UNSET),
        ("ai-output=n, inference=n, ai-use=n", UNSET, UNSET),
    ],
)  # fmt: skip
def test_content_usage(text: str, train: Says, search: Says) -> None:
    assert content_usage(text) == (train, search)


@pytest.mark.parametrize(
    ("value", "train"),
    [("1", NO), ("0", YES), ("", UNSET), ("2", UNSET), (" 1 ", NO), ("0, 1", NO), ("true", UNSET)],
)
def test_tdm_reservation(value: str, train: Says) -> None:
    assert tdm_reservation(value) == (train, UNSET)


FILES = {
    "DMI-PROHIBITED": (NO, NO), "DMI-PROHIBITED-AIMLTRAINING": (NO, UNSET),
    "DMI-PROHIBITED-GENAIMLTRAINING": (NO, UNSET),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": (NO, YES),
    "DMI-PROHIBITED-SEECONSTRAINT": (NO, NO), "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": (NO, NO),
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": (NO, NO), "DMI-PROHIBITED-SOMETHINGNEW": (NO, NO),
    "DMI-ALLOWED": (YES, YES), "DMI-UNSPECIFIED": (UNSET, UNSET), "dmi-allowed": (YES, YES),
}  # fmt: skip


@pytest.mark.parametrize("code", FILES)
def test_data_mining(code: str) -> None:
    (bare,) = in_file({"data_mining": code}, "")
    (uri,) = in_file({"data_mining": f"http://ns.useplus.org/ldf/vocab/{code}"}, "")
    assert (bare.train, bare.search) == (uri.train, uri.search) == FILES[code]


@pytest.mark.parametrize(
    ("text", "train", "search"),
    [
        ("c2pa.ai_training=notAllowed", NO, UNSET),
        ("cawg.ai_generative_training=notAllowed; cawg.ai_training=allowed", NO, UNSET),
        ("cawg.ai_training=constrained", NO, UNSET),
        ("c2pa.data_mining=notAllowed; c2pa.ai_training=allowed", NO, NO),
        ("c2pa.ai_inference=notAllowed", UNSET, UNSET),
        ("c2pa.data_mining=allowed; c2pa.ai_training=allowed", YES, YES),
        ("com.example.own=notAllowed", UNSET, UNSET),
    ],
)
def test_training_mining(text: str, train: Says, search: Says) -> None:
    (found,) = in_file({"training_mining": text}, "")
    assert (found.source, found.train, found.search) == ("c2pa", train, search)


def test_a_constraint_alone_is_kept_and_decides_nothing() -> None:
    (found,) = in_file({"other_constraints": "Ask first"}, "")
    assert (found.name, found.text, found.train) == ("plus:OtherConstraints", "Ask first", UNSET)


def test_one_no_is_enough_wherever_it_stands() -> None:
    yes = in_headers({"content-signal": "ai-train=yes"}, "t")
    both = [*yes, *in_headers({"content-usage": "train-ai=n", "tdm-reservation": "0"}, "t")]
    assert PreferencePolicy("train").objection(yes) is None
    said = PreferencePolicy("train").objection(both)
    assert said is not None
    assert str(said) == "header: Content-Usage: train-ai=n"
    assert PreferencePolicy("train", ignored=True).objection(both) is None
    assert PreferencePolicy("search").objection(both) is None


def test_what_is_kept_is_bounded_and_loses_no_refusal() -> None:
    many = [Statement(source="robots", name=str(n), text="x", train=YES) for n in range(50)]
    no = Statement(source="header", name="Content-Usage", text="train-ai=n", train=NO)
    kept = evidence([*many, no])
    assert len(kept) == 16
    assert says_in(kept, "train") is NO
    assert says_in("[]", "train") is None
    assert says_in("no json", "train") is None


ROBOTS = """Content-Usage: search=y
User-agent: otherbot
Content-Signal: ai-train=yes
Allow: /

User-Agent: *
Allow: /
Content-Signal: search=yes, ai-train=no   # a comment
Content-Usage: train-ai=n
Content-Usage: /ai-ok/ train-ai=y
content-usage:/ai-ok/not/\ttrain-ai=n
Content-Usage: /*.gif$ train-ai=y
Content-Usage: / train-ai=y
"""


def said(text: str, path: str, agent: str = "pixtrawl") -> list[tuple[str, str]]:
    """Names and values of the lines that hold for a path."""
    records = parse_robots(text).of(agent).records
    texts = [PathText.of_line(name, value) for name, value in records]
    return [(one.name, one.text) for one in longest_matches(texts, path)]


@pytest.mark.parametrize(
    ("path", "usage"),
    [
        ("/test", "train-ai=y"),  # `/` is longer than no path
        ("/ai-ok/test", "train-ai=y"),
        ("/ai-ok/not/x", "train-ai=n"),
        ("/x.gif", "train-ai=y"),
        ("/%61i-ok/not/", "train-ai=n"),
    ],
)
def test_lines_of_robots_txt_hold_for_the_longest_path(path: str, usage: str) -> None:
    found = said(ROBOTS, f"http://h.example{path}")
    assert sorted(found) == [
        ("content-signal", "search=yes, ai-train=no"), ("content-usage", usage),
    ]  # fmt: skip
    assert said(ROBOTS, path, "OtherBot") == [
        ("content-usage", "search=y"), ("content-signal", "ai-train=yes"),
    ]  # fmt: skip


def test_lines_of_the_same_path_all_hold() -> None:
    text = "User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: train-ai=n\n"
    assert [value for _, value in said(text, "/a")] == ["train-ai=y", "train-ai=n"]


def test_a_group_for_us_takes_the_place_of_that_for_everyone() -> None:
    text = "User-agent: *\nContent-Signal: ai-train=no\nUser-agent: pixtrawl\nDisallow: /x\n"
    assert said(text, "/a") == []


def test_lines_before_the_first_group_are_for_everyone() -> None:
    text = "Crawl-delay: 9\nContent-Signal: ai-train=no\nUser-agent: pixtrawl\nDisallow: /x\n"
    assert said(text, "/a") == [("content-signal", "ai-train=no")]
    assert parse_robots(text).of().crawl_delay_s == 0


def test_tdmrep_takes_the_first_rule_that_matches() -> None:
    rules = parse_tdmrep(
        b'[{"location": "/open/", "tdm-reservation": 0},'
        b' {"location": "/*.jpg$", "tdm-reservation": 1, "tdm-policy": "https://h.example/p"},'
        b' {"location": "/text/", "tdm-reservation": "1"}, {"location": "/x"}, 7,'
        b' {"location": 1, "tdm-reservation": 1}]'
    )

    def first(path: str) -> str | None:
        return next((one.text for one in rules if one.matches(path)), None)

    assert first("/open/a.jpg") == "0"
    assert first("/a.jpg") == "1; tdm-policy: https://h.example/p"
    assert first("/text/a.png") == "1"
    assert first("/a.png") is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"\xff", b"null", b'"x"', b"[[]]"])
def test_any_other_tdmrep_says_nothing(body: bytes) -> None:
    assert parse_tdmrep(body) == ()


@given(st.text(max_size=200))
def test_no_text_makes_a_reader_fail(text: str) -> None:
    content_signal(text), content_usage(text), tdm_reservation(text)
    in_file({"data_mining": text, "training_mining": text, "tdm_reservation": text}, "")
    said(f"user-agent: *\ncontent-usage: {text}\n", text)
    parse_tdmrep(text.encode("utf-8", "replace"))


KEYS = st.from_regex(r"[a-z*][a-z0-9_.*\-]{0,8}", fullmatch=True)
TOKENS = st.from_regex(r"[A-Za-z*][A-Za-z0-9:/!#%]{0,8}", fullmatch=True)
OTHERS = st.sampled_from(["1", "-2.5", '"a \\" b"', ":aGk=:", "?1", "@5", '%"f%c3%bc"', "(a 1)"])
PARAMETERS = st.sampled_from(["", ";a", ";a=1;b=x", '; c="d"'])


@given(st.lists(st.tuples(KEYS, st.one_of(TOKENS, OTHERS, st.none()), PARAMETERS), max_size=6))
def test_every_dictionary_that_is_written_is_read(
    members: list[tuple[str, str | None, str]],
) -> None:
    text = ", ".join(
        f"{key}{'' if value is None else f'={value}'}{parameters}"
        for key, value, parameters in members
    )
    token = {key: v if v is not None and (v[0].isalpha() or v[0] == "*") else None
             for key, v, _ in members}  # fmt: skip
    assert parse_dictionary(text) == token


@pytest.mark.parametrize(
    "text",
    ["a=", "=n", "a==n", "a=n,,b=n", "a=(b", "a=(b)c", "a;=1", 'a="b', "a=1.", "a=1234567890123456",
     "a=?2", "ä=n", "a=n\n", "a=n;", "x" * 5000],
)  # fmt: skip
def test_what_is_no_dictionary_says_nothing(text: str) -> None:
    assert parse_dictionary(text) is None
