"""`pixtrawl.open`, and `pixtrawl.export` for a folder or a data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pixtrawl.config.groups import Config
from pixtrawl.dataset import Dataset
from pixtrawl.dataset.keywords import named

if TYPE_CHECKING:
    from pixtrawl.exporters.export import Exported

__all__ = ["export", "open"]


def open(root: Path | str) -> Dataset:
    """Open the data set in a folder: the images of all runs.

    Files that were deleted, moved or renamed by hand are detected, and the catalog is updated; a
    read-only folder is read as it is. 200,000 images take about 3 seconds.

    Args:
        root: the folder, such as "images".

    Raises:
        UsageError: there is no data set.

    Example:
        >>> ds = pixtrawl.open("images")
        >>> len(ds), ds.labels, ds[0].path
    """
    return Dataset(root)


@named
def export(  # noqa: PLR0913 - one for each option of the command
    dataset: Dataset | Path | str,
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
    """Write a data set in the format of a loader, as `pixtrawl export DIR --to FORMAT` does.

    An export that was interrupted goes on with the same call; the result is the same.

    Args:
        dataset: a `Dataset`, which may be filtered, or the folder of one.
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
        >>> pixtrawl.export("images", "parquet", "out/", resize=256, split="train=0.9,val=0.1")
    """
    chosen = dataset if isinstance(dataset, Dataset) else Dataset(dataset)
    return chosen.export(
        to, out, config=config, resize=resize, resize_mode=resize_mode, upscale=upscale,
        encode=encode, quality=quality, flatten=flatten, split=split, split_by=split_by, seed=seed,
        balance=balance, label=label, license=license, exclude=exclude, min_size=min_size,
        caption=caption, repeats=repeats, shard_size=shard_size,
        shard_images=shard_images, skip_bad=skip_bad, embedding=embedding,
        formulas=formulas, title=title,
    )  # fmt: skip
