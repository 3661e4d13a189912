"""Keys of APIs: from the setting `key`, else from the environment variable that is usual for it.

A key goes into requests and nowhere else: `json_api` takes it out of whatever is kept or shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

VARIABLES: Final[Mapping[str, str]] = {
    "europeana": "EUROPEANA_API_KEY",
    "flickr": "FLICKR_API_KEY",
    "google_cse": "GOOGLE_CSE_API_KEY",
    "pexels": "PEXELS_API_KEY",
    "pixabay": "PIXABAY_API_KEY",
    "smithsonian": "SMITHSONIAN_API_KEY",
    "unsplash": "UNSPLASH_ACCESS_KEY",
}


def key_of(name: str, given: Mapping[str, str]) -> str:
    """The key for a source; empty where there is none."""
    return given.get("key", "").strip() or os.environ.get(VARIABLES.get(name, ""), "").strip()


def where(name: str) -> str:
    """How a user gives it, in words."""
    return f"--set {name}.key=... or the environment variable {VARIABLES[name]}"
