"""Parquet manifests for `discover` and `download`: pyarrow is imported when one is really there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixtrawl.manifests.writer import RowWriter

__all__ = ["open_rows", "read_rows"]


def open_rows(path: Path) -> RowWriter:
    """A writer of rows to `path`. Raises MissingExtraError without pyarrow, OSError."""
    from pixtrawl.exporters.parquet import ManifestRows

    return ManifestRows(path)


def read_rows(path: Path) -> Iterable[Mapping[str, object]]:
    """The rows of `path`. Raises MissingExtraError without pyarrow; UsageError."""
    from pixtrawl.exporters.parquet import read_manifest_rows

    return read_manifest_rows(path)
