"""Regular expressions use only what every supported Python matches rightly.

Possessive quantifiers (`a*+`) and atomic groups (`(?>a)`) came with Python 3.11.0, whose first
patch levels, Debian 12's 3.11.2 among them, match them wrongly.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# A token of an expression: an escape, a class of characters, a quantifier, or anything else.
_TOKENS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\{?[0-9]*(?:,[0-9]*)?\}?\}|\(\?>|.", re.DOTALL
)


def constructs_in(pattern: str) -> list[str]:
    """The possessive quantifiers and atomic groups of an expression, or of a part of one."""
    found = []
    last = ""
    for token in _TOKENS.findall(pattern):
        if token == "(?>" or (token == "+" and re.fullmatch(r"[*+?]|\{\{?[0-9,]+\}?\}", last)):
            found.append(last + token if token == "+" else token)
        last = "" if last in set("*+?") and token in set("+?") else token
    return found


def expressions_in(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module that uses `re`, with their lines; docstrings left out."""
    text = path.read_text(encoding="utf-8")
    if not re.search(r"\bimport re\b", text):  # soon said
        return
    tree = ast.parse(text)
    if not any(isinstance(one, ast.Import) and one.names[0].name == "re" for one in ast.walk(tree)):
        return
    prose = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        (r"a*+", 1), (r"[^x]++y", 1), (r"a?+", 1), (r"a{1,9}+", 1), (r"(?:a|b){{0,9}}+c", 1),
        (r"(?>a+)b", 1), (r'"((?:[^"\\]++|\\.)*+)"', 2),
        (r"a+", 0), (r"a\++", 0), (r"[*+]+", 0), (r"[a-z+]{2}", 0), (r"a+?b", 0), (r"\?+", 0),
        (r"[\]*+]+", 0), (r"(?:a+)+", 0),
    ],
)  # fmt: skip
def test_the_constructs_are_found(pattern: str, count: int) -> None:
    assert len(constructs_in(pattern)) == count


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_no_expression_uses_what_some_supported_python_matches_wrongly(root: Path) -> None:
    hits = [
        f"{path.relative_to(root)}:{line}: {construct}"
        for path in sorted((root / "src").rglob("*.py"))
        for line, text in expressions_in(path)
        for construct in constructs_in(text)
    ]
    assert hits == []
