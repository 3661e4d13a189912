"""Map from image id to label, at four bytes per image, where a dict takes a hundred."""

from __future__ import annotations

from array import array
from typing import Final

__all__ = ["IdLabels"]

_NO_LABEL: Final = 0


class IdLabels:
    """Labels by id. Ids are row numbers: memory grows with the highest id."""

    def __init__(self) -> None:
        self._labels = [""]  # by number; 0: no label
        self._numbers: dict[str, int] = {}
        self._owner = array("I")

    def __getitem__(self, id: int) -> str:
        """Return the label. Raises KeyError for an unknown id."""
        number = self._owner[id] if 0 <= id < len(self._owner) else _NO_LABEL
        if number == _NO_LABEL:
            raise KeyError(id)
        return self._labels[number]

    def __setitem__(self, id: int, label: str) -> None:
        if id < 0:
            raise IndexError(f"{id} is not a row number")
        number = self._numbers.get(label)
        if number is None:
            number = self._numbers[label] = len(self._labels)
            self._labels.append(label)
        held = len(self._owner)
        if id >= held:
            more = max(id + 1, held + held // 8 + 64) - held
            self._owner.frombytes(bytes(more * self._owner.itemsize))
        self._owner[id] = number

    def pop(self, id: int) -> str | None:
        """Remove the id and return its label; None for an unknown id."""
        try:
            label = self[id]
        except KeyError:
            return None
        self._owner[id] = _NO_LABEL
        return label
