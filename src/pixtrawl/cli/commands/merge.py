"""`pixtrawl merge`: join several data sets into one, without downloading."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from pixtrawl.cli.options import add_output

_EPILOG = """\
Images of the same label go into one folder, each with a number of its own; identical files are kept
once. Near duplicates are dropped as --dedup says and kept aside (`pixtrawl dedup OUT` lists them,
its --undo brings one back). Queries, provenance, takedown rules and the outcome of every URL are
merged too, so a later `run -o OUT` repeats no finished work. An image that was deleted by hand in
one data set does not come back from another. The inputs are left unchanged; OUT may be one of them.

Files are hard-linked where the file system allows it and then take no extra space. Do not edit them
in place, or use --copy. Repeat the command to resume an interrupted merge.

examples:
  pixtrawl merge monday tuesday -o week
  pixtrawl merge new -o images --dedup exact

exit codes: 0 done, 4 no image in any of them, 2 no data set, 5 one of them is in use
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "merge",
        usage="%(prog)s DIR DIR... -o OUT [--dedup LEVEL] [--copy]",
        help="join data sets",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", metavar="DIR", nargs="+", help="data set folders")
    parser.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="data set folder to write"
    )
    parser.add_argument(
        "--dedup", metavar="{strict,near,wide,exact,off}", default="near",
        help="what counts as the same picture (default: near)",
    )  # fmt: skip
    parser.add_argument("--copy", action="store_true", help="copy files instead of linking them")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.amounts import plural
    from pixtrawl.dedup import Level
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_NOTHING, EXIT_OK, UsageError
    from pixtrawl.model import REASONS, Reason
    from pixtrawl.pipeline.finished.merge import merge

    if arguments.dedup not in set(Level):
        raise UsageError(f"--dedup: {arguments.dedup!r} is none of {', '.join(Level)}")
    watched = sys.stderr.isatty() and not arguments.quiet

    def show_progress(done: int, total: int) -> None:
        if watched:
            sys.stderr.write(f"\r{done:,} of {total:,} images" + ("\n" if done >= total else ""))
            sys.stderr.flush()

    done = merge(
        arguments.folders, arguments.output, dedup=arguments.dedup, copy=arguments.copy,
        on_progress=show_progress,
    )  # fmt: skip
    if arguments.json:
        out_json({"output": arguments.output, "images": done.images, "reasons": done.reasons})
    else:
        lines = [
            f"{count:,} {reason}: {REASONS[Reason(reason)].sentence}"
            for reason, count in sorted(done.reasons.items())
            if reason in set(Reason) and reason != Reason.SAVED
        ]
        added = done.reasons.get(Reason.SAVED, 0)
        lines.append(
            f"{plural(added, 'image')} added; {plural(done.images, 'image')} in {arguments.output}"
        )
        out("\n".join(lines))
    return EXIT_OK if done.images else EXIT_NOTHING
