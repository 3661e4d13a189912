"""Score the images of a data set by a model, into columns of the catalog.

What a model gives is committed batch by batch, so that an interrupted scoring resumes; another
prompt or limit does not read the pictures again. Embeddings are stored once for all their uses.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.catalog.scores.columns import ColumnType, ScoreColumn
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.derived import writing
from pixtrawl.folder.recovery import crash
from pixtrawl.scoring.columns import check_name, check_unused, columns_of, rows_of
from pixtrawl.scoring.likeness.alike import Alike, alike
from pixtrawl.scoring.likeness.typical import label_scores
from pixtrawl.scoring.models.image_model import ImageModel
from pixtrawl.scoring.models.interface import Embedder, to_bytes
from pixtrawl.scoring.models.pictures import PictureBatches, Row, Unreadable
from pixtrawl.scoring.relevance import QueryScores, query_scores

__all__ = [
    "PROMPT", "RELEVANCE", "ColumnSummary", "QueryScores", "ScoreOptions", "ScoreResult",
    "Unreadable", "opened", "score",
]  # fmt: skip

PROMPT: Final = "a photo of {}"  # CLIP saw captions, not single words
RELEVANCE: Final = "relevance"
_CHUNK: Final = 4096  # rows read at a time

Progress = Callable[[int], None]
_Stored = Callable[[Sequence[int], Any], None]


class ScoreOptions(Struct, frozen=True, kw_only=True):
    """Options of a scoring. `batch` is the number of pictures per call of the model."""

    name: str = RELEVANCE  # of the column
    batch: int = 32
    prompt: str = PROMPT
    flag_below: float | None = None  # a score; None: outliers of their query
    duplicates: float | None = None  # a cosine; None: do not look for them

    def __post_init__(self) -> None:
        check_name(self.name)
        if not 1 <= self.batch <= 4096:
            raise UsageError("--batch must be between 1 and 4096")
        if "{}" not in self.prompt:
            raise UsageError(f"--prompt {self.prompt!r} has no {{}} where the query goes")
        for name in ("flag_below", "duplicates"):
            value = getattr(self, name)
            if value is not None and not -1 <= value <= 1:
                raise UsageError(f"--{name.replace('_', '-')} must be between -1 and 1")


class ColumnSummary(Struct, frozen=True):
    """The values of one column: numbers by their range, texts by the most frequent."""

    name: str
    type: ColumnType
    images: int
    lowest: float | None = None
    median: float | None = None
    highest: float | None = None
    most: tuple[tuple[str, int], ...] = ()


class ScoreResult(Struct, frozen=True):
    """The result of a scoring run."""

    model: str
    embedded: int  # pictures that went through the model in this run
    queries: tuple[QueryScores, ...]  # of a model that compares images with their query or label
    columns: tuple[ColumnSummary, ...]
    duplicates: tuple[Alike, ...]
    unreadable: tuple[Unreadable, ...]


def score(
    folder: Folder,
    model: Embedder | ImageModel,
    options: ScoreOptions,
    on_progress: Progress | None = None,
    *,
    note: Mapping[str, object] | None = None,
) -> ScoreResult:
    """Score every kept image of a data set and rewrite metadata.jsonl.

    Args:
        folder: the data set.
        model: the model.
        options: name of the column and others.
        on_progress: called with the number of pictures done.
        note: where the model's files are from, for the catalog.

    Raises:
        UsageError: no data set, a name in use, or the model fails.
        StorageError: a run is at work on it.
    """
    progress = on_progress or (lambda done: None)
    with opened(folder) as catalog:
        if isinstance(model, ImageModel) and model.kind in {"classifier", "score"}:
            if options.duplicates is not None:
                raise UsageError("--duplicates needs a model that gives embeddings")
            return _by_outputs(folder, catalog, model, options, progress, note or {})
        return _by_embeddings(folder, catalog, model, options, progress, note or {})


@contextlib.contextmanager
def opened(folder: Folder) -> Iterator[Catalog]:
    """Open a data set's catalog for writing, with its lock. Raises UsageError, StorageError."""
    folder.require()
    with DatasetLock(folder), contextlib.closing(Catalog(folder.catalog)) as catalog:
        catalog.write_now(lambda db: crash.recover(db, folder))
        yield catalog


