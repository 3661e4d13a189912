"""Gives the images of a data set embeddings, as `pixtrawl score` stores them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.scoring.models.interface import to_bytes, unit

MODEL = "tiny@0123456789ab"


def embed(root: Path, *, astray: Sequence[int] = (), without: Sequence[int] = ()) -> None:
    """Give each label a direction; `astray` are numbers of images that lie with the next label."""
    catalog = Catalog(Folder(root).catalog)
    try:
        images = catalog.write_now(look_pairs.labelled)
        chance = np.random.default_rng(5)
        middles = chance.normal(size=(len(images.names), 32))
        model_id = catalog.write_now(lambda db: scores.note_model(db, MODEL, {}))
        rows = []
        for id_, number, label in zip(images.ids, images.numbers, images.labels, strict=True):
            at = (label + (number in astray)) % len(images.names)
            vector = unit(middles[at][None] + 0.1 * chance.normal(size=(1, 32)))
            if number not in without:
                rows.append((id_, to_bytes(vector[0])))
        catalog.write_now(lambda db: embeddings.store(db, model_id, rows))
    finally:
        catalog.close()
