"""`pixtrawl label`: put images under another label."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.options import add_output

_EPILOG = """\
A file is given by its path, or relative to the data set; the folder of a label stands for all of
its images. If you move a whole folder to a new label, its query moves too, and later runs add
images there. Otherwise the next run finds images for the places that became free. Numbers are
unique in a data set, so file names never clash. If the label already has the same bytes, one file
is kept.

You can also move files and rename folders by hand: the next command recognises them by their bytes.

examples:
  pixtrawl label "images/tabby cat/000012.jpg" --to "maine coon"
  pixtrawl label images "tabby cat/000012.jpg" "tabby cat/000015.jpg" --to lynx
  pixtrawl label "images/tabby cat" --to cat
  pixtrawl label images --undo

exit codes: 0 done, 2 no such image or label, 5 a run is at work on the data set
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "label",
        usage="%(prog)s [DIR] FILE... --to LABEL\n       pixtrawl label DIR --undo",
        help="put images under another label",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="FILE", nargs="*", help="image files or label folders")
    parser.add_argument("--to", metavar="LABEL", help="label to move them to; may be new")
    parser.add_argument("--undo", action="store_true", help="take back the last move")
    parser.add_argument("-o", "--output", metavar="DIR", help="data set folder")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.pipeline.curating.labelling import put_under_label, take_back_labels
    from pixtrawl.pipeline.finished.opened import split_root

    if arguments.undo == (arguments.to is not None):
        raise UsageError("label wants FILE... and --to LABEL, or DIR and --undo")
    folder, names = split_root(arguments.files or ["images"], arguments.output)
    if arguments.undo:
        if names:
            raise UsageError("--undo takes back all that was moved last; it wants no FILE")
        moved = take_back_labels(folder)
    elif not names:
        raise UsageError("nothing to label: give FILE or the folder of a label")
    else:
        moved = put_under_label(folder, names, arguments.to)
    if arguments.json:
        out_json({"moved": [{"from": m.old_name, "to": m.new_name or None} for m in moved]})
        return EXIT_OK
    lines = [
        f"{clean(one.old_name)} -> {clean(one.new_name)}"
        if one.new_name
        else f"{clean(one.old_name)} is there already, byte for byte; this file was kept aside"
        for one in moved
    ]
    out("\n".join([*lines, f"{plural(len(moved), 'image')} moved"]))
    return EXIT_OK