def _by_embeddings(
    folder: Folder, catalog: Catalog, model: Embedder, options: ScoreOptions,
    progress: Progress, note: Mapping[str, object],
) -> ScoreResult:  # fmt: skip
    name = options.name
    wanted: dict[str, ColumnType] = {name: "float", f"{name}_outlier": "bool"}
    _check_unused(catalog, folder, name, wanted)
    model_id = catalog.write_now(lambda db: scores.note_model(db, model.name, note))

    def keep(ids: Sequence[int], pixels: Any) -> None:
        rows = list(zip(ids, map(to_bytes, model.embed_images(pixels)), strict=True))
        catalog.write_now(lambda db: embeddings.store(db, model_id, rows))

    def missing(after: int) -> list[Row]:
        return catalog.write_now(
            lambda db: embeddings.without_embedding(db, model.name, after=after, count=_CHUNK)
        )

    done, unreadable = _through(folder, model, options.batch, missing, keep, progress)
    columns = catalog.write_now(lambda db: scores.begin(db, name, model.name, wanted))
    if model.kind == "image-text":
        found = query_scores(catalog, model, options.prompt, options.flag_below, columns)  # type: ignore[arg-type]
    else:
        found = label_scores(catalog, model.name, options.flag_below, columns)
    pairs = _duplicates(catalog, model.name, options.duplicates)
    return _result(folder, catalog, model.name, done, columns[:1], found, pairs, unreadable)


def _by_outputs(
    folder: Folder, catalog: Catalog, model: ImageModel, options: ScoreOptions,
    progress: Progress, note: Mapping[str, object],
) -> ScoreResult:  # fmt: skip
    wanted = columns_of(options.name, model.description)
    _check_unused(catalog, folder, options.name, wanted)

    def begin(db: Any) -> list[ScoreColumn]:
        scores.note_model(db, model.name, note)
        return scores.begin(db, options.name, model.name, wanted)

    columns = catalog.write_now(begin)

    def keep(ids: Sequence[int], pixels: Any) -> None:
        rows = [
            (image, column.id, value)
            for image, values in zip(
                ids, rows_of(model.description, model.outputs(pixels)), strict=True
            )
            for column, value in zip(columns, values, strict=True)
        ]
        catalog.write_now(lambda db: scores.put(db, rows))

    def missing(after: int) -> list[Row]:
        return catalog.write_now(
            lambda db: scores.without_score(db, columns[0].id, after=after, count=_CHUNK)
        )

    done, unreadable = _through(folder, model, options.batch, missing, keep, progress)
    return _result(folder, catalog, model.name, done, columns, (), [], unreadable)


def _check_unused(
    catalog: Catalog, folder: Folder, name: str, wanted: Mapping[str, ColumnType]
) -> None:
    catalog.write_now(lambda db: check_unused(db, folder, name, list(wanted)))


def _through(
    folder: Folder, model: Embedder | ImageModel, batch: int,
    missing: Callable[[int], list[Row]], keep: _Stored, progress: Progress,
) -> tuple[int, list[Unreadable]]:  # fmt: skip
    """Put the images that lack a result through the model; return how many, and the unreadable."""

    def rows() -> Iterator[Row]:
        after = 0
        while found := missing(after):
            yield from found
            after = found[-1][0]

    pictures = PictureBatches(folder, model.preprocess, batch)
    done = 0
    for ids, pixels in pictures.of(rows()):
        keep(ids, pixels)
        done += len(ids)
        progress(done)
    progress(done)
    return done, pictures.unreadable


def _result(  # noqa: PLR0913
    folder: Folder, catalog: Catalog, model: str, done: int, columns: Sequence[ScoreColumn],
    found: Sequence[QueryScores], pairs: Sequence[Alike], unreadable: Sequence[Unreadable],
) -> ScoreResult:  # fmt: skip
    catalog.write_now(lambda db: writing.write_all(db, folder))
    summaries = tuple(
        _summary(one, catalog.write_now(lambda db, one=one: scores.values(db, one.id)))  # type: ignore[misc]
        for one in columns
    )
    return ScoreResult(model, done, tuple(found), summaries, tuple(pairs), tuple(unreadable))


def _summary(column: ScoreColumn, values: Sequence[Any]) -> ColumnSummary:
    if column.type == "text":
        most = tuple(Counter(values).most_common(10))
        return ColumnSummary(column.name, column.type, len(values), most=most)
    numbers = np.asarray([one for one in values if math.isfinite(one)], dtype=np.float64)
    if not len(numbers):
        return ColumnSummary(column.name, column.type, 0)
    low, middle, high = (float(one) for one in np.quantile(numbers, (0, 0.5, 1)))
    return ColumnSummary(column.name, column.type, len(numbers), low, middle, high)


def _duplicates(catalog: Catalog, model: str, threshold: float | None) -> list[Alike]:
    if threshold is None:
        return []
    found: list[Alike] = []
    for label in catalog.write_now(embeddings.labels):
        images = catalog.write_now(
            lambda db, label=label: list(embeddings.embedded(db, model, label=label))  # type: ignore[misc]
        )
        found += alike(images, threshold)
    return found
