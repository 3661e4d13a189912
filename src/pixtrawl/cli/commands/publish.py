"""`pixtrawl publish DIR hf://USER/NAME`: send a data set to the Hugging Face Hub."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.commands.export import (
    ExportProgress,
    add_captions,
    add_choice,
    add_pictures,
    add_shards,
    options_of,
    samples_of,
)
from pixtrawl.cli.options import add_config, load_settings
from pixtrawl.errors import EXIT_OK

if TYPE_CHECKING:
    from pixtrawl.publishing.publish import Published

__all__ = ["add_parser", "main"]

_EPILOG = """\
Parquet shards, a data card with licences and the terms of the sources, ATTRIBUTION.md and
croissant.json become one commit. A repeated command sends what has changed, and goes on where one
broke off. Log in with `hf auth login`, or set HF_TOKEN.

images are not passed on, and nothing is sent, where their rights are unknown, their licence does
not allow it, or their owner refuses training; the message has the counts and the way out

exit codes: 0 published, or up to date; 2 images may not be passed on, the token is refused (401,
403), the name is wrong (404); 5 the Hub is out of reach, overloaded or failing (429, 5xx): repeat

examples:
  pixtrawl publish images hf://me/cats --license open --dry-run
  pixtrawl publish images hf://me/cats --license open --split train=0.8,test=0.2 --private
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "publish",
        usage="%(prog)s DIR hf://USER/NAME [--dry-run] [OPTIONS]",
        help="send a data set to the Hugging Face Hub",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", metavar="DIR", help="data set folder")
    parser.add_argument("repository", metavar="hf://USER/NAME", help="data set on the Hub")
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would change, and the card; send nothing"
    )
    parser.add_argument(
        "--allow-unknown-rights", action="store_true",
        help="publish images of unknown rights, too; never those whose owner refuses training",
    )  # fmt: skip
    parser.add_argument(
        "--private", action="store_true", help="make the repository private when it is created"
    )
    parser.add_argument(
        "--overwrite", action="store_true",
        help="replace files that came from elsewhere, or were changed on the Hub",
    )  # fmt: skip
    parser.add_argument("--message", metavar="TEXT", help="message of the commit")
    add_choice(parser.add_argument_group("which images, in which split"))
    add_pictures(parser.add_argument_group("pictures (bytes are kept unless asked otherwise)"))
    add_captions(parser.add_argument_group("captions"))
    add_shards(parser.add_argument_group("shards (default: so small that changes move little)"))
    parser.add_argument("--title", metavar="TEXT", help="heading of the data card")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave out unreadable files and count them"
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def main(args: argparse.Namespace) -> int:
    """Run the command. Return the exit code. Raise PixtrawlError."""
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import note, out, out_json, out_stream
    from pixtrawl.publishing.publish import PublishOptions, publish

    options = PublishOptions(
        export=options_of(args),
        allow_unknown_rights=args.allow_unknown_rights,
        private=args.private,
        overwrite=args.overwrite,
        dry_run=args.dry_run,
        message=args.message,
        place=load_settings(args).config.publish,
    )
    root = Path(args.dataset)
    watched = not args.quiet and sys.stderr.isatty()
    show = ExportProgress() if watched else None
    done = publish(
        samples_of(root, args.where or ()), root, args.repository, options,
        on_progress=show, on_sent=_SendProgress if watched else None, on_wait=note,
    )  # fmt: skip
    if args.json:
        out_json(done.to_dict() | ({"card": done.card} if args.dry_run else {}))
        return EXIT_OK
    if done.left_out:
        note(f"{plural(done.left_out, 'image')} left out: the owner refuses training")
    if args.dry_run:
        out(_table(done))
        if done.difference.foreign:
            note(
                f"{len(done.difference.foreign):,} of them came from elsewhere or were changed on "
                "the Hub: --overwrite replaces or removes them"
            )
        out_stream(["\n", done.card])
        return EXIT_OK
    out(_verdict(done))
    return EXIT_OK


def _table(done: Published) -> str:
    from pixtrawl.amounts import plural, size
    from pixtrawl.display.screen import columns

    rows = [
        (file.change.value, size(file.size_bytes), file.name)
        for file in done.difference.files
        if file.change != "same"
    ]
    totals = [
        (name, size(row["bytes"]), plural(row["files"], "file"))
        for name, row in done.difference.counts().items()
    ]
    head = f"{done.url}: {plural(done.images, 'image')}; a dry run, nothing was sent"
    shown = [columns(rows, right=(1,)), ""] if rows else []
    return "\n".join([head, "", *shown, columns(totals, right=(1,))])


def _verdict(done: Published) -> str:
    from pixtrawl.amounts import plural, size

    counts = done.difference.counts()
    if not done.commit:
        return f"{done.url} is up to date: {plural(done.images, 'image')}"
    sent = done.difference.to_send
    removed = counts["removed"]["files"]
    gone = f", {removed:,} removed" if removed else ""
    bad = f"; skipped: {plural(done.bad, 'bad file')}" if done.bad else ""
    missing = f"; {done.missing:,} deleted by hand were left out" if done.missing else ""
    return (
        f"{done.url}: {plural(done.images, 'image')}; {plural(len(sent), 'file')} sent "
        f"({size(sum(file.size_bytes for file in sent))}), {counts['same']['files']:,} unchanged"
        f"{gone}{bad}{missing}"
    )


class _SendProgress:
    """A progress line on stderr for what is sent."""

    def __init__(self, files: int, size_bytes: int) -> None:
        self._files = files
        self._size_bytes = size_bytes

    def __call__(self, files: int, size_bytes: int) -> None:
        from pixtrawl.amounts import size

        end = "\n" if files == self._files else ""
        line = f"\rsent {files:,} of {self._files:,} files, {size(size_bytes)}"
        print(f"{line} of {size(self._size_bytes)}", end=end, file=sys.stderr, flush=True)
