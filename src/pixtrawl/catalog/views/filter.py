"""The conditions by which a person looks at images: a filter and an order, as SQL."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

__all__ = ["Conditions", "LookFilter", "LookSort", "in_list", "like", "look_conditions"]

Decided = Literal["kept_by_hand", "undecided", "rejected"]


class LookFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A filter; an empty field does not restrict. Lists hold alternatives, fields are combined.

    `ranges` maps a measure, `width`, `height`, `size_bytes` or `aspect` to its bounds, both
    inclusive; None is an open end.
    """

    labels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # of images: the words with which a person refused them
    decisions: tuple[Decided, ...] = ()
    text: str = ""  # words in title, page, URL or file name; each must occur
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    colour: str = ""  # #rrggbb: the caller finds the images that have it


class LookSort(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An order: `number`, `newest`, `random`, `similar`, `outlier`, or a name of `ranges`."""

    by: str = "number"
    descending: bool = False


class Conditions:
    """Conditions joined by AND, with their bound values."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.values: list[Any] = []

    def add(self, part: str, *values: object) -> None:
        """Add one condition with its values."""
        self._parts.append(part)
        self.values += values

    @property
    def sql(self) -> str:
        """The condition for a WHERE clause."""
        return " AND ".join(f"({part})" for part in self._parts) or "1"


def in_list(conditions: Conditions, column: str, values: Sequence[str]) -> None:
    """Demand that a column has one of these values; no values demand nothing."""
    if values:
        conditions.add(f"{column} IN ({', '.join('?' * len(values))})", *values)


def like(word: str) -> str:
    """Return a pattern for `LIKE ... ESCAPE '!'` that finds a word anywhere."""
    plain = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{plain}%"


def look_conditions(wanted: LookFilter, columns: Mapping[str, str]) -> Conditions:
    """Translate a filter to conditions on the table of `views.table`.

    `columns` holds the SQL of each measure by its name.

    Raise ValueError for an unknown measure; the message is for the user.
    """
    found = Conditions()
    in_list(found, "label", wanted.labels)
    in_list(found, "source", wanted.sources)
    in_list(found, "host", wanted.hosts)
    in_list(found, "licence", wanted.licences)
    for word in wanted.text.lower().split():
        found.add("id IN (SELECT id FROM look_text WHERE words LIKE ? ESCAPE '!')", like(word))
    for name, (low, high) in wanted.ranges.items():
        value = columns.get(name)
        if value is None:
            raise ValueError(f"{name!r} is no measure of this data set")
        if low is not None and math.isfinite(low):
            found.add(f"{value} >= ?", low)
        if high is not None and math.isfinite(high):
            found.add(f"{value} <= ?", high)
    if wanted.reasons:
        marks = ", ".join("?" * len(wanted.reasons))
        found.add(
            f"id IN (SELECT sample_id FROM main.refused WHERE words IN ({marks}))", *wanted.reasons
        )
    _decided(found, wanted.decisions or (("rejected",) if wanted.reasons else ()))
    return found


def _decided(found: Conditions, wanted: Sequence[Decided]) -> None:
    codes = {"undecided": 0, "kept_by_hand": 1, "rejected": 2}
    chosen = {codes[one] for one in wanted} or {0, 1}  # rejected images only where asked for
    found.add(f"decision IN ({', '.join(map(str, sorted(chosen)))})")
