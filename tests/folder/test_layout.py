"""Labels and paths: whatever a query says, its folder is one portable component of its own."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import (
    MAX_LABEL_BYTES,
    Labels,
    file_name,
    inside,
    label_for,
    parse_file_name,
    same_name,
)
from tests.shared_data import shared_rows

DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{p}{d}" for p in ("com", "lpt") for d in "0123456789¹²³"
}
OURS = {"metadata.jsonl", "keyword_urls.txt", "readme.md", "attribution.md", ".pixtrawl"}


def assert_portable(label: str) -> None:
    assert label
    assert label not in {".", ".."}
    assert not set(label) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in label)
    assert label == label.strip(" ")
    assert not label.endswith(".")
    assert not label.startswith((".", "-", "__"))
    assert label.split(".")[0].rstrip().lower() not in DEVICES
    assert label.lower() not in OURS
    assert len(label.encode()) <= MAX_LABEL_BYTES
    assert unicodedata.is_normalized("NFC", label)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("tabby cat", "tabby cat"),
        ("AC/DC", "AC_DC"),
        ("../../escaped", "_./.._escaped".replace("/", "_")),
        ("C# logo", "C# logo"),
        ("black & white cat", "black & white cat"),
        ("2020", "2020"),
        ("null", "null"),
        ("NUL", "_NUL"),
        ("con.txt", "_con.txt"),
        ("README.md", "README.md_"),
        ("README", "README"),
        (".hidden", "_hidden"),
        ("-rf", "_rf"),
        ("//foo.bar", "_foo.bar"),
        ("etc...", "etc"),
        ("...", "_"),
        ("  two\t words ", "two words"),
        ("rock\u202egnp.exe", "rock_gnp.exe"),
        ("TABBYC~1", "TABBYC_1"),
        ("大声带 - Song", "大声带 - Song"),
        ("cafe\u0301", "caf\u00e9"),
        ("\ud800", "_"),
    ],
)
def test_a_label_stays_readable_and_becomes_portable(text: str, label: str) -> None:
    assert label_for(text) == label
    assert_portable(label)


def test_long_text_is_cut_at_a_character_and_told_apart_by_a_hash() -> None:
    one, other = label_for("é" * 300 + "1"), label_for("é" * 300 + "2")
    assert one != other
    assert one.startswith("ééé")
    assert_portable(one)
    assert_portable(other)


@given(st.text())
def test_any_text_gives_a_portable_label_and_a_label_is_its_own_label(text: str) -> None:
    label = label_for(text)
    assert_portable(label)
    assert label_for(label) == label


@given(st.lists(st.text(alphabet="aA/\\_é́e. ~1", max_size=4), unique=True))
def test_no_two_queries_share_a_label_whatever_their_order(texts: list[str]) -> None:
    labels = Labels().assign(texts)
    assert len({same_name(label) for label in labels}) == len(texts)
    for label in labels:
        assert_portable(label)
    backwards = Labels().assign(texts[::-1])
    assert backwards[::-1] == labels


@given(st.lists(st.text(max_size=5), unique=True), st.lists(st.text(max_size=5), unique=True))
def test_labels_that_exist_stay_when_queries_are_added(old: list[str], new: list[str]) -> None:
    before = dict(zip(old, Labels().assign(old), strict=True))
    taken = [(label, text) for text, label in before.items()]
    both = [*new, *old]
    after = dict(zip(both, Labels(taken).assign(both), strict=True))
    assert {text: after[text] for text in old} == before
    assert len({same_name(label) for label in after.values()}) == len(after)


def test_the_text_that_spells_the_label_gets_it_bare() -> None:
    slash, plain = Labels().assign(["AC/DC", "AC_DC"])
    assert plain == "AC_DC"
    assert slash.startswith("AC_DC_")
    upper, lower = Labels().assign(["cat", "Cat"])
    assert (upper == "cat", lower == "Cat") == (False, True)


def test_a_label_that_the_user_wrote_is_shared_by_those_who_wrote_it() -> None:
    labels = Labels()
    assert labels.share("pets") == labels.share("pets") == "pets"
    assert labels.share("Pets") != "Pets"
    assert labels.assign(["pets"]) != ["pets"]
    again = Labels([("pets", "cat"), (labels.share("Pets"), "dog")])
    assert again.share("Pets") == labels.share("Pets")
    assert again.share("pets") == "pets"


# What breaks one system or another: separators, devices, control and invisible characters, names
# that shells, databases and archives take for something else, scripts of all directions.
AWKWARD = [
    "a/b", "a\\b", "a:b", "C:\\x", "\\\\server\\share", "~", "~root", "$HOME", "%TEMP%", "`id`", "$(id)",
    "a;b", "a|b", "a&b", "a<b>c", "a*b?", '"a"', "'a'", "-", "--", "-n", "+", "=1+1", "@a", "#a", "!a",
    ".", "..", "...", ". .", " .", "a.", "a ", " a", "a\tb", "a\nb", "a\r\nb", "a\0b", "\x1b[31ma", "\x7f",
    "con", "PRN.jpg", "aux.", "nul ", "com1", "LPT9.tar.gz", "COM\u00b9", "conin$", "clock$", "con .x",
    "metadata.jsonl", "README.md", "keyword_urls.txt", ".pixtrawl", ".git", "__pycache__", "__MACOSX",
    "Thumbs.db", "desktop.ini", ".DS_Store", "null", "None", "true", "NaN", "0", "-1", "1e999", "0x0",
    "undefined", "' OR 1=1 --", "<script>alert(1)</script>", "../../etc/passwd", "%2e%2e%2f", "%00",
    "train", "test", "val", "a" * 300, "\u00e9" * 300, "\U0001f600" * 100, "e\u0301", "\u00e9", "\u212b",
    "\u00c5", "\ufb01", "fi", "\u00df", "ss", "\u0130", "\u0131", "I", "i", "\u202ea\u202c", "\u200b", "a\u200bb",
    "\ufeffa", "\u00a0", "\u3000a", "\u2028", "\u0000", "\ud800", "\udfff", "\uffff", "\ufffd", "\ufffe",
    "\U0010ffff", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd", "\u732b", "\u0e41\u0e21\u0e27", "Z\u0351\u036b\u0343\u036a",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\uff0f", "\uff0e\uff0e", "\u2215", "\u29f8", "TABBYC~1", "",
]  # fmt: skip


@pytest.mark.parametrize("suite", ["own", "names-naughty.jsonl", "names-other.jsonl"])
def test_awkward_names_are_safe(suite: str, tmp_path: Path) -> None:
    texts: list[object] = [*AWKWARD]
    if suite != "own":
        texts = [row["input"] for row in shared_rows(f"suites/{suite}")]
    names = list(dict.fromkeys(text for text in texts if isinstance(text, str)))
    for label in Labels().assign(names):
        assert_portable(label)
        path = inside(tmp_path, file_name(label, 1, "jpg"))
        path.parent.mkdir()
        path.write_bytes(b"x")
        assert path.parent.parent == tmp_path
    assert len(list(tmp_path.iterdir())) == len(names)


def test_file_names_count_from_one_and_can_be_read_back() -> None:
    assert file_name("tabby cat", 1, "jpg") == "tabby cat/000001.jpg"
    assert file_name("x", 1_234_567, "webp") == "x/1234567.webp"
    assert parse_file_name("tabby cat/000001.jpg") == ("tabby cat", 1, "jpg")
    assert parse_file_name("x/1234567.webp") == ("x", 1_234_567, "webp")
    for other in ("000001.jpg", "x/1.jpg", "x/000000.jpg", "x/y/000001.jpg", "x/000001.JPG",
                  "../000001.jpg", "x/0000001.jpg", "x/000001.jpg\n"):  # fmt: skip
        assert parse_file_name(other) is None
    for label, number, extension in [
        ("x", 0, "jpg"),
        ("x", 1, "../a"),
        ("a/b", 1, "jpg"),
        ("..", 1, "jpg"),
    ]:
        with pytest.raises(ValueError, match=r"number|extension|label"):
            file_name(label, number, extension)


@pytest.mark.parametrize(
    "relative", ["", "..", "../x", "a/../../x", "/etc", "a//b", "a/./b", "C:/x", "a\\b", "a\0b"]
)
def test_a_path_that_leads_outside_is_refused(relative: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="inside the data set"):
        inside(tmp_path, relative)


@given(st.text())
def test_no_relative_name_leads_outside(relative: str) -> None:
    root = Path("/data set")
    try:
        path = inside(root, relative)
    except StorageError:
        return
    assert path.is_relative_to(root)
    assert ".." not in path.parts
