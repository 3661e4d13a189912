"""Compares a data set with block lists, and takes down the images that the lists contain.

Compared are the kept images and the quarantined files. Hashes that the catalog lacks are computed
from the files, once: a later list then costs look-ups only.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.block_lists import BlockLists, load
from pixtrawl.block_lists.lists import md5_of, pack_looks, unpack_looks
from pixtrawl.catalog import block_hashes
from pixtrawl.catalog.database import Catalog
from pixtrawl.config.groups import Images
from pixtrawl.events import Listener, Notice, ignore
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.folder.layout import staged_name
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.interface import Verdict
from pixtrawl.model import ContentHashes, Reason
from pixtrawl.pipeline.curating.deciding import record
from pixtrawl.pipeline.finished.opened import opened

__all__ = ["Hit", "check_stored", "hits_of", "records_of"]

_AT_ONCE: Final = 64  # files


class Hit(Struct, frozen=True):
    """A stored file whose hash is in a block list."""

    file_name: str  # of a kept image; "" for one that is only in quarantine
    sha256: str
    why: str


class _StoredImage(Struct, frozen=True):
    sha256: str
    path: Path
    file_name: str = ""


def check_stored(
    folder: Folder, images: Images, *, dry_run: bool = False
) -> tuple[list[Hit], str | None]:
    """Take down the stored files that the lists of the settings contain, unless `dry_run`.

    Return them, and a remark on the lists. Raise UsageError, StorageError or EngineError.
    """
    lists = load(images)
    if lists is None:
        return [], None
    with opened(folder) as catalog:
        hits = asyncio.run(hits_of(folder, catalog, lists, images))
    if hits and not dry_run:
        record(folder, records_of(hits))
    return hits, lists.remark()


async def hits_of(
    folder: Folder,
    catalog: Catalog,
    lists: BlockLists,
    images: Images,
    emit: Listener = ignore,
) -> list[Hit]:
    """Return the stored files that the lists contain, in an open data set. Raise EngineError."""
    everything = catalog.write_now(lambda db: list(_stored(db, folder)))
    hits, left = [], []
    for one, content in everything:
        why = lists.why_bytes(one.sha256, content.md5)
        if why is None and content.pdq is not None:
            why = lists.why_look(unpack_looks(content.pdq))
        if why is not None:
            hits.append(Hit(one.file_name, one.sha256, why))
        elif _lacks(content, lists):
            left.append((one, content))
    if left:
        emit(Notice(f"block lists: {len(left):,} stored files are hashed to be compared"))
        hits += await _compare(folder, catalog, lists, images, left)
    return hits


def records_of(hits: list[Hit]) -> list[DecisionRecord]:
    """Return the decisions that take these files down, as one batch."""
    batch = journal.new_id()
    return [
        journal.record(
            "cli", "takedown", batch, kind="sha256", value=hit.sha256,
            reason=Reason.BLOCKED_HASH.value,
        )
        for hit in hits
    ]  # fmt: skip


def _stored(db: sqlite3.Connection, folder: Folder) -> Iterator[tuple[_StoredImage, ContentHashes]]:
    seen = set()
    for one in block_hashes.stored(db):
        seen.add(one.sha256)
        yield (
            _StoredImage(one.sha256, folder.root / one.file_name, one.file_name),
            block_hashes.known(db, one.sha256),
        )
    for sha256, path in quarantine.held(folder):
        if sha256 not in seen:
            yield _StoredImage(sha256, path), block_hashes.known(db, sha256)


def _lacks(content: ContentHashes, lists: BlockLists) -> bool:
    return (lists.wants_md5 and content.md5 is None) or (lists.wants_pdq and content.pdq is None)


async def _compare(
    folder: Folder,
    catalog: Catalog,
    lists: BlockLists,
    images: Images,
    left: list[tuple[_StoredImage, ContentHashes]],
) -> list[Hit]:
    """Hash files, store the hashes, and return the files that the lists contain."""
    pool = DecoderPool(images, folder.staging)
    hits: list[Hit] = []
    try:
        for at in range(0, len(left), _AT_ONCE):
            some = left[at : at + _AT_ONCE]
            found = await asyncio.gather(
                *(_hash(folder, pool, lists, one, content) for one, content in some)
            )

            pairs = [(one, content) for (one, _), content in zip(some, found, strict=True)]
            catalog.write_now(partial(_remember, pairs=pairs))
            for one, content in pairs:
                why = lists.why_bytes(one.sha256, content.md5)
                if why is None and content.pdq:
                    why = lists.why_look(unpack_looks(content.pdq))
                if why is not None:
                    hits.append(Hit(one.file_name, one.sha256, why))
    finally:
        await pool.aclose()
    return hits


def _remember(db: sqlite3.Connection, pairs: list[tuple[_StoredImage, ContentHashes]]) -> None:
    for one, content in pairs:
        block_hashes.note(db, one.sha256, content)


async def _hash(
    folder: Folder, pool: DecoderPool, lists: BlockLists, one: _StoredImage, content: ContentHashes
) -> ContentHashes:
    """Return the hashes of a file; PDQ is empty where it is no picture. A missing file has none."""
    staged = folder.staging / staged_name(f"block-{one.sha256}")
    try:
        if lists.wants_md5 and content.md5 is None:
            content.md5 = await asyncio.to_thread(md5_of, one.path)
        if lists.wants_pdq and content.pdq is None:
            await asyncio.to_thread(_lay_out, one.path, staged)
            answer = await pool.pdq(staged.name, staged.stat().st_size)
            content.pdq = b"" if isinstance(answer, Verdict) else pack_looks(answer)
    except FileNotFoundError:
        pass  # deleted by hand meanwhile: the next start takes note of it
    finally:
        files.discard(staged)
    return content


def _lay_out(path: Path, staged: Path) -> None:
    """Make a file readable for decoders, which see staged files only."""
    files.discard(staged)
    try:
        os.link(path, staged, follow_symlinks=False)
    except OSError:
        shutil.copyfile(path, staged)
