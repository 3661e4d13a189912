"""Thumbnails, made lazily in the contained decoders and held in a bounded cache.

No untrusted picture is ever decoded in this process. Requests wait on a stack: the newest is
served first, since a person who scrolls no longer looks at the older ones.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from pixtrawl.catalog.views.rows import PictureRow
from pixtrawl.catalog.views.thumb_store import ThumbStore
from pixtrawl.config.images import Images
from pixtrawl.cores import usable_cores
from pixtrawl.errors import StorageError
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import THUMBS, inside
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.transform import Transform

__all__ = ["SIZES_PX", "ThumbMaker", "picture_file"]

T = TypeVar("T")

SIZES_PX: Final = (160, 320, 1000)  # tiles; the largest for formats that no browser shows
_QUALITY: Final = 80
_MEMORY_BYTES: Final = 24 * 2**20
_DISK_BYTES: Final = 512 * 2**20  # of one data set
_MOST_WAITING: Final = 1000


def picture_file(folder: Folder, row: PictureRow) -> Path | None:
    """Return the file of a picture inside the data set, or None where there is none."""
    root = folder.root.resolve()
    if row.file_name:
        try:
            path = inside(folder.root, row.file_name)
        except StorageError:
            return None
        if path.is_file() and path.resolve().is_relative_to(root):
            return path
    aside = quarantine.find(folder, row.sha256)
    return aside if aside is not None and aside.resolve().is_relative_to(root) else None


class ThumbMaker:
    """Makes thumbnails as WebP; bound to the event loop that uses it first."""

    def __init__(self) -> None:
        self._pools: dict[int, DecoderPool] = {}
        self._staging: Path | None = None
        self._memory: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._memory_bytes = 0
        self._stores: dict[Path, ThumbStore] = {}
        self._disk = ThreadPoolExecutor(1, "thumbs")
        self._made: dict[tuple[str, int], asyncio.Future[bytes | None]] = {}
        self._waiting: list[asyncio.Future[bool]] = []
        self._free = usable_cores() + 2
        self._numbers = 0

    async def get(self, folder: Folder, path: Path, sha256: str, px: int) -> bytes | None:
        """Return the thumbnail of a file, with its longer side of `px` pixels at the most.

        None where the file does not decode, or newer requests have pushed this one out.
        """
        key = (sha256, px)
        found = self._memory.get(key)
        if found is not None:
            self._memory.move_to_end(key)
            return found
        under_way = self._made.get(key)
        if under_way is None:
            under_way = asyncio.ensure_future(self._find(folder, path, sha256, px))
            self._made[key] = under_way
            under_way.add_done_callback(lambda _: self._made.pop(key, None))
        return await asyncio.shield(under_way)

    async def _find(self, folder: Folder, path: Path, sha256: str, px: int) -> bytes | None:
        store = self._store(folder)
        data = await self._on_disk(lambda: store.get(sha256, px))
        if data is None and await self._turn():
            try:
                data = await self._decoded(path, px)
            finally:
                self._next()
            if data is not None:
                made = data
                await self._on_disk(lambda: store.put(sha256, px, made))
        if data is not None:
            self._remember((sha256, px), data)
        return data

    def _store(self, folder: Folder) -> ThumbStore:
        path = folder.root / THUMBS
        if path not in self._stores:
            self._stores[path] = ThumbStore(path, max_bytes=_DISK_BYTES)
        return self._stores[path]

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    async def _turn(self) -> bool:
        """Wait for a free decoder. Return False where newer requests have pushed this one out."""
        if self._free > 0:
            self._free -= 1
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if len(self._waiting) > _MOST_WAITING:
            oldest = self._waiting.pop(0)
            if not oldest.done():
                oldest.set_result(False)
        return await turn

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.pop()
            if not turn.done():
                turn.set_result(True)
                return
        self._free += 1

    async def _decoded(self, path: Path, px: int) -> bytes | None:
        pool = self._pool(px)
        self._numbers += 1
        staged = Path(pool.staging) / f"{self._numbers}"
        try:
            # Decoders take files by a plain name from their own folder.
            await asyncio.to_thread(files.link_or_copy, path, staged)
            verdict = await pool.inspect(staged.name, staged.stat().st_size)
        except (FileNotFoundError, StorageError):  # moved or taken down in between
            return None
        finally:
            files.discard(staged)
        return None if verdict.rendition is None else verdict.rendition.data

    def _pool(self, px: int) -> DecoderPool:
        if self._staging is None:
            self._staging = Path(tempfile.mkdtemp(prefix="pixtrawl-studio-"))
        if px not in self._pools:
            transform = Transform(
                mode="keep_ratio_largest", size=px, upscale=False, encode="webp", quality=_QUALITY
            )
            images = Images(decoders=max(1, usable_cores() // 2))
            self._pools[px] = DecoderPool(images, self._staging, transform=transform)
        return self._pools[px]

    def _remember(self, key: tuple[str, int], data: bytes) -> None:
        former = self._memory.pop(key, b"")
        self._memory[key] = data
        self._memory_bytes += len(data) - len(former)
        while self._memory_bytes > _MEMORY_BYTES:
            _, dropped = self._memory.popitem(last=False)
            self._memory_bytes -= len(dropped)

    async def aclose(self) -> None:
        """End the decoders, and remove their folder."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(False)
        self._waiting.clear()
        for pool in self._pools.values():
            await pool.aclose()
        for store in self._stores.values():
            await self._on_disk(store.close)
        self._disk.shutdown()
        if self._staging is not None:
            await asyncio.to_thread(shutil.rmtree, self._staging, True)
