"""The user's folders, also for processes without a home: a service, a container, cron."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

__all__ = ["user_folder"]


def user_folder(kind: Literal["config", "log", "cache"]) -> Path:
    """Return the system's folder for files of this kind; it need not exist.

    Without HOME and a passwd entry there is none: logs and caches then go to the temporary folder.
    For settings the result is a folder that cannot exist, since anyone can write to the temporary
    folder.
    """
    import platformdirs  # 5 ms that --help does without

    of_kind = getattr(platformdirs, f"user_{kind}_dir")
    try:
        return Path(of_kind("pixtrawl", appauthor=False))
    except RuntimeError:
        if kind == "config":
            return Path(os.devnull) / "pixtrawl"
        return Path(tempfile.gettempdir()) / f"pixtrawl-{kind}"
