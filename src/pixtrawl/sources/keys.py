"""Keys of APIs: from the setting `key`, else from the environment variable that is usual for it.

A key goes into requests and nowhere else: `ApiSearch` takes it out of whatever is kept or shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from pixtrawl.sources.table import ROWS

VARIABLES: Final[Mapping[str, str]] = {
    name: row.key_variable for name, row in ROWS.items() if row.key_variable
}


def key_of(name: str, given: Mapping[str, str]) -> str:
    """The key for a source; empty where there is none."""
    return given.get("key", "").strip() or os.environ.get(VARIABLES.get(name, ""), "").strip()


def where(name: str) -> str:
    """How a user gives it, in words."""
    return f"--set {name}.key=... or the environment variable {VARIABLES[name]}"
