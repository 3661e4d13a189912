"""Parquet manifests for `discover` and `download`; pyarrow is imported on first use.

It imports numpy, which must be loaded as `numeric` does it: a run computes with it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pixtrawl.numeric import load_numpy

if TYPE_CHECKING:
    from pixtrawl.manifests.writer import RowWriter

__all__ = ["open_rows", "read_rows"]


def open_rows(path: Path) -> RowWriter:
    """Return a writer of rows to `path`. Raise MissingExtraError without pyarrow; OSError."""
    load_numpy()
    from pixtrawl.exporters.parquet import ManifestRows

    return ManifestRows(path)


def read_rows(path: Path) -> Iterable[Mapping[str, object]]:
    """Return the rows of `path`. Raise MissingExtraError without pyarrow; UsageError."""
    load_numpy()
    from pixtrawl.exporters.parquet import read_manifest_rows

    return read_manifest_rows(path)
