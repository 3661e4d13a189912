"""Run an export: plan, resume, write parts, write the final files.

The same samples and options give the same bytes, even if the export was killed any number of times;
`journal` records the finished parts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice, takewhile
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from pixtrawl import exporters
from pixtrawl.captions import Chain
from pixtrawl.errors import ExportError, UsageError
from pixtrawl.exporters.base import (
    Exporter,
    ExportJob,
    Publication,
    Sharding,
    WritesCaptions,
    Written,
)
from pixtrawl.exporters.columns import ORIGINALS, Columns
from pixtrawl.exporters.embedding_column import EMBEDDING, check_format
from pixtrawl.exporters.groups import GroupOf
from pixtrawl.exporters.journal import Journal
from pixtrawl.exporters.left_out import left_out
from pixtrawl.exporters.origin import FolderOrigin, Origin
from pixtrawl.exporters.pictures import PictureReader
from pixtrawl.exporters.plan import ExportPlan, PlannedImage, Selection
from pixtrawl.exporters.splits import Splitting
from pixtrawl.exporters.tables import EncodedTable, without_formulas
from pixtrawl.exporters.target import STATE, LocalTarget, Target, open_target
from pixtrawl.model import Sample
from pixtrawl.transform import BadPictureError, Transform

__all__ = ["ExportOptions", "Exported", "check", "export"]

Progress = Callable[[int, int], None]  # images done, images in all

# Separate, as the folder of a table may hold another unfinished export.
_TABLE_STATE: Final = f"{STATE}-table"


class ExportOptions(Struct, frozen=True, kw_only=True):
    """The options of an export."""

    selection: Selection = Selection()
    splitting: Splitting = Splitting()
    transform: Transform = Transform()
    sharding: Sharding = Sharding()
    skip_bad: bool = False
    formulas: str = "keep"  # of CSV: "escape" puts an apostrophe before what a spreadsheet computes
    captions: Chain | None = None  # origins of captions; None: as chosen for the data set
    embedding: str | None = None  # model whose embeddings become a column; "auto": any
    repeats: int = 1  # of images in an epoch, in names of folders
    title: str | None = None  # default: the name of the data set folder
    publication: Publication | None = None  # of `hub`: where it will lie


class Exported(Struct, frozen=True, kw_only=True):
    """The result of an export."""

    images: int
    splits: dict[str, int]
    files: int
    missing: int  # files deleted by hand
    bad: int  # skipped with skip_bad
    was_complete: bool = False  # there was nothing left to do
    hints: tuple[str, ...] = ()  # what loaders will leave out, and the option that cures it


def export(  # noqa: PLR0913 - what, where from, where to, and as what
    samples: Iterable[Sample],
    root: Path | str | Origin,
    out: Path | str,
    to: str,
    options: ExportOptions = ExportOptions(),
    *,
    group_of: GroupOf | None = None,
    on_progress: Progress | None = None,
) -> Exported:
    """Write samples in a format to a folder or fsspec URL.

    Args:
        samples: in the order of label and number, each once.
        root: the data set folder that holds their files, or another origin.
        out: where to; `csv` and `jsonl` also take the name of a file.
        to: name of the format, see `exporters.FORMATS`.
        options: selection, splits, pictures, shards.
        group_of: keys of a sample; images that share one end on the same side of a split
            (default: those that look nearly the same).
        on_progress: called after each image.

    Raises:
        UsageError: an option makes no sense, or `out` holds something else.
        MissingExtraError: the format needs a package that is not installed.
        ExportError: an image or the target cannot be used.
    """
    origin = FolderOrigin(Path(root)) if isinstance(root, (str, Path)) else root
    origin.check_apart(out)
    kind = exporters.load(to)
    shuffled = getattr(kind, "shuffled", False)
    embeddings = None
    if options.embedding is not None:
        check_format(to)
        embeddings = origin.embeddings(options.embedding)
    with ExportPlan(
        samples,
        origin,
        selection=options.selection,
        splitting=options.splitting,
        shuffled=shuffled,
        group_of=group_of,
        taken=_taken(kind, options),
        captions=options.captions,
        embeddings=embeddings,
    ) as plan:
        if embeddings is not None:  # the plan has read them
            embeddings.close()
        if not len(plan):
            return Exported(images=0, splits={}, files=0, missing=plan.missing, bad=0)
        if issubclass(kind, EncodedTable):
            return _export_table(kind(), plan, out, options)
        title = options.title or origin.title
        job = ExportJob(
            target=open_target(out),
            plan=plan,
            transform=options.transform,
            sharding=options.sharding,
            title=title,
            repeats=options.repeats,
            publication=options.publication,
            fingerprint=_fingerprint(kind, plan, options, title),
        )
        run = _ExportRun(kind(job), job, origin, options, on_progress or _no_progress)
        return replace(run.carry_out(), hints=left_out(kind, plan, options.transform))


def _taken(kind: type[Exporter] | type[EncodedTable], options: ExportOptions) -> frozenset[str]:
    """Return the column names that the format reserves."""
    taken: frozenset[str] = getattr(kind, "taken", frozenset())
    if options.embedding is not None:
        taken |= {EMBEDDING}
    if not options.transform.keeps_bytes:
        taken |= frozenset(ORIGINALS)
    if issubclass(kind, EncodedTable) and len(options.splitting.shares) > 1:
        taken |= {"split"}
    return taken


def check(
    root: Path | str, out: Path | str, to: str, options: ExportOptions = ExportOptions()
) -> None:
    """Check the arguments of `export` without reading any image. Raises as `export`."""
    FolderOrigin(Path(root)).check_apart(out)
    kind = exporters.load(to)
    if issubclass(kind, EncodedTable):
        _check_table(kind, options)


class _ExportRun:
    def __init__(
        self,
        exporter: Exporter,
        job: ExportJob,
        origin: Origin,
        options: ExportOptions,
        on_progress: Progress,
    ) -> None:
        self._exporter = exporter
        self._job = job
        self._origin = origin
        self._skip_bad = options.skip_bad
        self._on_progress = on_progress
        self._total = len(job.plan)
        self._journal = Journal(job.target, exporter.name, job.fingerprint)

    def carry_out(self) -> Exported:
        parts = self._journal.begin()
        if isinstance(self._exporter, WritesCaptions):
            self._exporter.take_by_hand(self._journal.by_hand)
        if parts is None:
            counts = self._job.plan.counts()
            return Exported(
                images=self._total,
                splits=counts,
                files=0,
                missing=self._job.plan.missing,
                bad=0,
                was_complete=True,
            )
        transform = self._job.transform
        with ExitStack() as stack:
            renditions = None
            if not transform.keeps_bytes:
                made = self._origin.renditions(transform)
                renditions = None if made is None else stack.enter_context(made)
            pictures = stack.enter_context(PictureReader(self._origin, transform, renditions))
            while (start := parts[-1].end if parts else 0) < self._total:
                parts.append(self._part(start, parts, pictures))
        if not any(part.images for part in parts):
            raise ExportError(
                "none of the images could be exported; `pixtrawl verify` names damaged files"
            )
        finals = self._exporter.final_files(parts)
        self._journal.intend(len(parts), [name for name, _ in finals])
        for name, write in finals:
            with self._job.target.write(name) as file:
                write(file)
        splits: dict[str, int] = {}
        for part in parts:
            splits[part.split] = splits.get(part.split, 0) + part.images
        return Exported(
            images=sum(part.images for part in parts),
            splits=splits,
            files=self._journal.finish(len(parts)),
            missing=self._job.plan.missing,
            bad=sum(len(part.bad) for part in parts),
        )

    def _part(self, start: int, parts: list[Written], pictures: PictureReader) -> Written:
        """Write the part that begins at a position."""
        entries = self._chunk(start)
        split = entries[0].split
        number = sum(part.split == split and part.images > 0 for part in parts)
        captions = None
        if isinstance(self._exporter, WritesCaptions):
            captions = self._exporter.caption_digests(number, entries)
        self._journal.intend(len(parts), self._exporter.names(number, entries), captions)
        part = self._exporter.open_part(len(parts), number, entries)
        images, size_bytes, end = 0, 0, start
        bad: list[int] = []
        try:
            for entry, item in pictures.stream(entries):
                if isinstance(item, BadPictureError):
                    self._refuse(entry, item)
                    bad.append(entry.position)
                elif images and not part.takes(item):
                    break
                else:
                    part.add(item)
                    images += 1
                    size_bytes += len(item.picture.data)
                end = entry.position + 1
                self._on_progress(end, self._total)
        except BaseException:
            part.abandon()
            raise
        if images:
            part.close()
        else:
            part.abandon()
        written = Written(
            index=len(parts),
            split=split,
            number=number,
            images=images,
            end=end,
            size_bytes=size_bytes,
            bad=tuple(bad),
        )
        self._journal.record(written)
        return written

    def _chunk(self, start: int) -> list[PlannedImage]:
        """Return the entries that the next part may hold at most: of one split, in order."""
        entries = self._job.plan.entries(start)
        first = next(entries)
        rest = takewhile(lambda entry: entry.split == first.split, entries)
        return [first, *islice(rest, self._exporter.part_images - 1)]

    def _refuse(self, entry: PlannedImage, error: BadPictureError) -> None:
        if not self._skip_bad:
            raise ExportError(
                f"{entry.file_name} {error}; --skip-bad leaves such files out"
            ) from error


def _fingerprint(kind: type[Exporter], plan: ExportPlan, options: ExportOptions, title: str) -> str:
    facts = {
        "format": kind.name,
        "layout": kind.layout,
        "transform": asdict(options.transform),
        "sharding": asdict(options.sharding),
        "repeats": options.repeats,
        "title": title,
        "plan": plan.digest(),
    }
    if options.publication is not None:
        facts["publication"] = asdict(options.publication)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _export_table(
    table: EncodedTable, plan: ExportPlan, out: Path | str, options: ExportOptions
) -> Exported:
    _check_table(type(table), options)
    escape = options.formulas == "escape" and table.name == "csv"
    target, name = _table_target(table, str(out))
    has_splits = len(plan.splits) > 1

    def rows() -> Iterator[Columns]:
        for entry in plan.entries():
            yield {**entry.columns, "split": entry.split} if has_splits else entry.columns

    with target.write(name) as file:
        file.writelines(table.encode(map(without_formulas, rows()) if escape else rows()))
    target.remove_state()
    counts = plan.counts()
    return Exported(images=len(plan), splits=counts, files=1, missing=plan.missing, bad=0)


def _check_table(kind: type[EncodedTable], options: ExportOptions) -> None:
    if not options.transform.keeps_bytes:
        raise UsageError(f"--to {kind.name} writes no images: --resize and --encode do nothing")


def _table_target(table: EncodedTable, out: str) -> tuple[Target, str]:
    """Return target and file name: `meta.csv` itself, or `metadata.csv` in a folder."""
    if not out.lower().endswith(table.suffix):
        return open_target(out, _TABLE_STATE), f"metadata{table.suffix}"
    if "://" in out:
        folder, _, name = out.rpartition("/")
        return open_target(folder, _TABLE_STATE), name
    path = Path(out)
    return LocalTarget(path.parent, _TABLE_STATE), path.name


def _no_progress(done: int, total: int) -> None:
    """Do nothing: the default callback."""
