"""The Python interface: run, discover, download, open and export.

Arguments have the names of the command-line options: `--min-size 640x480` is
`min_size="640x480"`, `--set google.base_url=...` is `settings={"google": {"base_url": ...}}`, or
`set=["google.base_url=..."]`. Settings without an option go into `config=`.
"""

from pixtrawl.api.data_sets import export, open
from pixtrawl.api.discovering import discover, discover_async
from pixtrawl.api.downloading import download, download_async
from pixtrawl.api.running import run, run_async

__all__ = [
    "discover",
    "discover_async",
    "download",
    "download_async",
    "export",
    "open",
    "run",
    "run_async",
]
