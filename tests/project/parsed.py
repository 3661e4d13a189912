"""Source files as trees, parsed once for all tests of the project."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of the file's tree, as `ast.walk` gives them."""
    return tuple(ast.walk(tree(path)))
