"""API keys: from the setting `key`, else from the usual environment variable.

A key is sent in requests only: `ApiSearch` masks it in everything that is stored or shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from pixtrawl.sources.table import ROWS

VARIABLES: Final[Mapping[str, str]] = {
    name: row.key_variable for name, row in ROWS.items() if row.key_variable
}


def variable_of(name: str) -> str:
    """Return the environment variable of a source's key; `NAME_API_KEY` for plugins."""
    return VARIABLES.get(name, f"{name.upper()}_API_KEY")


def key_of(name: str, given: Mapping[str, str]) -> str:
    """Return the key for a source; empty where there is none."""
    return given.get("key", "").strip() or os.environ.get(variable_of(name), "").strip()


def where(name: str) -> str:
    """Return how the user can set the key, as a next step."""
    return f"--set {name}.key=... or the environment variable {variable_of(name)}"
