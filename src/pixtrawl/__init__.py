"""From a list of keywords to an image data set that can be trained on.

    import pixtrawl
    ds = pixtrawl.run(["tabby cat", "golden retriever"], limit=200, output="images")

Importing this costs next to nothing: every name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pixtrawl.api import (
        discover as discover,
        discover_async as discover_async,
        download as download,
        download_async as download_async,
        export as export,
        open as open,
        run as run,
        run_async as run_async,
    )
    from pixtrawl.config.groups import Config as Config
    from pixtrawl.dataset import Dataset as Dataset
    from pixtrawl.dataset.merging import merge as merge
    from pixtrawl.errors import (
        PictureError as PictureError,
        PixtrawlError as PixtrawlError,
        ShortWarning as ShortWarning,
    )
    from pixtrawl.model import (
        Candidate as Candidate,
        Filters as Filters,
        Kind as Kind,
        Outcome as Outcome,
        Query as Query,
        Reason as Reason,
        Sample as Sample,
        SourceOutcome as SourceOutcome,
        Status as Status,
    )
    from pixtrawl.report import Report as Report

__version__ = "0.1.0"

_HOME: Final = {
    "pixtrawl.api": (
        "discover", "discover_async", "download", "download_async", "export", "open",
        "run", "run_async",
    ),
    "pixtrawl.dataset": ("Dataset",),
    "pixtrawl.dataset.merging": ("merge",),
    "pixtrawl.config.groups": ("Config",),
    "pixtrawl.errors": ("PictureError", "PixtrawlError", "ShortWarning"),
    "pixtrawl.report": ("Report",),
    "pixtrawl.model": (
        "Candidate", "Filters", "Kind", "Outcome", "Query", "Reason", "Sample", "SourceOutcome",
        "Status",
    ),
}  # fmt: skip
_MODULE_OF: Final = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted([*_MODULE_OF, "__version__"])  # noqa: PLE0605 - made from the table above


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'pixtrawl' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
