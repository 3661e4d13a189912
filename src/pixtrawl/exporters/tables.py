"""CSV and JSON Lines exports: one row per image, without the images.

`file_name` is relative to the data set folder. The file is written whole and renamed, so a killed
export leaves nothing half-done and the same command simply writes it again.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from pixtrawl.batches import batches
from pixtrawl.exporters.base import json_line
from pixtrawl.exporters.columns import Columns
from pixtrawl.lines import csv_lines

__all__ = ["CsvTable", "EncodedTable", "JsonLinesTable", "without_formulas"]

# A spreadsheet computes a cell that begins so, behind blanks too; and in their wide forms.
_FORMULA: Final = re.compile(r"[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class EncodedTable(ABC):
    """Rows as bytes."""

    name: ClassVar[str]
    suffix: ClassVar[str]

    @abstractmethod
    def encode(self, rows: Iterable[Columns]) -> Iterator[bytes]:
        """Yield the file's content in pieces; every row has the same keys."""


class JsonLinesTable(EncodedTable):
    """One JSON object a line, UTF-8."""

    name = "jsonl"
    suffix = ".jsonl"

    def encode(self, rows: Iterable[Columns]) -> Iterator[bytes]:
        for batch in batches(rows):
            yield b"".join(map(json_line, batch))


class CsvTable(EncodedTable):
    """RFC 4180 with a header, UTF-8 without a byte order mark, lines ended by LF."""

    name = "csv"
    suffix = ".csv"

    def encode(self, rows: Iterable[Columns]) -> Iterator[bytes]:
        for number, batch in enumerate(batches(rows)):
            if number == 0:
                yield from (line.encode() for line in csv_lines([batch[0]]))
            yield "".join(csv_lines(row.values() for row in batch)).encode()


def without_formulas(row: Columns) -> Columns:
    """Return a row in which no text is a formula of a spreadsheet: such begin with an apostrophe.

    Names of columns, which may be a list's own, are treated alike. Numbers stay.
    """
    return {_inert(name): _inert(v) if isinstance(v, str) else v for name, v in row.items()}


def _inert(text: str) -> str:
    is_formula = _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
    return f"'{text}" if is_formula else text
