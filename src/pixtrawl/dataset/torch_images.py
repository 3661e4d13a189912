"""A map-style data set of pictures and class indices, based on torch's class if installed.

This module is imported on use, because importing torch takes seconds. The class is at module level
so that worker processes of a DataLoader can unpickle it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixtrawl.dataset.pictures import GROUND, decoded, picture_of

__all__ = ["TorchImages"]

if TYPE_CHECKING:
    _Base = object
else:
    try:
        from torch.utils.data import Dataset as _Base
    except ImportError:
        _Base = object


class TorchImages(_Base):
    """A map-style data set: `images[i]` is (picture, class index).

    `classes`, `class_to_idx`, `samples` and `targets` are those of torchvision's ImageFolder. It is
    a snapshot of the images at construction and does not use the catalog; a worker process of a
    DataLoader, forked or spawned, receives about 40 bytes per image.
    """

    def __init__(
        self,
        root: Path | str,
        files: Iterable[tuple[str, str]],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        *,
        ground: str = GROUND,
        read: Callable[[str], bytes] | None = None,
    ) -> None:
        """Take the snapshot; `files` are names relative to `root`, each with its label.

        `read` returns the bytes of such a name where it is no path; it must be picklable.
        """
        self.root = str(root)
        self._read = read
        self._names = bytearray()  # one buffer, which forked workers share uncopied
        self._ends = array("q")
        places = array("q")
        seen: dict[str, int] = {}
        for name, label in files:
            self._names += name.encode("utf-8", "surrogateescape")
            self._ends.append(len(self._names))
            places.append(seen.setdefault(label, len(seen)))
        self.classes = sorted(seen)
        self.class_to_idx = {label: at for at, label in enumerate(self.classes)}
        index_of = {place: self.class_to_idx[label] for label, place in seen.items()}
        self.targets = [index_of[place] for place in places]
        self.transform = transform
        self.target_transform = target_transform
        self.ground = ground

    @property
    def samples(self) -> list[tuple[str, int]]:
        """The path and class index of each picture."""
        return [(self._path(at), target) for at, target in enumerate(self.targets)]

    def _path(self, index: int) -> str:
        if self._read is not None:
            return f"{self.root}/{self._name(index)}"
        return str(Path(self.root, self._name(index)))

    def _name(self, index: int) -> str:
        at = range(len(self._ends))[index]
        start = self._ends[at - 1] if at else 0
        return self._names[start : self._ends[at]].decode("utf-8", "surrogateescape")

    def _picture(self, index: int) -> Any:
        if self._read is None:
            return picture_of(self._path(index), ground=self.ground)
        return decoded(self._read(self._name(index)), self._path(index), ground=self.ground)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = self._picture(index)
        target: Any = self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target
