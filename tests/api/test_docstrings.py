"""Every public name says what it is: in `help()`, and on the page of the Python interface."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import pixtrawl

NAMES = [name for name in pixtrawl.__all__ if name != "__version__"]
METHODS = [
    name
    for name, value in inspect.getmembers(pixtrawl.Dataset)
    if not name.startswith("_") and (callable(value) or isinstance(value, property))
]


def test_there_are_methods() -> None:
    assert {"filter", "export", "labels", "to_torch", "restore"} <= set(METHODS)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_docstring_that_says_something(name: str) -> None:
    own = getattr(pixtrawl, name)
    text = inspect.getdoc(own) or ""
    assert len(text) > 120, text
    if inspect.isroutine(own):
        assert "Example" in text
        assert "Raises" in text or name.endswith("_async")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_a_data_set_has_one(name: str) -> None:
    value: Any = inspect.getattr_static(pixtrawl.Dataset, name)
    assert len(inspect.getdoc(value) or "") > 70


def test_the_page_of_the_python_interface_has_every_name() -> None:
    page = Path(__file__).parents[2].joinpath("docs/api.md").read_text("utf-8")
    assert [name for name in NAMES if f":: pixtrawl.{name}\n" not in page] == []
