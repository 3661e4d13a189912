"""What sources answered when they did not deliver: saved pages and screenshots for a person."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from pixtrawl.storage.folder import CONTROL

_MAX_BYTES: Final = 4 * 2**20  # of one page; result pages have 1-2 MB, screenshots less
_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class EvidenceStore:
    """Keeps the newest answer under each name; a later run overwrites an earlier one's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, content: bytes | str) -> str:
        """Stores it, cut at 4 MiB, and returns the path relative to the data set folder.

        The name may hold a query's text: anything but letters, digits, dot, dash and underscore
        is replaced, and a hash keeps two such names apart.
        """
        stem, dot, extension = name.rpartition(".")
        safe = _SAFE.sub("_", stem if dot else name).strip("._")[:80]
        if safe != (stem if dot else name):
            safe += "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
        file_name = safe + ("." + _SAFE.sub("", extension)[:8] if dot else "")
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / file_name).write_bytes(data[:_MAX_BYTES])
        return f"{CONTROL}/evidence/{file_name}"
