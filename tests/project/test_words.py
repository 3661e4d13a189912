"""Docstrings and names use plain English and the field's terms; see "Words" in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.project.parsed import nodes

# Words of the house for which the field has a term: demand, query, index, scheduler, relations.
HOUSE_WORDS = frozenset({"hunger", "errand", "shelf", "shelves", "appetite", "dig"})
HOUSE_NAMES = frozenset({"standing", "draw", "drawing"})  # as a whole name of a class
HOUSE_PROSE = re.compile(
    r"\b(?:hunger|errand|shelf|shelves|appetite|proof of life|as mostly|"
    r"with our manners|nobody (?:watches|need|waits)|the draw)\b",
    re.IGNORECASE,
)

Nodes = tuple[ast.AST, ...]
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def sources(root: Path) -> Iterator[tuple[str, Nodes]]:
    """Yield the nodes of every module with its path below the package."""
    package = root / "src/pixtrawl"
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        yield relative.as_posix(), nodes(path)


def docstrings(tree: Nodes) -> Iterator[str]:
    """The docstrings of the module and of all its classes and functions."""
    for node in tree:
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield text


def names(tree: Nodes) -> Iterator[str]:
    """The names that a module defines: classes, functions, arguments, variables."""
    for node in tree:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def is_of_the_house(name: str) -> bool:
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
    return bool(words & HOUSE_WORDS) or (name[:1].isupper() and name.lower() in HOUSE_NAMES)


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_no_docstring_opens_with_what(root: Path) -> None:
    bad = [
        f"{path}: {text.splitlines()[0]}"
        for path, tree in sources(root)
        for text in docstrings(tree)
        if text.startswith("What ")
    ]
    assert bad == [], "say what it is or does: 'Return ...', 'The settings of ...'"


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_no_name_or_docstring_uses_a_word_of_the_house(root: Path) -> None:
    bad = []
    for path, tree in sources(root):
        bad += [f"{path}: {name}" for name in names(tree) if is_of_the_house(name)]
        for text in docstrings(tree):
            bad += [f"{path}: {match[0]}" for match in HOUSE_PROSE.finditer(text)]
    assert bad == [], "use the field's term, see Words in CONTRIBUTING.md"


def test_the_patterns_find_the_words_that_they_are_for() -> None:
    for name in (
        "Hunger",
        "_Hunger",
        "Errand",
        "_put_on_shelf",
        "Standing",
        "Draw",
        "dig",
        "dig_in",
    ):
        assert is_of_the_house(name), name
    for name in ("digest", "_digest", "ImageDraw", "drawn", "digits", "standing", "withdraw"):
        assert not is_of_the_house(name), name


def test_every_place_that_the_glossary_names_exists(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("### Terms of the field")[2].partition("\n## ")[0]
    places = re.findall(r"`((?!tests/)[a-z_]+(?:/[a-z_]+)*\.py)`", section)
    assert len(places) > 10
    assert [p for p in places if not (root / "src/pixtrawl" / p).exists()] == []
