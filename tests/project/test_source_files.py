"""Size, documentation and wording of the source files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.project import parsed

from pixtrawl.config.table import table

MAX_LINES = 350
LONG_FOR_A_REASON: dict[str, str] = {}

# Words that the vocabulary in CONTRIBUTING.md replaces, as part of a module's or class's name.
MODULE_NAMES_AVOIDED = {"utils", "util", "common", "helpers", "helper", "core", "manager", "misc"}
CLASS_WORDS_AVOIDED = re.compile(
    r"Util|Helper|Manager|Spider|Extractor|Provider|Plugin|Throttle|Dumper|Distributor|Mock|Dummy"
)

# Pieced together so that this file does not contain them itself.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "deb.debian" + ".org",
    "archive.ubuntu" + ".com",
    "conda.anaconda" + ".org",
)
WORDS_OUT_OF_PLACE = re.compile(
    r"\b(" + "|".join(("C" + "EO", "sub-?" + "agent", "cla" + "ude", "anth" + "ropic")) + r")\b",
    re.IGNORECASE,
)
# References to texts that a reader of the repository does not have.
DANGLING = re.compile(r"\b[Tt]he po" + r"st's\b|\bDESI" + r"GN \d|\bHOU" + r"SE\.md\b")
LEFT_OPEN = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|raise Not" + "Implemented")


Documented = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def sources(root: Path) -> list[Path]:
    return sorted((root / "src").rglob("*.py"))


def text_of(path: Path) -> str | None:
    """The file's text; None where it is no text (pictures, archives)."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def found(paths: list[Path], root: Path, pattern: re.Pattern[str]) -> list[str]:
    hits = []
    for path in paths:
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            if match := pattern.search(line):
                hits.append(f"{path.relative_to(root)}:{number}: {match[0]}")
    return hits


def test_no_source_file_is_longer_than_350_lines(root: Path) -> None:
    lengths = {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(root)
    }
    long = {name: count for name, count in lengths.items() if count > MAX_LINES}
    assert {n: c for n, c in long.items() if n not in LONG_FOR_A_REASON} == {}
    assert set(LONG_FOR_A_REASON) <= set(long), "an exception that is no longer needed"


def public_things(root: Path) -> Iterator[tuple[str, Documented]]:
    for path in sources(root):
        where = path.relative_to(root / "src").as_posix()
        tree = parsed.tree(path)
        if tree.body:
            yield where, tree
        for node in tree.body:
            if isinstance(node, DEFINITIONS) and not node.name.startswith("_"):
                yield f"{where}: {node.name}", node


def is_an_event(where: str) -> bool:
    """The events are named so that their fields need no more words."""
    return where.startswith("pixtrawl/events.py: ")


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_every_module_and_public_name_has_a_docstring(root: Path) -> None:
    bare = [
        where
        for where, node in public_things(root)
        if not ast.get_docstring(node) and not is_an_event(where)
    ]
    assert bare == []


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_modules_and_classes_are_named_in_the_words_of_the_vocabulary(root: Path) -> None:
    modules = [
        path.relative_to(root).as_posix()
        for path in sources(root)
        if MODULE_NAMES_AVOIDED & {path.stem, *path.relative_to(root).parts[2:-1]}
    ]
    classes = [
        where
        for where, node in public_things(root)
        if isinstance(node, ast.ClassDef) and CLASS_WORDS_AVOIDED.search(node.name)
    ]
    assert modules + classes == []


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_every_class_name_is_there_once(root: Path) -> None:
    """One name, one thing: `Request` is that of `net`. A leading underscore makes no other name."""
    places: dict[str, list[str]] = {}
    for path in sources(root):
        for node in parsed.nodes(path):
            if isinstance(node, ast.ClassDef):
                where = path.relative_to(root / "src").as_posix()
                places.setdefault(node.name.lstrip("_"), []).append(where)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert twice == {}, "say in the name which of them it is"


def test_no_source_file_leaves_something_open(root: Path) -> None:
    assert found(sources(root), root, LEFT_OPEN) == []


def test_no_file_names_the_host_of_a_package_registry(tracked: list[Path], root: Path) -> None:
    hosts = re.compile("|".join(map(re.escape, REGISTRY_HOSTS)))
    assert found(tracked, root, hosts) == []


def test_no_file_refers_to_a_text_that_is_not_here(tracked: list[Path], root: Path) -> None:
    assert found(tracked, root, DANGLING) == []


def test_every_choice_of_an_option_is_a_word_of_the_code() -> None:
    """A word that only the table of settings knows would be offered and then refused."""
    root = Path(__file__).parents[2]
    words = {
        word
        for path in sources(root)
        if path.parts[-2] not in {"config", "playground"} and path.name != "peers.py"
        for word in re.findall(r'"([^"\n]+)"', path.read_text(encoding="utf-8"))
    }
    offered = {
        word: row.key
        for row in table()
        for word in row.choices or ()
        if word != row.default  # what happens where no other word is given
    }
    assert {word: key for word, key in offered.items() if word not in words} == {}


def test_no_test_expects_a_loaded_machine_to_be_quick(tracked: list[Path], root: Path) -> None:
    """CPU time and counts have bounds; how long a test takes at most is its own time limit."""
    clock = re.compile(r"assert\b.*(?:perf_counter|monotonic|time\.time)\(\) - \w+ <")
    assert found([path for path in tracked if path.suffix == ".py"], root, clock) == []


def test_the_project_speaks_of_itself_alone(tracked: list[Path], root: Path) -> None:
    assert found(tracked, root, WORDS_OUT_OF_PLACE) == []
