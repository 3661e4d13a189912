"""`pixtrawl export DIR --to FORMAT -o OUT`."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.amounts import plural
from pixtrawl.errors import EXIT_NOTHING, EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pixtrawl.dataset import Dataset
    from pixtrawl.exporters.export import Exported, ExportOptions
    from pixtrawl.exporters.origin import Origin
    from pixtrawl.model import Sample

__all__ = [
    "ExportProgress", "add_captions", "add_choice", "add_parser", "add_pictures", "add_shards",
    "main", "options_of", "samples_of",
]  # fmt: skip

_MODES: Final = ("no", "border", "keep_ratio", "keep_ratio_largest", "center_crop")
_EPILOG: Final = """
resize modes, named as in img2dataset:
  keep_ratio_largest  longest side N, shape kept (default)
  keep_ratio          shortest side N, shape kept
  center_crop         shortest side N, then the middle square NxN
  border              longest side N, then a white border makes it NxN
  no                  no resizing

Repeat the command to resume an interrupted export; the result is the same, byte for byte.
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Register the command."""
    from pixtrawl.exporters import FORMATS

    width = max(map(len, FORMATS))
    formats = [f"  {name:{width}}  {sentence}" for name, (_, sentence) in FORMATS.items()]
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        usage="%(prog)s DIR --to FORMAT -o OUT [OPTIONS]",
        help="write a data set in the format of a loader",
        description="Write a data set in the format of a loader.",
        epilog="\n".join(["formats:", *formats]) + "\n" + _EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", metavar="DIR", help="data set folder, or a set of shards")
    parser.add_argument("--to", required=True, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="folder or fsspec URL (s3://...)"
    )
    add_pictures(parser.add_argument_group("pictures (bytes are kept unless asked otherwise)"))
    captions = parser.add_argument_group("captions")
    add_captions(captions)
    captions.add_argument(
        "--repeats", metavar="N", help="kohya: times an epoch has each image (default: 1)"
    )
    add_choice(parser.add_argument_group("which images, in which split"))
    add_shards(parser.add_argument_group("shards"))
    parser.add_argument("--title", metavar="TEXT", help="heading of the data card")
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out unreadable files and count them",
    )
    parser.add_argument(
        "--formulas", choices=("keep", "escape"), default="keep",
        help="csv: escape puts an apostrophe before cells that a spreadsheet would compute",
    )  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    parser.set_defaults(main=main)
    return parser


def add_pictures(group: Any) -> None:
    """Add the options on size and format of pictures."""
    group.add_argument("--resize", metavar="N", help="new size in pixels; MODE:N sets the mode too")
    group.add_argument("--resize-mode", metavar="MODE", help="one of " + ", ".join(_MODES))
    group.add_argument("--no-upscale", action="store_true", help="never enlarge a small picture")
    group.add_argument("--encode", metavar="FORMAT", help="jpg, png, webp or avif")
    group.add_argument(
        "--quality", metavar="Q", help="1 to 100 (default: jpg 95, webp 90, avif 80)"
    )
    group.add_argument(
        "--flatten", metavar="COLOR", help="fill transparent areas with this colour, such as white"
    )


def add_shards(group: Any) -> None:
    """Add the options on the size of shards."""
    group.add_argument("--shard-size", metavar="BYTES", help="largest shard: 500M, 1G")
    group.add_argument("--shard-images", metavar="N", help="most images in a shard")


def add_captions(group: Any) -> None:
    """Add the option on captions."""
    group.add_argument(
        "--caption",
        metavar="ORIGIN[,ORIGIN...]",
        help="the first there is: title, alt, file, page, query, template:TEXT, model, hand; none "
        "(default: as chosen by run; what was written by hand comes first)",
    )


def add_choice(group: Any) -> None:
    """Add the options on which images are taken, and on splits."""
    from pixtrawl.preferences.marks import MARKS_TEXT

    group.add_argument("--split", metavar="SHARES", help="train=0.8,val=0.1,test=0.1")
    group.add_argument(
        "--split-by",
        metavar="WHAT",
        default="label",
        help="label: stratified, near duplicates together (default); host: each host together, too",
    )
    group.add_argument(
        "--seed", metavar="N", default="0", help="seed of splits and shuffling (default: 0)"
    )
    group.add_argument(
        "--balance", metavar="min|N", help="take the same number of each label: N, or the smallest"
    )
    group.add_argument(
        "--label", metavar="LABEL", action="append", help="only this label (repeatable)"
    )
    group.add_argument(
        "--license",
        metavar="LICENSE",
        action="append",
        help="only open, public, commercial, modify, or an id such as cc-by (repeatable)",
    )
    group.add_argument(
        "--exclude",
        metavar="MARK",
        action="append",
        help=f"leave out {MARKS_TEXT} (repeatable)",
    )
    group.add_argument(
        "--embedding",
        metavar="MODEL",
        help="add the column embedding, by this model (the start of its name, or auto); for "
        "parquet, hub, lance, jsonl, webdataset",
    )
    group.add_argument("--min-size", metavar="WxH", help="only images of at least this size")
    group.add_argument(
        "--where",
        metavar="CONDITION",
        action="append",
        help="only images that meet it; columns of metadata.jsonl: sharpness>=100, "
        "is_gray=false, license_id=cc0, title~sunset (repeatable)",
    )


def main(args: argparse.Namespace) -> int:
    """Run the command. Return the exit code. Raises PixtrawlError."""
    from pathlib import Path

    from pixtrawl.exporters.export import export
    from pixtrawl.folder.layout import is_shards

    options = options_of(args)
    root: Path | Origin
    if is_shards(args.dataset):
        root, samples = _of_shards(args, options)
    else:
        root = Path(args.dataset)
        samples = samples_of(root, args.where or ())
    show = None if args.quiet or not sys.stderr.isatty() else ExportProgress()
    done = export(samples, root, args.output, args.to, options, on_progress=show)
    if show is not None:
        show.end()
    print(_verdict(done, args.to, args.output))
    if not args.quiet:
        for hint in done.hints:
            print(f"note: {hint}", file=sys.stderr)
    return EXIT_OK if done.images else EXIT_NOTHING


def _of_shards(
    args: argparse.Namespace, options: ExportOptions
) -> tuple[Path | Origin, Iterable[Sample]]:
    """Return the origin and the images of a set of shards. Raise UsageError, StorageError."""
    from pixtrawl.dataset.outputs import export_source

    images, origin = export_source(_where(args.dataset, args.where or ()), options)
    return origin, images


def samples_of(root: Path, conditions: Sequence[str]) -> Iterable[Sample]:
    """Return the images that meet the conditions of `--where`; report changes made by hand.

    Raise UsageError.
    """
    from pixtrawl.cli.by_hand import report_changes_by_hand, show_changes_by_hand
    from pixtrawl.folder.sample_list import open_samples

    if conditions:
        report_changes_by_hand(root)
        return _where(root, conditions)
    opened = open_samples(root, provenance=False)  # compares the files, which is to be done once
    if opened.noticed is not None:
        show_changes_by_hand(opened.noticed)
    return opened


def _where(root: Path | str, conditions: Sequence[str]) -> Dataset:
    from pixtrawl.dataset import Dataset
    from pixtrawl.dataset.conditions import conditions_of
    from pixtrawl.folder.derived.metadata_rows import NUMBERS

    chosen = Dataset(root)
    for condition in conditions_of(conditions):
        column = next(iter(condition)).partition("__")[0]
        met = chosen.filter(**condition)
        if column in NUMBERS and (unknown := len(chosen.filter(**{column: None}))):
            print(
                f"note: {column} is not known of {unknown:,} of {len(chosen):,} images, "
                "which meet no condition but !=",
                file=sys.stderr,
            )
        chosen = met
    return chosen


def options_of(args: argparse.Namespace) -> ExportOptions:
    """Return the export options of the command line. Raises UsageError."""
    from pixtrawl.captions import read_chain
    from pixtrawl.config import parse
    from pixtrawl.exporters.base import Sharding
    from pixtrawl.exporters.export import ExportOptions
    from pixtrawl.exporters.plan import Selection
    from pixtrawl.exporters.splits import EVERYTHING, Splitting, parse_shares
    from pixtrawl.preferences.marks import read_marks

    if args.split_by not in {"label", "host"}:
        raise UsageError(f"--split-by: {args.split_by!r} is neither label nor host")
    balance = args.balance
    return ExportOptions(
        selection=Selection(
            labels=frozenset(args.label or ()),
            licenses=frozenset(args.license or ()),
            exclude=read_marks("--exclude", args.exclude or ()),
            min_size=_read("--min-size", args.min_size, parse.size_px),
            balance=balance if balance == "min" else _read("--balance", balance, parse.positive),
        ),
        splitting=Splitting(
            shares=parse_shares(args.split) if args.split else EVERYTHING,
            by=args.split_by,
            seed=_read("--seed", args.seed, int) or 0,
        ),
        transform=_transform(args),
        sharding=Sharding(
            max_bytes=_read("--shard-size", args.shard_size, parse.size_bytes),
            max_images=_read("--shard-images", args.shard_images, parse.positive),
        ),
        skip_bad=args.skip_bad,
        embedding=args.embedding,
        formulas=getattr(args, "formulas", "keep"),
        captions=read_chain("--caption", args.caption),
        repeats=_read("--repeats", getattr(args, "repeats", None), parse.positive) or 1,
        title=args.title,
    )


def _transform(args: argparse.Namespace) -> Any:
    from pixtrawl.config import parse
    from pixtrawl.transform import Transform, parse_encode, parse_resize

    mode, size = parse_resize(args.resize, args.resize_mode)
    return Transform(
        mode=mode,
        size=size,
        upscale=not args.no_upscale,
        encode=parse_encode(args.encode),
        quality=_read("--quality", args.quality, parse.positive),
        flatten=args.flatten,
    )


def _read(option: str, text: str | None, parse: Any) -> Any:
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _verdict(done: Exported, to: str, out: str) -> str:
    missing = f"; {done.missing:,} deleted by hand were left out" if done.missing else ""
    if not done.images:
        return f"nothing to export{missing}"
    if done.was_complete:
        return f"{out} is up to date: {plural(done.images, 'image')} as {to}"
    splits = ", ".join(f"{name} {count:,}" for name, count in done.splits.items())
    splits = f" ({splits})" if len(done.splits) > 1 else ""
    bad = f"; skipped: {plural(done.bad, 'bad file')}" if done.bad else ""
    images, files = plural(done.images, "image"), plural(done.files, "file")
    return f"{images}{splits} as {to} in {out}, {files}{missing}{bad}"


class ExportProgress:
    """A progress line on stderr, updated at most ten times a second."""

    def __init__(self) -> None:
        self._shown_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._shown_at >= 0.1 or done == total:
            self._shown_at = now
            print(f"\r{done:,} of {total:,} images", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the line."""
        if self._shown_at:
            print(file=sys.stderr)
