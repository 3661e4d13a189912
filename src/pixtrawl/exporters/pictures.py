"""Read, check and transform the pictures of an export on all cores.

Order is kept and read-ahead is bounded, so that memory use is constant.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from pixtrawl.buckets import aspect_of
from pixtrawl.cores import usable_cores
from pixtrawl.exporters.base import Item
from pixtrawl.exporters.columns import Columns
from pixtrawl.exporters.origin import Origin
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.renditions import RenditionReader
from pixtrawl.images.formats.png_chunks import without_damaged_metadata
from pixtrawl.transform import EXTENSIONS, BadPictureError, Picture, Transform

__all__ = ["PictureReader"]


class PictureReader:
    """Reads pictures ahead of the writer, in threads: decoders release the GIL."""

    def __init__(
        self,
        origin: Origin,
        transform: Transform,
        renditions: RenditionReader | None = None,
        workers: int | None = None,
    ) -> None:
        self._origin = origin
        self._transform = transform
        self._renditions = renditions
        self._workers = workers or origin.readers or min(usable_cores(), 16)
        self._pool = ThreadPoolExecutor(self._workers, "picture")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def stream(
        self, entries: Iterable[PlannedImage]
    ) -> Iterator[tuple[PlannedImage, Item | BadPictureError]]:
        """Yield each entry with its picture, or with the error."""
        waiting: deque[tuple[PlannedImage, Future[Item] | Item]] = deque()
        try:
            for entry in entries:
                # The look-up is faster than handing it to a thread.
                made = self._made_already(entry)
                waiting.append((entry, made or self._pool.submit(self._item, entry)))
                while waiting and (
                    len(waiting) > 2 * self._workers or isinstance(waiting[0][1], Item)
                ):
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        finally:
            for _, coming in waiting:
                if not isinstance(coming, Item):
                    coming.cancel()

    def _item(self, entry: PlannedImage) -> Item:
        try:
            data = self._origin.read(entry.place)
        except OSError as error:
            raise BadPictureError(f"cannot be read ({error.strerror or error})") from error
        digest = hashlib.sha256(data).hexdigest()
        if entry.columns["sha256"] not in {"", digest}:
            raise BadPictureError("is not the file that was saved: its SHA-256 differs")
        if self._transform.keeps_bytes:
            return _as_it_is(data, entry, digest)
        from pixtrawl.images.fit import fit  # decoders, which an export of bytes does without

        picture = fit(self._transform, data, str(entry.columns["format"]))
        return Item(entry, picture, _described(entry.columns, picture, digest))

    def _made_already(self, entry: PlannedImage) -> Item | None:
        """Return the item from its rendition, made during inspection; None without one."""
        sha256 = str(entry.columns["sha256"])
        if self._renditions is None or not sha256:
            return None
        format_ = self._transform.format(str(entry.columns["format"]))
        picture = self._renditions.get(sha256, format_)
        if picture is None:
            return None
        return Item(entry, picture, _described(entry.columns, picture, sha256))


def _result(
    entry: PlannedImage, coming: Future[Item] | Item
) -> tuple[PlannedImage, Item | BadPictureError]:
    try:
        return entry, coming if isinstance(coming, Item) else coming.result()
    except BadPictureError as error:
        return entry, error


def _as_it_is(data: bytes, entry: PlannedImage, digest: str) -> Item:
    """Return the file's bytes; of a PNG without damaged metadata, on which other readers fail."""
    columns = {**entry.columns, "sha256": digest}
    whole = without_damaged_metadata(data)
    if whole is not data:
        digest = hashlib.sha256(whole).hexdigest()
        columns = {**columns, "sha256": digest, "size_bytes": len(whole)}
    format_ = str(columns["format"])
    extension = entry.file_name.rpartition(".")[2].lower()
    picture = Picture(
        whole,
        EXTENSIONS.get(format_, extension),
        format_,
        int(columns["width"]),
        int(columns["height"]),
    )
    return Item(entry, picture, columns)


def _described(before: Columns, picture: Picture, digest: str) -> Columns:
    """Return the columns of a changed picture, beside those of the original file."""
    ratio, bucket = aspect_of(picture.width, picture.height)
    return {
        **before,
        "width": picture.width,
        "height": picture.height,
        "aspect_ratio": ratio,
        "aspect_bucket": bucket,
        "format": picture.format,
        "frames": 1,
        "size_bytes": len(picture.data),
        "sha256": hashlib.sha256(picture.data).hexdigest(),
        "original_width": before["width"],
        "original_height": before["height"],
        "original_sha256": digest,
    }
