"""Thumbnails of kept images, made in the contained decoders, for a page or a sheet."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pixtrawl.catalog.views.rows import LookRow
from pixtrawl.config.images import Images
from pixtrawl.cores import usable_cores
from pixtrawl.errors import StorageError
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import inside
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.transform import Transform

__all__ = ["MOST_PAGE_BYTES", "PAGE_THUMB", "thumbnails"]

MOST_PAGE_BYTES: Final = 13 * 10**6  # 17.4 MB as base64; a whole page stays under 20 MB
PAGE_THUMB: Final = Transform(
    mode="keep_ratio_largest", size=160, upscale=False, encode="webp", quality=75
)


async def thumbnails(
    folder: Folder, rows: Sequence[LookRow], transform: Transform, *, most_bytes: int
) -> dict[int, bytes]:
    """Return the encoded thumbnail of each row by its id, up to a bound of bytes in all.

    Images that were moved meanwhile, or do not decode, are missing from the result.
    """
    found: dict[int, bytes] = {}
    left_bytes, at_once = most_bytes, usable_cores() + 2
    with tempfile.TemporaryDirectory(prefix="pixtrawl-thumbs-") as name:
        pool = DecoderPool(Images(decoders=usable_cores()), Path(name), transform=transform)
        try:
            for at in range(0, len(rows), at_once):
                block = rows[at : at + at_once]
                made = await asyncio.gather(*(_thumb(pool, folder, one) for one in block))
                for row, data in zip(block, made, strict=True):
                    if data is not None and len(data) <= left_bytes:
                        found[row.id] = data
                        left_bytes -= len(data)
        finally:
            await pool.aclose()
    return found


async def _thumb(pool: DecoderPool, folder: Folder, row: LookRow) -> bytes | None:
    staged = Path(pool.staging) / f"{row.id}"
    try:
        await asyncio.to_thread(files.link_or_copy, inside(folder.root, row.file_name), staged)
        verdict = await pool.inspect(staged.name, staged.stat().st_size)
    except (FileNotFoundError, StorageError):  # moved meanwhile
        return None
    finally:
        files.discard(staged)
    return None if verdict.rendition is None else verdict.rendition.data
