"""The Python interface: run, discover, download, open, export, and the data set they give back.

Every function has the command line's names for its options: `--min-size 640x480` is
`min_size="640x480"`, `--set google.base_url=...` is `settings={"google": {"base_url": ...}}`, or
`set=["google.base_url=..."]`. What has no option is in `config=`.
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
