"""Store the column `liked`, and say which images to decide on next."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.scores import columns as scores
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived import writing
from pixtrawl.scoring.likes.examples import label_likes, space_for_likes
from pixtrawl.scoring.score import opened

__all__ = ["LIKED", "Liked", "LikedLabel", "rank_by_likes"]

LIKED: Final = "liked"


class LikedLabel(Struct, frozen=True):
    """One label: its examples, and file names with scores, the most liked first.

    `uncertain` are the files to decide on next: of those the model knows least, and learns most.
    """

    label: str
    kept: int
    refused: int
    files: tuple[tuple[str, float], ...]
    uncertain: tuple[str, ...]


class Liked(Struct, frozen=True):
    """The result: `by` is `embedding` or `look`; `model` the name of the embeddings' model."""

    by: str
    model: str
    labels: tuple[LikedLabel, ...]


def rank_by_likes(folder: Folder, *, model: str = "", only: Sequence[str] = ()) -> Liked:
    """Order the images of labels with decisions, into the column `liked` (0 to 1).

    Args:
        folder: the data set.
        model: start of the name of the model whose embeddings are taken; "": the one with most.
        only: labels; none: every label with decisions.

    Raises:
        UsageError: no data set.
        StorageError: a run is at work on it.
    """

    def write(db: sqlite3.Connection) -> Liked:
        space = space_for_likes(db, model)
        found = label_likes(db, space, only)
        (column,) = scores.begin(db, LIKED, space.model or "looks", {LIKED: "float"})
        names = {one.id: one.file_name for one in look_pairs.images(db)}
        for one in found:
            scores.put(db, ((image, column.id, float(value)) for image, value in one.images))
        writing.write_all(db, folder)
        labels = tuple(
            LikedLabel(
                one.label, one.kept, one.refused,
                tuple((names[image], value) for image, value in one.images),
                tuple(names[image] for image in one.uncertain),
            )
            for one in found
        )  # fmt: skip
        return Liked(space.by, space.model, labels)

    with opened(folder) as catalog:
        return catalog.write_now(write)
