"""Packages that only some tests need: looked for at collection, imported when a test runs.

Each worker of a parallel run collects all modules, and some packages take a second to import.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(*packages: str, reason: str) -> None:
    """Skip the module or test that calls this where one of the packages is not installed.

    For tests whose own process imports them, `pytest.importorskip` does the same.
    """
    if any(find_spec(package) is None for package in packages):
        pytest.skip(reason, allow_module_level=True)
