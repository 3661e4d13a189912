"""Values of other libraries as Python's own, recognised by what they can do: nothing is imported.

Tables of pandas, polars and pyarrow become rows, their columns and numpy's arrays lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["is_missing", "items_of", "kind_of", "plain", "table_rows"]

_MISSING: Final = frozenset({"NAType", "NaTType"})  # pandas.NA, pandas.NaT


def table_rows(value: Any) -> Iterator[dict[str, Any]] | None:
    """Return an iterator of the rows of a table; None for anything else."""
    if hasattr(value, "collect") and hasattr(value, "collect_schema"):  # polars, lazy
        value = value.collect()
    if hasattr(value, "itertuples") and hasattr(value, "columns"):
        return _pandas_rows(value)
    if hasattr(value, "iter_rows") and hasattr(value, "columns"):
        return (_plain_row(row) for row in value.iter_rows(named=True))
    if hasattr(value, "to_batches") and hasattr(value, "column_names"):
        return _rows(row for batch in value.to_batches() for row in batch.to_pylist())
    if hasattr(value, "to_pylist") and hasattr(value, "column_names"):
        return _rows(value.to_pylist())
    if hasattr(value, "to_pylist") and hasattr(getattr(value, "schema", None), "names"):
        return _rows(value.to_pylist())
    return None


def items_of(value: Any) -> list[Any] | None:
    """Return the values of a column or array (also zero-dimensional); None for anything else."""
    for name in ("to_pylist", "to_list", "tolist"):
        convert = getattr(value, name, None)
        if callable(convert) and not isinstance(value, (str, bytes, bytearray)):
            found = convert()
            return [plain(one) for one in found] if isinstance(found, list) else [plain(found)]
    return None


def plain(value: Any) -> Any:
    """Convert a number, text or time of another library to Python's own; missing becomes None."""
    if value is None or isinstance(value, (str, int)):
        return value
    if is_missing(value):
        return None
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return plain(value.item())
    if hasattr(value, "tolist") and getattr(value, "ndim", None):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def is_missing(value: Any) -> bool:
    """None, NaN, pandas' NA and NaT."""
    if value is None or type(value).__name__ in _MISSING:
        return True
    return isinstance(value, float) and value != value


def kind_of(value: Any) -> str:
    """Return a value's type for messages: `None (a missing value)`, `a list`, `bool True`."""
    if is_missing(value):
        return "a missing value (None or NaN)"
    if isinstance(value, (bool, float)):
        return repr(value)
    return f"of type {type(value).__name__}"


def _pandas_rows(frame: Any) -> Iterator[dict[str, Any]]:
    index_names: Sequence[Any] = getattr(frame.index, "names", [None])
    named = [name for name in index_names if name is not None]
    if named:  # an index with a name is a column of the user's, too
        frame = frame.reset_index(level=named, allow_duplicates=True)
    names = [str(name) for name in frame.columns]
    for row in frame.itertuples(index=False, name=None):
        yield dict(zip(names, map(plain, row), strict=True))


def _rows(rows: Any) -> Iterator[dict[str, Any]]:
    return (_plain_row(row) for row in rows)


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): plain(value) for name, value in row.items()}
