"""Score a data set: embed new images, compare each with its query, flag outliers.

Embeddings are committed batch by batch, so that an interrupted run resumes; another prompt or limit
does not read the pictures again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog import scores
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import Embedded, QueryKey, Scored
from pixtrawl.cores import usable_cores
from pixtrawl.errors import UsageError
from pixtrawl.folder import derived, recovery
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.layout import inside
from pixtrawl.relevance.alike import Alike, alike
from pixtrawl.relevance.model import Model, Vectors, from_bytes, to_bytes
from pixtrawl.relevance.outliers import lowest_usual
from pixtrawl.relevance.preprocess import BadPictureError

__all__ = ["PROMPT", "QueryScores", "ScoreOptions", "ScoreResult", "Unreadable", "score"]

PROMPT: Final = "a photo of {}"  # CLIP saw captions, not single words
_CHUNK: Final = 4096  # rows read, and scored, at a time

Progress = Callable[[int], None]
Row = tuple[int, str, str]  # id, file name, SHA-256


class ScoreOptions(Struct, frozen=True, kw_only=True):
    """Options of a scoring run. `batch` is the number of pictures per call of the model."""

    batch: int = 32
    prompt: str = PROMPT
    flag_below: float | None = None  # a cosine; None: outliers of their query
    duplicates: float | None = None  # a cosine; None: do not look for them

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 4096:
            raise UsageError("--batch must be between 1 and 4096")
        if "{}" not in self.prompt:
            raise UsageError(f"--prompt {self.prompt!r} has no {{}} where the query goes")
        for name in ("flag_below", "duplicates"):
            value = getattr(self, name)
            if value is not None and not -1 <= value <= 1:
                raise UsageError(f"--{name.replace('_', '-')} must be between -1 and 1")


class Unreadable(Struct, frozen=True):
    """An image that could not be read."""

    file_name: str
    why: str


class QueryScores(Struct, frozen=True):
    """One query: number of images, their median score, the limit, and the images below it."""

    text: str
    label: str
    images: int
    median: float
    limit: float | None  # None: too few images to say
    flagged: tuple[tuple[str, float], ...]  # file name and score, the lowest first


class ScoreResult(Struct, frozen=True):
    """The result of a scoring run."""

    model: str
    embedded: int  # pictures embedded in this run
    queries: tuple[QueryScores, ...]
    duplicates: tuple[Alike, ...]
    unreadable: tuple[Unreadable, ...]


def score(
    folder: Folder, model: Model, options: ScoreOptions, on_progress: Progress | None = None
) -> ScoreResult:
    """Score every kept image of a data set and rewrite metadata.jsonl.

    Raises:
        UsageError: no data set, or the model fails.
        StorageError: a run is at work on it.
    """
    with _opened(folder) as catalog:
        embedding = _Embedding(folder, catalog, model, options.batch)
        unreadable = embedding.all(on_progress or (lambda done: None))
        catalog.write_now(scores.clear_scores)
        queries = catalog.write_now(scores.queries)
        scored = [_score_query(catalog, model, options, one) for one in queries]
        pairs = _duplicates(catalog, model.name, options.duplicates)
        catalog.write_now(lambda db: derived.write_all(db, folder))
        found = tuple(one for one in scored if one is not None)
        return ScoreResult(model.name, embedding.done, found, tuple(pairs), tuple(unreadable))


@contextlib.contextmanager
def _opened(folder: Folder) -> Iterator[Catalog]:
    folder.require()
    with DatasetLock(folder), contextlib.closing(Catalog(folder.catalog)) as catalog:
        catalog.write_now(lambda db: recovery.recover(db, folder))
        yield catalog


class _Embedding:
    """Embeds pictures: decodes on all cores while the model runs on the previous batch."""

    def __init__(self, folder: Folder, catalog: Catalog, model: Model, batch: int) -> None:
        self._folder = folder
        self._catalog = catalog
        self._model = model
        self._batch = batch
        self.done = 0

    def all(self, on_progress: Progress) -> list[Unreadable]:
        """Embed the images without an embedding by this model; return the unreadable ones."""
        unreadable: list[Unreadable] = []
        batch: list[tuple[int, Vectors]] = []
        with ThreadPoolExecutor(min(usable_cores(), 16), "picture") as pool:
            for row, future in _ahead(pool, self._pixels, self._rows(), 2 * self._batch):
                try:
                    batch.append((row[0], future.result()))
                except BadPictureError as error:
                    unreadable.append(Unreadable(row[1], str(error)))
                if len(batch) == self._batch:
                    self._flush(batch)
                    on_progress(self.done)
        self._flush(batch)
        on_progress(self.done)
        return unreadable

    def _rows(self) -> Iterator[Row]:
        after = 0
        while True:
            rows = self._catalog.write_now(
                lambda db, after=after: scores.without_embedding(  # type: ignore[misc]
                    db, self._model.name, after=after, count=_CHUNK
                )
            )
            if not rows:
                return
            yield from rows
            after = rows[-1][0]

    def _pixels(self, row: Row) -> Vectors:
        _, file_name, sha256 = row
        try:
            data = inside(self._folder.root, file_name).read_bytes()
        except OSError as error:
            raise BadPictureError(f"cannot be read ({error.strerror or error})") from error
        # only what was checked on arrival is decoded in this process
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadPictureError("is not the file that was saved: its SHA-256 differs")
        return self._model.preprocess.pixels(data)

    def _flush(self, batch: list[tuple[int, Vectors]]) -> None:
        if not batch:
            return
        vectors = self._model.embed_images(np.stack([pixels for _, pixels in batch]))
        rows = [(row[0], to_bytes(vector)) for row, vector in zip(batch, vectors, strict=True)]
        self._catalog.write_now(lambda db: scores.store(db, self._model.name, rows))
        self.done += len(batch)
        batch.clear()


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[Row], Vectors], rows: Iterable[Row], window: int
) -> Iterator[tuple[Row, Future[Vectors]]]:
    """Yield results in order, working at most `window` ahead, to bound memory."""
    waiting: deque[tuple[Row, Future[Vectors]]] = deque()
    try:
        for row in rows:
            waiting.append((row, pool.submit(work, row)))
            if len(waiting) > window:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for _, future in waiting:
            future.cancel()


def _score_query(
    catalog: Catalog, model: Model, options: ScoreOptions, query: QueryKey
) -> QueryScores | None:
    text = model.embed_texts([options.prompt.replace("{}", query.text)])[0]

    def write(db: sqlite3.Connection) -> QueryScores | None:
        ids: list[int] = []
        names: list[str] = []
        cosines: list[float] = []
        for part in _parts(scores.embedded(db, model.name, query_id=query.id)):
            ids += [one.sample_id for one in part]
            names += [one.file_name for one in part]
            cosines += _cosines(from_bytes([one.embedding for one in part]), text)
        if not ids:
            return None
        limit = options.flag_below
        if limit is None:
            limit = lowest_usual(cosines)
        flags = [limit is not None and cosine < limit for cosine in cosines]
        scores.set_scores(db, list(map(Scored, ids, cosines, flags)))
        low = [(n, c) for n, c, flag in zip(names, cosines, flags, strict=True) if flag]
        low.sort(key=lambda one: one[1])
        middle = float(np.median(cosines))
        return QueryScores(query.text, query.label, len(ids), middle, limit, tuple(low))

    return catalog.write_now(write)


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


def _duplicates(catalog: Catalog, model: str, threshold: float | None) -> list[Alike]:
    if threshold is None:
        return []
    found: list[Alike] = []
    for label in catalog.write_now(scores.labels):
        images = catalog.write_now(
            lambda db, label=label: list(scores.embedded(db, model, label=label))  # type: ignore[misc]
        )
        found += alike(images, threshold)
    return found
