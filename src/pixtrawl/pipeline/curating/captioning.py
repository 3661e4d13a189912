"""Captions that a person or a model writes, as decisions: recorded first, undone by `undo`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from pixtrawl.captions import WRITTEN, Chain, caption_of
from pixtrawl.catalog import samples, written
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.derived import caption_files, writing
from pixtrawl.folder.derived.caption_files import CaptionFilesWritten
from pixtrawl.model import Caption
from pixtrawl.pipeline.curating.deciding import Recorded, Who, named_images, record
from pixtrawl.pipeline.finished.opened import looked_at, opened

__all__ = [
    "MAX_TEXT", "caption", "captions", "choose", "present", "replace_words", "reset",
    "take_edited", "write_files",
]  # fmt: skip

MAX_TEXT = 4000  # characters of a written caption


def caption(
    folder: Folder, names: Iterable[str], text: str, *, who: Who, origin: str = "hand"
) -> Recorded:
    """Give images a caption, which wins over all collected ones.

    Args:
        folder: the data set.
        names: image files, or folders of labels for all of their images.
        text: the caption, kept as it is; "" for an image that is to have none.
        who: where the decision comes from.
        origin: `hand`, or `model` for text that a model wrote; a model's text never replaces one
            that was written by hand.

    Raise UsageError: a name is no image of the data set, or the text is too long; StorageError.
    """
    with looked_at(folder) as db:
        named = named_images(db, folder, names)
    return _record(folder, ((name, sha256, text) for name, sha256 in named), who, origin)


def captions(
    folder: Folder, texts: Mapping[str, str], *, who: Who, origin: str = "hand"
) -> Recorded:
    """Give each of these images its own caption, as one decision. Raise as `caption`."""
    with looked_at(folder) as db:
        named = [
            (found, sha256, text)
            for name, text in texts.items()
            for found, sha256 in named_images(db, folder, [name])
        ]
    return _record(folder, named, who, origin)


def reset(folder: Folder, names: Iterable[str], *, who: Who) -> Recorded:
    """Drop written captions, so that collected ones hold again. Raise as `caption`."""
    with looked_at(folder) as db:
        named = named_images(db, folder, names)
    return _record(folder, ((name, sha256, "") for name, sha256 in named), who, "")


def replace_words(
    folder: Folder, names: Iterable[str], find: str, replacement: str, *, who: Who
) -> Recorded:
    """Replace words in the captions of images; only changed captions become written ones.

    `names` may be empty, for every image. Raise UsageError where there are no captions.
    """
    if not find:
        raise UsageError("--find is empty: give the words to replace")
    changes = [
        (name, sha256, one.text.replace(find, replacement))
        for name, sha256, one in _present(folder, list(names))
        if find in one.text
    ]
    return _record(folder, changes, who, "hand")


def present(folder: Folder, names: Iterable[str]) -> list[tuple[str, Caption]]:
    """Return the captions of these images, or of all. Raise UsageError where there are none."""
    return [(name, one) for name, _, one in _present(folder, list(names))]


def choose(folder: Folder, chain: Chain) -> None:
    """Choose the origins of captions for the data set, as a run with `--caption` does.

    Raise UsageError without a data set, StorageError while a run holds it.
    """
    with opened(folder) as catalog:
        catalog.write_now(lambda db: written.choose(db, chain))
        catalog.write_now(lambda db: writing.write_all(db, folder))


def take_edited(folder: Folder, *, who: Who) -> Recorded | None:
    """Make texts that a person put beside images, or changed there, captions by hand.

    None where there are none. Raise as `caption`.
    """
    with looked_at(folder) as db:
        images = {one.file_name: one for one in samples.read(db, folder.root)}
    found = caption_files.edited(folder.root, images)
    new = {
        name: text
        for name, text in found.items()
        if (images[name].written or Caption()) != Caption(text, "hand")
    }
    return captions(folder, new, who=who) if new else None


def write_files(folder: Folder) -> CaptionFilesWritten:
    """Write each image's caption into a text file beside it, a person's files excepted.

    Raise UsageError where there are no captions, StorageError where the disk refuses.
    """
    found = {name: one.text for name, one in present(folder, [])}
    try:
        return caption_files.write(folder.root, found)
    except OSError as error:
        raise StorageError(f"caption files cannot be written: {error}") from error


def _present(folder: Folder, names: list[str]) -> list[tuple[str, str, Caption]]:
    with looked_at(folder) as db:
        chain = written.chain_of(db)
        if chain is None:
            raise UsageError(
                f"{folder.shown} has no captions; choose origins first: "
                f"pixtrawl caption {folder.shown} --caption alt,title"
            )
        wanted = set(_names(db, folder, names)) if names else None
        return [
            (one.file_name, one.info.sha256, caption_of(one, chain))
            for one in samples.read(db, folder.root)
            if wanted is None or one.file_name in wanted
        ]


def _names(db: sqlite3.Connection, folder: Folder, names: list[str]) -> list[str]:
    return [name for name, _ in named_images(db, folder, names)]


def _record(
    folder: Folder, images: Iterable[tuple[str, str, str]], who: Who, origin: str
) -> Recorded:
    if origin not in {*WRITTEN, ""}:
        raise UsageError(f"{origin!r} is no origin of written captions: hand or model")
    batch = journal.new_id()
    records = []
    for name, sha256, text in images:
        if len(text) > MAX_TEXT:
            raise UsageError(f"{name}: a caption has at most {MAX_TEXT:,} characters")
        given: dict[str, str] = {"text": _storable(text), "origin": origin}
        records.append(
            journal.record(who, "caption", batch, sha256=sha256, file_name=name, **given)
        )
    return record(folder, records)


def _storable(text: str) -> str:
    """Return text without what UTF-8 cannot hold, and without the character that ends texts."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
