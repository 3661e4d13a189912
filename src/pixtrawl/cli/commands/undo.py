"""`pixtrawl undo`: take back the last decision, or the last undo."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.options import add_output

_EPILOG = """\
A decision is one command of reject, label, restore or takedown, and is taken back as a whole. Call
undo again to take back the decision before it, as far back as you like. You can undo during a run.
For files moved or deleted by hand, move them back, or use `pixtrawl label DIR --undo` or
`pixtrawl restore DIR`.

examples:
  pixtrawl undo images
  pixtrawl undo images --redo

exit codes: 0 recorded, 2 there is nothing to undo
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "undo",
        usage="%(prog)s [DIR] [--redo]",
        help="take back the last decision",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default="images", help="data set folder"
    )
    parser.add_argument("--redo", action="store_true", help="take back the last undo")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0 once the undo is on the disk."""
    from pixtrawl.cli.commands.reject import show
    from pixtrawl.display.screen import clean
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.operations.decision_summary import summarise
    from pixtrawl.pipeline.curating.deciding import undo

    done = undo(Folder(arguments.folder), who="cli", redo=arguments.redo)
    word = "done again" if arguments.redo else "taken back"
    show(done, f"{word}: {clean(summarise(done.undone))}", as_json=arguments.json)
    return EXIT_OK
