"""Hashes and decodes image files that lie in a data set, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.files.records import FileRecord
from pixtrawl.catalog.rebuild.described import Described
from pixtrawl.config.images import Images
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import staged_name
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.model import REASONS, ImageInfo

__all__ = ["ImageFile", "examined"]

_BATCH: Final = 64  # files in memory and with the decoders at a time


class ImageFile(Struct):
    """An image file, with the description of it where there is one."""

    name: str
    described: Described | None
    sha256: str = ""  # hexadecimal; "" if it could not be read
    size_bytes: int = 0
    info: ImageInfo | None = None
    record: FileRecord | None = None  # of the file as it was hashed; None if it could not be read
    undecided: bool = False  # the decoder could not finish: no verdict on the file


def examined(folder: Folder, every: Iterator[ImageFile]) -> Iterator[ImageFile]:
    """Hash and decode the files. Raise EngineError where decoders cannot be started."""
    with ThreadPoolExecutor(1) as thread:  # the caller's thread may have an event loop
        loop = thread.submit(asyncio.new_event_loop).result()
        pool = DecoderPool(Images(), folder.root)

        async def examine(batch: list[ImageFile]) -> None:
            await asyncio.gather(*(_examine(folder, pool, one) for one in batch))

        try:
            while batch := list(islice(every, _BATCH)):
                thread.submit(loop.run_until_complete, examine(batch)).result()
                yield from batch
        finally:
            thread.submit(loop.run_until_complete, pool.aclose()).result()
            thread.submit(loop.close).result()


async def _examine(folder: Folder, pool: DecoderPool, one: ImageFile) -> None:
    path = folder.root / one.name
    if path.is_symlink() or not path.is_file():
        return
    one.sha256, one.size_bytes = files.sha256_of(path), path.stat().st_size
    # Decoders take files by their staged name only.
    staged = folder.staging / staged_name(f"rebuild-{one.sha256}-{id(one)}")
    files.link_or_copy(path, staged)
    try:
        verdict = await pool.inspect(staged.name, one.size_bytes)
    finally:
        files.discard(staged)
    one.record = file_records.record_of(path.stat())  # a link changes the times of the file
    one.undecided = verdict.reason is not None and REASONS[verdict.reason].transient
    if verdict.info is not None:
        one.info = replace(verdict.info, sha256=one.sha256, size_bytes=one.size_bytes)
