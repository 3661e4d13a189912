"""A map-style data set of pictures and class indices; torch's own kind where torch is installed.

A module of its own, imported on use: torch takes seconds, and a class that worker processes of a
DataLoader can unpickle has to stand in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixtrawl.dataset.pictures import GROUND, picture_of
from pixtrawl.model import Sample

__all__ = ["TorchImages"]

if TYPE_CHECKING:
    _Base = object
else:
    try:
        from torch.utils.data import Dataset as _Base
    except ImportError:
        _Base = object


class TorchImages(_Base):
    """(picture, class index) by position.

    `classes`, `class_to_idx`, `samples` and `targets` are what torchvision's ImageFolder has.
    """

    def __init__(
        self,
        root: Path,
        samples: Iterable[Sample],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        *,
        ground: str = GROUND,
    ) -> None:
        found = [(sample.file_name, sample.label) for sample in samples]
        self.root = str(root)
        self.classes = sorted({label for _, label in found})
        self.class_to_idx = {label: at for at, label in enumerate(self.classes)}
        self._names = [name for name, _ in found]
        self.targets = [self.class_to_idx[label] for _, label in found]
        self.transform = transform
        self.target_transform = target_transform
        self.ground = ground

    @property
    def samples(self) -> list[tuple[str, int]]:
        """Path and class index of each picture."""
        return [(self._path(at), target) for at, target in enumerate(self.targets)]

    def _path(self, index: int) -> str:
        return str(Path(self.root, self._names[index]))

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = picture_of(self._path(index), ground=self.ground)
        target: Any = self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target
