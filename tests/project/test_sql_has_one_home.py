"""SQL of the catalog is written in `catalog/` alone, and states in it by their names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.catalog.schema.states import KEPT, CandidateState, SampleState, any_of

SRC = Path(__file__).parents[2] / "src" / "pixtrawl"
STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE\s.*\sSET\s|DELETE\s+FROM|"
    r"PRAGMA\s|CREATE\s+(UNIQUE\s+)?(TABLE|INDEX)|WITH\s.*\sSELECT\s)",
    re.DOTALL,
)
NUMBERED = re.compile(r"\bstate\s*(=|<>|!=|<=?|>=?|(NOT\s+)?IN)\s*\(?\d")
EXECUTES = frozenset({"execute", "executemany", "executescript"})
# Private tables in a temporary file, which nobody else reads: not the catalog.
SCRATCH = frozenset({"exporters/plan.py", "sources/lists/list_index.py"})


def sql_in(source: str) -> Iterator[tuple[int, str]]:
    """Statements and calls that carry some out: line, and what is there."""
    tree = tuple(ast.walk(ast.parse(source)))
    docstrings = {id(node.value) for node in tree if isinstance(node, ast.Expr)}
    inner = {id(part) for node in tree if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in tree:
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in docstrings | inner:
            text = text_of(node)
            if STATEMENT.match(text):
                yield node.lineno, text
        if isinstance(node, ast.Call) and attribute_of(node.func) in EXECUTES:
            yield node.lineno, f"{attribute_of(node.func)}()"


def attribute_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def text_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )


def modules(*, catalog: bool) -> list[str]:
    found = (path.relative_to(SRC).as_posix() for path in sorted(SRC.rglob("*.py")))
    return [name for name in found if name.startswith("catalog/") is catalog]


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_no_other_package_holds_sql_of_the_catalog() -> None:
    outside = [
        f"{name}:{line}: {text[:60]}"
        for name in modules(catalog=False)
        if name not in SCRATCH
        for line, text in sql_in((SRC / name).read_text(encoding="utf-8"))
    ]
    assert outside == []


@pytest.mark.parametrize("name", sorted(SCRATCH))
def test_a_private_table_has_nothing_to_do_with_the_catalog(name: str) -> None:
    source = (SRC / name).read_text(encoding="utf-8")
    assert "pixtrawl.catalog" not in source
    assert list(sql_in(source)), "it needs no exception any more"


def test_states_in_statements_have_names() -> None:
    # Migrations are history: what they once did must not change with a name.
    numbered = [
        f"{name}:{number}: {line.strip()}"
        for name in modules(catalog=True)
        if not name.startswith("catalog/schema")
        for number, line in enumerate((SRC / name).read_text(encoding="utf-8").splitlines(), 1)
        if NUMBERED.search(line)
    ]
    assert numbered == []


@pytest.mark.parametrize(
    "source",
    [
        'db.execute("SELECT 1 FROM sample")',
        'Q = "DELETE FROM sample WHERE id = ?"',
        'Q = f"UPDATE {table} SET state = 1"',
        'Q = ("SELECT a "\n  f"FROM {table}")',
        "db.executemany(statement, rows)",
    ],
)
def test_the_search_finds_statements(source: str) -> None:
    assert list(sql_in(source))


@pytest.mark.parametrize(
    "source",
    ['"""SELECT in a docstring is prose."""', 'TEXT = "Update the package, then go on"', "run()"],
)
def test_the_search_leaves_prose_alone(source: str) -> None:
    assert not list(sql_in(source))


def test_a_state_in_a_statement_is_its_number() -> None:
    assert f"state = {SampleState.TAKEN_DOWN}" == "state = 4"
    assert f"state < {CandidateState.SETTLED}" == "state < 2"
    assert f"state IN {KEPT}" == "state IN (0, 1)"  # in the words of the index of kept images
    assert any_of(SampleState.TAKEN_DOWN) == "(4)"
