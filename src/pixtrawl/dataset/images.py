"""`Dataset`: the images of a folder, or some of them, in the order of label and number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy as shallow_copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from msgspec import Struct

from pixtrawl.dataset.conditions import matches
from pixtrawl.errors import MissingPackageError
from pixtrawl.model import Sample
from pixtrawl.storage.folder import Folder
from pixtrawl.storage.samples import Samples

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


class Dataset:
    """A data set folder: its report, and its images in the order of label and number.

    `len(ds)`, `ds[0].path`, `for sample in ds`, `ds.report["totals"]`.
    """

    def __init__(self, root: Path | str, report: Mapping[str, Any] | None = None) -> None:
        """Raises UsageError where there is no data set."""
        self._samples = Samples(Folder(root))
        self._report = report
        self._ids: tuple[int, ...] | None = None  # of a filtered one; None: every image

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
    def labels(self) -> list[str]:
        """The labels of its images, sorted; a class's index is its place in here."""
        return sorted({sample.label for sample in self})

    def __len__(self) -> int:
        return len(self._samples) if self._ids is None else len(self._ids)

    def __iter__(self) -> Iterator[Sample]:
        if self._ids is None:
            yield from self._samples
            return
        wanted = frozenset(self._ids)
        yield from (sample for sample in self._samples if sample.id in wanted)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return [self[i] for i in range(start, stop, step)]
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"image {index} of {size}")
        if self._ids is not None:
            return self._samples.by_id(self._ids[index])
        return self._samples.at(index % size)

    def __repr__(self) -> str:
        return f"Dataset({self._samples.folder.shown!r}, {len(self)} images)"

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
        from pixtrawl.storage.derived import metadata_row

        chosen = shallow_copy(self)
        chosen._report = None
        chosen._ids = tuple(
            sample.id
            for sample in self
            if (predicate is None or predicate(sample))
            and (not conditions or matches(metadata_row(sample), conditions))
        )
        return chosen

    def duplicates(self) -> list[DuplicateGroup]:
        """Each image in whose favour near duplicates were dropped, with these.

        `pixtrawl dedup DIR --undo SHA256` brings one back.
        """
        from pixtrawl.pipeline.curate import copies

        found: dict[str, list[Copy]] = {}
        for copy in copies(self._samples.folder):
            found.setdefault(copy.of, []).append(copy)
        return [
            DuplicateGroup(sample, tuple(found[sample.file_name]))
            for sample in self
            if sample.file_name in found
        ]

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
        from pixtrawl.storage.derived import metadata_row

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

        return TorchImages(self.root, self, transform, target_transform, ground=ground)

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
