"""A map-style data set of pictures and class indices, based on torch's class if installed.

This module is imported on use, because importing torch takes seconds. The class is at module level
so that worker processes of a DataLoader can unpickle it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixtrawl.dataset.pictures import GROUND, picture_of

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
        root: Path,
        files: Iterable[tuple[str, str]],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        *,
        ground: str = GROUND,
    ) -> None:
        """Take the snapshot; `files` are names relative to `root`, each with its label."""
        self.root = str(root)
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
        at = range(len(self._ends))[index]
        start = self._ends[at - 1] if at else 0
        name = self._names[start : self._ends[at]].decode("utf-8", "surrogateescape")
        return str(Path(self.root, name))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = picture_of(self._path(index), ground=self.ground)
        target: Any = self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target
