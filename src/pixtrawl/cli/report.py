"""`pixtrawl report`: what became of every query and URL of a data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pixtrawl.cli.options import add_output


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "report", usage="%(prog)s DIR [--json]", help="what happened", description=__doc__
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default="images", help="data set folder"
    )
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Runs it. Returns the exit code: 0 when there is a report, whatever it says."""
    from pixtrawl.cli import running
    from pixtrawl.pipeline.report import report
    from pixtrawl.storage.folder import Folder

    Folder(arguments.folder).require()
    where = running.shown_folder(arguments.folder)
    running.show_report(report(Path(arguments.folder)), where=where, as_json=arguments.json)
    return 0
