"""Find images by words, or by likeness to others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from msgspec import Struct

from pixtrawl.catalog import kept
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.scores import embeddings
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.recovery.catch_up import catch_up
from pixtrawl.scoring.likeness.similar import order_by_likeness
from pixtrawl.scoring.likeness.spaces import space_of
from pixtrawl.scoring.models.interface import Embedder, from_bytes

__all__ = ["Found", "like_files", "like_text"]


class Found(Struct, frozen=True):
    """Images by likeness: file names with their cosines; `by` is `embedding` or `look`."""

    by: str
    model: str
    images: tuple[tuple[str, float], ...]


def like_text(folder: Folder, model: Embedder, text: str, count: int) -> Found:
    """Return the images whose embeddings by an image-text model are nearest to a text.

    Raises UsageError: the model takes no texts, or there is no data set.
    """
    embed = getattr(model, "embed_texts", None)
    if embed is None:
        raise UsageError("searching by words needs an image-text model")
    catch_up(folder)
    (wanted,) = embed([text])
    with closing(connect(folder.catalog, read_only=True)) as db:
        images = list(embeddings.embedded(db, model.name))
    if not images:
        return Found("embedding", model.name, ())
    cosines = np.clip(from_bytes([one.embedding for one in images]) @ wanted, -1, 1)
    best = np.argsort(-cosines, kind="stable")[: max(count, 0)]
    rows = tuple((images[at].file_name, float(cosines[at])) for at in best.tolist())
    return Found("embedding", model.name, rows)


def like_files(folder: Folder, names: Sequence[str], count: int) -> Found:
    """Return the images most like these files of the data set, without the files themselves.

    By embeddings if each of the files has one by one model, else by looks. Raises UsageError.
    """
    catch_up(folder)
    with closing(connect(folder.catalog, read_only=True)) as db:
        given = [_row(kept.named(db, _own(folder, name)), name, folder) for name in names]
        space = space_of(db, given)
        images = {one.id: one.file_name for one in look_pairs.images(db)}
        others = [one for one in images if one not in set(given)]
        found = order_by_likeness(db, space, others, given)[: max(count, 0)]
    return Found(space.by, space.model, tuple((images[one], value) for one, value in found))


def _row(image: kept.KeptFile | None, name: str, folder: Folder) -> int:
    if image is None:
        raise UsageError(f"{name}: no image of the data set {folder.shown}")
    return image.sample_id


def _own(folder: Folder, name: str) -> str:
    path = Path(name)
    root = folder.root.absolute()
    return (path.absolute().relative_to(root) if path.absolute().is_relative_to(root)
            else path).as_posix()  # fmt: skip
