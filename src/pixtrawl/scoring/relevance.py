"""Compare images with the text of their query, by an image-text model's embeddings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.catalog.scores.columns import ScoreColumn
from pixtrawl.catalog.scores.embeddings import Embedded, QueryKey
from pixtrawl.errors import UsageError
from pixtrawl.scoring.models.interface import Model, Vectors, from_bytes
from pixtrawl.scoring.outliers import lowest_usual

__all__ = ["QueryScores", "query_scores", "store_group"]

_CHUNK: Final = 4096  # images scored at a time


class QueryScores(Struct, frozen=True):
    """One query: number of images, their median score, the limit, and the images below it."""

    text: str
    label: str
    images: int
    median: float
    limit: float | None  # None: too few images to say
    flagged: tuple[tuple[str, float], ...]  # file name and score, the lowest first


def query_scores(
    catalog: Catalog,
    model: Model,
    prompt: str,
    flag_below: float | None,
    columns: Sequence[ScoreColumn],
) -> list[QueryScores]:
    """Store the cosine of each image with its query, and whether it is an outlier of the query."""
    queries = catalog.write_now(embeddings.queries)
    found = [_of_query(catalog, model, prompt, flag_below, columns, one) for one in queries]
    return [one for one in found if one is not None]


def _of_query(
    catalog: Catalog, model: Model, prompt: str, flag_below: float | None,
    columns: Sequence[ScoreColumn], query: QueryKey,
) -> QueryScores | None:  # fmt: skip
    text = model.embed_texts([prompt.replace("{}", query.text)])[0]

    def write(db: sqlite3.Connection) -> QueryScores | None:
        images: list[Embedded] = []
        cosines: list[float] = []
        for part in _parts(embeddings.embedded(db, model.name, query_id=query.id)):
            cosines += _cosines(from_bytes([one.embedding for one in part]), text)
            images += [Embedded(one.sample_id, one.file_name, b"") for one in part]
        return store_group(db, (query.text, query.label), images, cosines, flag_below, columns)

    return catalog.write_now(write)


def store_group(
    db: sqlite3.Connection, names: tuple[str, str], images: Sequence[Embedded],
    values: Sequence[float], flag_below: float | None, columns: Sequence[ScoreColumn],
) -> QueryScores | None:  # fmt: skip
    """Store the scores of a query's (or a label's) images with their flags; None without images."""
    if not images:
        return None
    limit = lowest_usual(values) if flag_below is None else flag_below
    flags = [limit is not None and value < limit for value in values]
    score, outlier = columns
    scores.put(db, ((i.sample_id, score.id, v) for i, v in zip(images, values, strict=True)))
    scores.put(db, ((i.sample_id, outlier.id, f) for i, f in zip(images, flags, strict=True)))
    low = [(i.file_name, v) for i, v, flag in zip(images, values, flags, strict=True) if flag]
    low.sort(key=lambda one: one[1])
    middle = float(np.median(values))
    return QueryScores(names[0], names[1], len(images), middle, limit, tuple(low))


def _parts(images: Iterator[Embedded]) -> Iterator[list[Embedded]]:
    part: list[Embedded] = []
    for one in images:
        part.append(one)
        if len(part) == _CHUNK:
            yield part
            part = []
    if part:
        yield part


def _cosines(images: Vectors, text: Vectors) -> list[float]:
    if images.shape[1:] != text.shape:
        raise UsageError(
            f"the model gives {images.shape[1]} numbers for a picture and {len(text)} for a text"
        )
    return [float(one) for one in np.clip(images @ text, -1, 1)]
