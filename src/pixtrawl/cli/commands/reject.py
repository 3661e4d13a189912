"""`pixtrawl reject`: refuse images; a run finds others in their place."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.pipeline.curating.deciding import Recorded

_EPILOG = """\
A file is given by its path, or relative to the data set; the folder of a label stands for all of
its images. Refused images are moved out of the folder and kept aside. Neither they nor images that
look the same come back under that label. The current run, or else the next one, finds other images
in their place unless --no-refill is given. You can reject images during a run.

examples:
  pixtrawl reject "images/tabby cat/000012.jpg" --reason "a dog"
  pixtrawl reject images "tabby cat/000012.jpg" "tabby cat/000015.jpg" --no-refill
  pixtrawl undo images
  pixtrawl restore images "tabby cat/000012.jpg"

exit codes: 0 recorded, 2 no such image
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "reject",
        usage="%(prog)s [DIR] FILE... [--reason WORDS] [--no-refill]",
        help="refuse images; a run finds others in their place",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="image files or label folders")
    parser.add_argument("--reason", metavar="WORDS", default="", help="why, for the report")
    parser.add_argument(
        "--no-refill", action="store_true", help="find no other images in their place"
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="data set folder")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0 once the decision is on the disk."""
    from pixtrawl.amounts import plural
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.pipeline.curating.deciding import reject
    from pixtrawl.pipeline.finished.opened import split_root

    folder, names = split_root(arguments.files, arguments.output, command="reject")
    if not names:
        raise UsageError("nothing to refuse: give FILE or the folder of a label")
    done = reject(folder, names, who="cli", reason=arguments.reason, refill=not arguments.no_refill)
    show(done, f"{plural(len(done.records), 'image')} refused", as_json=arguments.json)
    return EXIT_OK


def show(done: Recorded, sentence: str, *, as_json: bool) -> None:
    """Print the decision and whether this process or a run carries it out."""
    from pixtrawl.display.screen import clean, out, out_json

    names = [pair for effect in done.effects for pair in effect.names]
    if as_json:
        files = [one.file_name for one in done.records if one.file_name]
        moved = [{"from": old or None, "to": new or None} for old, new in names]
        out_json({"batch": done.batch, "files": files, "changed": moved, "by_run": done.by_run})
        return
    lines = [clean(one.file_name) for one in done.records if one.file_name and done.by_run]
    for old, new in names:
        lines.append(clean(old) if not new else clean(f"{old} -> {new}" if old else new))
    tail = "; the run at work carries it out" if done.by_run else ""
    out("\n".join([*lines, f"{sentence}{tail}"]))
