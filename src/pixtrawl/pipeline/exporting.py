"""The export at the end of a run, such as with `--to webdataset --resize 256`.

It is cheaper than a later export: pictures are resized and encoded from the decode that checks them
(images/rendition.py), so that the export only packs them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pixtrawl.config.groups import Config, Export
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, Exporting
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.renditions import remove_all
from pixtrawl.report import ExportReport
from pixtrawl.transform import Transform, parse_encode, parse_resize

if TYPE_CHECKING:
    from pixtrawl.exporters.export import Exported, ExportOptions

__all__ = ["check", "export_folder", "export_now", "transform_of"]

_TELL_EVERY_S: Final = 0.1


def transform_of(wanted: Export) -> Transform | None:
    """Return the transform for decoders; None if bytes are exported as they are, or no export.

    Raise UsageError for invalid options, or options without `--to`.
    """
    if wanted.to is None:
        for name in ("export_to", "resize", "encode", "quality", "split"):
            if getattr(wanted, name) is not None:
                option = name.replace("_", "-")
                raise UsageError(f"--{option} needs --to FORMAT, such as --to webdataset")
        return None
    transform = _transform(wanted)
    return None if transform.keeps_bytes else transform


def check(config: Config) -> None:
    """Check that the export can be carried out, before anything is fetched.

    Raises:
        UsageError: its settings are invalid.
        MissingExtraError: its format needs a package that is not installed.
    """
    transform_of(config.export)
    if config.export.to is not None:
        from pixtrawl.exporters.export import check

        check(config.job.output, export_folder(config), config.export.to, _options(config.export))


def export_folder(config: Config) -> str:
    """Return the target of the export: a folder or fsspec URL."""
    output = Path(config.job.output)
    return config.export.export_to or str(
        output.with_name(f"{output.resolve().name}-{config.export.to}")
    )


async def export_now(config: Config, folder: Folder, emit: Callable[[Event], None]) -> ExportReport:
    """Export the whole data set in a thread. Return the section of the report on it.

    Cancelling waits until the thread has stopped; the same command resumes the export.

    Raises:
        ExportError: an image or the target cannot be used.
    """
    stop = threading.Event()
    watch = _ExportWatch(asyncio.get_running_loop(), emit, stop)
    out = export_folder(config)
    work = asyncio.ensure_future(asyncio.to_thread(_export, config, folder, out, watch))
    try:
        done = await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # retrieved, so that asyncio does not log it as unhandled
        raise
    if done.images:
        remove_all(folder.root)
    assert config.export.to is not None
    return ExportReport(
        to=config.export.to, output=out, images=done.images, splits=done.splits,
        files=done.files, missing=done.missing,
    )  # fmt: skip


def _export(config: Config, folder: Folder, out: str, watch: _ExportWatch) -> Exported:
    from pixtrawl.exporters.export import export
    from pixtrawl.folder.sample_list import open_samples

    assert config.export.to is not None
    options = _options(config.export)
    images = open_samples(folder.root, provenance=False)
    return export(images, folder.root, out, config.export.to, options, on_progress=watch)


def _options(wanted: Export) -> ExportOptions:
    from pixtrawl.exporters.export import ExportOptions
    from pixtrawl.exporters.splits import EVERYTHING, Splitting, parse_shares

    shares = parse_shares(wanted.split) if wanted.split else EVERYTHING
    return ExportOptions(
        splitting=Splitting(shares=shares), transform=_transform(wanted), formulas=wanted.formulas
    )


def _transform(wanted: Export) -> Transform:
    mode, size = parse_resize(wanted.resize)
    encode = parse_encode(wanted.encode)
    return Transform(mode=mode, size=size, encode=encode, quality=wanted.quality)


class _ExportCancelledError(Exception):
    """The run is being cancelled."""


class _ExportWatch:
    """Emits the progress of a thread on the event loop; raises in the thread to stop it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, emit: Callable[[Event], None], stop: threading.Event
    ) -> None:
        self._loop = loop
        self._emit = emit
        self._stop = stop
        self._told_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _ExportCancelledError
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_S or done == total:
            self._told_at = now
            self._loop.call_soon_threadsafe(self._emit, Exporting(done, total))
