"""`Dataset`: the images of a folder, or some of them, in the order of label and number."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy as shallow_copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from msgspec import Struct

from pixtrawl.brief import cut
from pixtrawl.dataset.conditions import check, matches
from pixtrawl.dataset.life import Life, tell_by_hand
from pixtrawl.dataset.listing import Listing
from pixtrawl.errors import MissingPackageError, PixtrawlError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.sample_list import Samples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    import datasets
    import pandas
    from PIL import Image

    from pixtrawl.dataset.torch_images import TorchImages
    from pixtrawl.exporters.export import Exported
    from pixtrawl.pipeline.curate import Copy
    from pixtrawl.pipeline.outcomes import Outcomes

__all__ = ["Dataset", "DuplicateGroup"]


class DuplicateGroup(Struct, frozen=True):
    """A kept image and the near duplicates that were dropped in its favour."""

    kept: Sample
    copies: tuple[Copy, ...]

    def __repr__(self) -> str:
        return f"<DuplicateGroup {cut(self.kept.file_name, 200)} +{len(self.copies)}>"


class Dataset(Life):
    """A data set folder: its report, and its images in the order of label and number.

    `len(ds)`, `ds[0].path`, `for sample in ds`, `ds.report["totals"]`, `ds.verdict`.

    One that a run gave back holds the images of the run's queries and the report of that run;
    `pixtrawl.open(folder)` holds everything in the folder.
    """

    def __init__(
        self,
        root: Path | str,
        report: Mapping[str, Any] | None = None,
        *,
        query_ids: Iterable[int] | None = None,
    ) -> None:
        """Raises UsageError where there is no data set."""
        self._query_ids = None if query_ids is None else tuple(query_ids)
        self._samples = Samples(Folder(root), query_ids=self._query_ids)
        tell_by_hand(self._samples)
        self._report = report
        self._ids: Sequence[int] | None = None  # of a filtered one; None: every image

    @property
    def root(self) -> Path:
        """The folder."""
        return self._samples.folder.root

    @property
    def report(self) -> Mapping[str, Any]:
        """What happened: of the run that gave this data set, or of all runs on the folder."""
        if self._report is None:
            from pixtrawl.pipeline.report import report

            self._report = report(self.root)
        return self._report

    @property
    def verdict(self) -> str:
        """The report as the command's last screen: what is there, what is not, why, what next."""
        import shlex

        from pixtrawl.display.verdict import verdict

        return verdict(self.report, where=shlex.quote(str(self.root)))

    @property
    def labels(self) -> list[str]:
        """The labels of its images, sorted; a class's index is its place in here."""
        return self._samples.labels(self._ids)

    def __len__(self) -> int:
        return len(self._samples) if self._ids is None else len(self._ids)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples) if self._ids is None else self._samples.some(self._ids)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Listing[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Listing[Sample]:
        ids = self._samples.ids() if self._ids is None else self._ids
        if isinstance(index, slice):
            return Listing(self._samples.together(ids[index]))
        try:
            sample_id = ids[index]
        except IndexError:
            raise IndexError(f"image {index} of {len(ids)}") from None
        return self._samples.by_id(sample_id)

    def __repr__(self) -> str:
        return f"Dataset({cut(self._samples.folder.shown, 200)!r}, {cut(self._standing(), 180)})"

    def _repr_html_(self) -> str:
        """In a notebook: how many of each label, what is short, the first pictures."""
        from pixtrawl.dataset.preview import STRIP_COUNT, page

        shown: Sequence[Sample] = ()
        counts: Mapping[str, int] = {}
        try:
            counts = self._counts()
            shown = self._firsts(STRIP_COUNT)
        except (PixtrawlError, sqlite3.Error):
            pass  # the headline says so
        return page(f"{self._samples.folder.shown}: {self._standing()}", counts, shown)

    def _firsts(self, count: int) -> Sequence[Sample]:
        if self._ids is None:
            return self._samples.firsts(count)
        from pixtrawl.dataset.sheet import spread

        return spread(self, count)

    def _standing(self) -> str:
        """`253 images of 3 labels, 1 of 3 queries short`; showing a value never raises."""
        try:
            counts = self._counts()
        except (PixtrawlError, sqlite3.Error) as error:
            return f"not readable: {error}"
        images, labels = sum(counts.values()), len(counts)
        text = f"{images} image{'s' * (images != 1)}"
        if labels != 1:
            text += f" of {labels} labels"
        elif images:
            text += f" of {next(iter(counts))!r}"
        if self._report is not None and self._ids is None:
            from pixtrawl.display.screen import plural
            from pixtrawl.display.verdict import is_short

            queries = self._report.get("queries") or ()
            if short := sum(map(is_short, queries)):
                text += f", {short} of {plural(len(queries), 'query', 'queries')} short"
        return text

    def _counts(self) -> Mapping[str, int]:
        return self._samples.counts(self._ids)

    # -- choosing

    def filter(
        self, predicate: Callable[[Sample], bool] | None = None, **conditions: object
    ) -> Dataset:
        """The images that a function takes and for which all conditions hold.

        Conditions are columns of metadata.jsonl, with `__gt`, `__ge`, `__lt`, `__le`, `__ne`,
        `__in` or `__contains` behind: `filter(sharpness__gt=100, license_id__in=["cc0", "pdm"])`.

        Raises:
            UsageError: no such column or comparison.
        """
        from pixtrawl.folder.derived import metadata_row

        ids, rest = self._samples.chosen(conditions, self._ids)
        if rest:
            for sample in self._samples.some(ids[:1]):
                check(metadata_row(sample), rest)
        if rest or predicate is not None:
            ids = array(
                "q",
                (
                    sample.id
                    for sample in self._samples.some(ids)
                    if (not rest or matches(metadata_row(sample), rest))
                    and (predicate is None or predicate(sample))
                ),
            )
        chosen = shallow_copy(self)
        chosen._ids = ids
        return chosen

    def duplicates(self) -> Listing[DuplicateGroup]:
        """Each image in whose favour near duplicates were dropped, with these.

        `pixtrawl dedup DIR --undo SHA256` brings one back.
        """
        from pixtrawl.pipeline.curate import copies

        found: dict[str, list[Copy]] = {}
        for copy in copies(self._samples.folder):
            found.setdefault(copy.of, []).append(copy)
        return Listing(
            DuplicateGroup(sample, tuple(found[sample.file_name]))
            for sample in self
            if sample.file_name in found
        )

    def outcomes(
        self,
        *,
        reason: str | Collection[str] = (),
        status: str | Collection[str] = (),
        query: str | Collection[str] = (),
    ) -> Outcomes:
        """What became of every URL: an iterable of `UrlOutcome`, with `len()` and `to_pandas()`.

        `ds.outcomes(status="failed")` are those to ask again; of the whole data set, also where
        this one is filtered.

        Args:
            reason: only these reasons, such as `not_found`.
            status: only these: saved, duplicate, near_duplicate, rejected, failed, skipped.
            query: only these queries, by text or label.

        Raises:
            UsageError: no such reason, status or query.
        """
        from pixtrawl.pipeline.outcomes import Outcomes

        return Outcomes(self.root, reason=reason, status=status, query=query)

    # -- ways out

    def to_pandas(self, *, thumbnail_px: int | None = None) -> pandas.DataFrame:
        """One row per image with the columns of metadata.jsonl. Needs pandas.

        Args:
            thumbnail_px: adds a column `thumbnail` of PIL images in RGB that fit a square of this
                many pixels; None where a file is gone or does not decode.
        """
        try:
            import pandas
        except ImportError:
            raise MissingPackageError("to_pandas", "pandas") from None
        from pixtrawl.folder.derived import metadata_row

        samples = list(self)
        frame = pandas.DataFrame([metadata_row(sample) for sample in samples])
        if thumbnail_px is not None:
            from pixtrawl.dataset.pictures import thumbnails

            frame["thumbnail"] = list(thumbnails(samples, thumbnail_px))
        return frame

    def to_hf(self, *, ground: str = "white") -> datasets.Dataset:
        """A Hugging Face data set: `image` (decoded when read), `label` as a class, all columns.

        Pictures are those of `to_torch`: RGB, 8 bits, sRGB, upright, transparent parts on `ground`.
        The files are referred to where they lie, not copied; to pass pictures on, use `export`.
        Needs datasets.
        """
        try:
            import datasets  # noqa: F401
        except ImportError:
            raise MissingPackageError("to_hf", "datasets") from None
        from pixtrawl.dataset.hugging_face import hugging_face

        return hugging_face(self, ground=ground)

    def to_torch(
        self,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        *,
        ground: str = "white",
    ) -> TorchImages:
        """A map-style data set of (picture, class index), as torchvision's ImageFolder is one.

        Pictures are PIL images in RGB, 8 bits, sRGB, upright, transparent parts on `ground` (any
        colour that Pillow knows), as in `to_hf`, `show` and exports. It is a
        `torch.utils.data.Dataset` where torch is installed, and works with everything that takes
        `len()` and `[]` where it is not.
        """
        from pixtrawl.dataset.torch_images import TorchImages

        files = self._samples.files(self._ids)
        return TorchImages(self.root, files, transform, target_transform, ground=ground)

    def show(
        self,
        count: int = 24,
        *,
        columns: int = 6,
        size: int = 160,
        path: Path | str | None = None,
    ) -> Image.Image:
        """A contact sheet of some images of each label; a notebook displays it.

        Args:
            count: how many images, at most.
            columns: of them beside each other.
            size: of each, in pixels.
            path: where to save it, too; the name's ending gives the format.
        """
        from pixtrawl.dataset.sheet import contact_sheet

        sheet = contact_sheet(self, count=count, columns=columns, size=size)
        if path is not None:
            sheet.save(Path(path))
        return sheet

    def export(self, to: str, out: Path | str, **options: Any) -> Exported:
        """Writes the images in the format of a loader, as `pixtrawl export --to` does.

        Args:
            to: imagefolder, webdataset, parquet, lance, tfrecord, coco, fiftyone, csv, jsonl.
            out: folder or fsspec URL.
            options: the command's by name: `resize=256`, `resize_mode="border"`, `encode="webp"`,
                `quality=80`, `split="train=0.8,val=0.2"`, `split_by="host"`, `seed=1`,
                `balance="min"`, `label=[...]`, `license=[...]`, `min_size="640x480"`,
                `shard_size="500M"`, `shard_images=1000`, `skip_bad=True`, `title="..."`.

        Raises:
            UsageError: an unknown format or option.
            MissingExtraError: the format needs a package that is not installed.
            ExportError: an image or the target cannot be used.
        """
        from pixtrawl.dataset.exporting import export_options
        from pixtrawl.exporters.export import export

        return export(self, self.root, out, to, export_options(options))
