"""Conversions of a data set: pandas, Hugging Face, torch, a contact sheet, exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pixtrawl.config.groups import Config
from pixtrawl.dataset.keywords import named
from pixtrawl.dataset.places import AnySamples, origin_of, with_looks
from pixtrawl.errors import MissingPackageError
from pixtrawl.model import Sample

if TYPE_CHECKING:
    import datasets
    import pandas
    from PIL import Image

    from pixtrawl.dataset.torch_images import TorchImages
    from pixtrawl.exporters.export import Exported, ExportOptions
    from pixtrawl.exporters.origin import Origin

__all__ = ["Outputs", "export_source"]


class Outputs:
    """The methods of `Dataset` that convert its images for other tools."""

    _samples: AnySamples
    _ids: Sequence[int] | None

    def __iter__(self) -> Iterator[Sample]:
        """Yield every image."""
        yield from self._samples

    def to_pandas(self, *, thumbnail_px: int | None = None) -> pandas.DataFrame:
        """Return a table with one row per image and the columns of metadata.jsonl. Needs pandas.

        Args:
            thumbnail_px: add a column `thumbnail` of PIL images in RGB that fit a square of this
                many pixels; None where a file is gone or does not decode.
        """
        try:
            import pandas
        except ImportError:
            raise MissingPackageError("to_pandas", "pandas") from None
        from pixtrawl.folder.derived.metadata_rows import metadata_row

        samples = list(self)
        frame = pandas.DataFrame([metadata_row(sample) for sample in samples])
        if thumbnail_px is not None:
            from pixtrawl.dataset.pictures import thumbnails

            column: Any = list(thumbnails(samples, thumbnail_px))
            frame["thumbnail"] = column
        return frame

    def to_hf(self, *, ground: str = "white") -> datasets.Dataset:
        """Return a Hugging Face data set: `image` (decoded on access), `label` as class, metadata.

        Pictures are those of `to_torch`: RGB, 8 bits, sRGB, upright, transparent parts on `ground`.
        Files are referenced by path, not copied, and pictures in a set of shards by a URL; use
        `export` to pass pictures on.
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
        """Return a map-style data set of (picture, class index), like torchvision's ImageFolder.

        Pictures are PIL images in RGB, 8 bits, sRGB, upright, transparent parts on `ground` (any
        colour that Pillow knows), as in `to_hf`, `show` and exports. It is a
        `torch.utils.data.Dataset` if torch is installed, else a plain class with `len()` and `[]`.
        """
        from pixtrawl.dataset.torch_images import TorchImages

        samples = self._samples
        files = samples.files(self._ids)
        return TorchImages(
            samples.place, files, transform, target_transform, ground=ground, read=samples.reader
        )

    def show(
        self,
        count: int = 24,
        *,
        columns: int = 6,
        size: int = 160,
        path: Path | str | None = None,
    ) -> Image.Image:
        """Return a contact sheet with images of each label; a notebook displays it.

        Args:
            count: how many images, at most.
            columns: images in a row.
            size: largest side of each, in pixels.
            path: also save it here; the file extension gives the format.
        """
        from pixtrawl.dataset.sheet import contact_sheet

        sheet = contact_sheet(self, count=count, columns=columns, size=size)
        if path is not None:
            sheet.save(Path(path))
        return sheet

    @named
    def export(  # noqa: PLR0913 - one for each option of the command
        self,
        to: str,
        out: Path | str,
        *,
        config: Config | None = None,
        resize: int | str | None = None,
        resize_mode: str | None = None,
        upscale: bool = True,
        encode: str | None = None,
        quality: int | None = None,
        flatten: str | None = None,
        split: str | Mapping[str, float] | None = None,
        split_by: Literal["label", "host"] = "label",
        seed: int = 0,
        balance: int | Literal["min"] | None = None,
        label: str | Iterable[str] | None = None,
        license: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        min_size: str | int | tuple[int, int] | None = None,
        caption: str | None = None,
        repeats: int = 1,
        shard_size: int | str | None = None,
        shard_images: int | None = None,
        skip_bad: bool = False,
        embedding: str | None = None,
        formulas: Literal["keep", "escape"] | None = None,
        title: str | None = None,
    ) -> Exported:
        """Write these images in the format of a loader, as `pixtrawl export --to FORMAT` does.

        An export that was interrupted goes on with the same call; the result is the same.

        Args:
            to: imagefolder, kohya, ai-toolkit, diffusers, webdataset, parquet, lance, tfrecord,
                coco, fiftyone, csv, jsonl.
            out: folder or fsspec URL.
            config: where `resize`, `encode`, `quality` and `split` come from if not given.
            resize: size in pixels, or "MODE:N"; None: as they are.
            resize_mode: keep_ratio_largest, keep_ratio, center_crop, border or no.
            upscale: whether small pictures are enlarged, too.
            encode: jpg, png, webp or avif; None: bytes are kept.
            quality: 1 to 100; None: jpg 95, webp 90, avif 80.
            flatten: colour that transparent parts are put on, such as "white".
            split: shares, "train=0.8,val=0.2" or {"train": 0.8, "val": 0.2}; None: one split.
            split_by: "label": near duplicates on one side; "host": whole hosts, too.
            seed: of splits and shuffling.
            balance: so many images of each label; "min": as many as the smallest has.
            label: only these labels.
            license: only these: open, public, commercial, modify, or ids such as cc-by.
            exclude: leave out images with these marks: "ai-made", "no-training", "c2pa".
            min_size: only images at least so large, in pixels.
            caption: origins of captions, such as "alt,title"; None: as chosen for the set.
            repeats: for kohya, how often an epoch has each image.
            shard_size: largest shard: bytes, or "500M".
            shard_images: most images in a shard.
            skip_bad: leave out files that cannot be read, and count them.
            embedding: add the embeddings by a model as a column: the start of its name, or "auto".
            formulas: of csv; "escape" puts an apostrophe before what a spreadsheet would compute.
            title: heading of the data card.

        Returns:
            Counts: `images`, `files`, `splits`, `missing`, `bad`.

        Raises:
            UsageError: there is no such data set, format or value.
            MissingExtraError: the format needs a package that is not installed.
            ExportError: an image or the target cannot be used.

        Example:
            >>> ds.filter(width__ge=512).export("webdataset", "shards/", resize=256, seed=1)
        """
        from pixtrawl.dataset.exporting import ExportChoice, export_options
        from pixtrawl.exporters.export import export

        choice = ExportChoice(
            resize=resize, resize_mode=resize_mode, upscale=upscale, encode=encode, quality=quality,
            flatten=flatten, split=split, split_by=split_by, seed=seed, balance=balance,
            label=label, license=license, exclude=exclude, min_size=min_size,
            caption=caption, repeats=repeats, shard_size=shard_size,
            shard_images=shard_images, skip_bad=skip_bad, embedding=embedding,
            formulas=formulas, title=title,
        )  # fmt: skip
        options = export_options(choice, config)
        images, origin = export_source(self, options)
        return export(images, origin, out, to, options)


def export_source(
    dataset: Outputs, options: ExportOptions
) -> tuple[Iterable[Sample], Path | Origin]:
    """Return the images that an export reads, and where their bytes lie."""
    origin = origin_of(dataset._samples)
    images: Iterable[Sample] = dataset
    if len(options.splitting.shares) > 1:  # look-alikes stay on one side
        images = with_looks(dataset._samples, dataset._ids, images)
    return images, origin
