"""Which label is an image of? Four bytes an image, where a dictionary takes a hundred."""

from __future__ import annotations

from array import array
from typing import Final

__all__ = ["Owners"]

_NOBODY: Final = 0


class Owners:
    """Labels by id. Ids are numbers of rows: what is held is as long as the highest is high."""

    def __init__(self) -> None:
        self._labels = [""]  # by number; 0 is nobody
        self._numbers: dict[str, int] = {}
        self._owner = array("I")

    def __getitem__(self, id: int) -> str:
        """Raises KeyError where the id is nobody's."""
        number = self._owner[id] if 0 <= id < len(self._owner) else _NOBODY
        if number == _NOBODY:
            raise KeyError(id)
        return self._labels[number]

    def __setitem__(self, id: int, label: str) -> None:
        if id < 0:
            raise IndexError(f"{id} is no number of a row")
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
        """The label, and the id is nobody's from now on; None where it was so already."""
        try:
            label = self[id]
        except KeyError:
            return None
        self._owner[id] = _NOBODY
        return label
