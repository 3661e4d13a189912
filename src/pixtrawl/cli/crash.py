"""Write the traceback of an unexpected error to a file instead of the terminal."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from pixtrawl import __version__
from pixtrawl.config.user_folders import user_folder
from pixtrawl.secrets import masked_text


def trace(error: BaseException) -> str:
    """Return the traceback, headed by versions, without arguments, with URLs masked."""
    head = (
        f"pixtrawl {__version__}, Python {platform.python_version()}, {sys.platform},"
        f" {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n"
    )
    return masked_text(head + "".join(traceback.format_exception(error)))


def keep_trace(error: BaseException) -> Path | str:
    """Write the traceback to the user's log folder, else to the temporary one; return the path."""
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (user_folder("log"), tempfile.gettempdir()):
        path = Path(folder) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(trace(error), "utf-8")
        except OSError:
            continue  # a full or read-only disk may be the very error; the next folder is tried
        return path
    return "no writable folder; use -vv"
