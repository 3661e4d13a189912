"""The user's own folders, also for a process without a home: a service, a container, cron."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

__all__ = ["user_folder"]


def user_folder(kind: Literal["config", "log", "cache"]) -> Path:
    """Where the system wants files of this kind; it need not exist.

    Without HOME and without an entry of the user there is no such place: logs and caches then go
    to the temporary folder, and settings to one that cannot exist, because in the temporary
    folder they could be anybody's.
    """
    import platformdirs  # 5 ms that --help does without

    of_kind = getattr(platformdirs, f"user_{kind}_dir")
    try:
        return Path(of_kind("pixtrawl", appauthor=False))
    except RuntimeError:
        if kind == "config":
            return Path(os.devnull) / "pixtrawl"
        return Path(tempfile.gettempdir()) / f"pixtrawl-{kind}"
