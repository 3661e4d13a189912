"""`pixtrawl steer`: pause, resume or stop a run in progress, or let it find more."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.options import add_output

_EPILOG = """\
pause    start no further transfers; those under way finish
resume   start transfers again
stop     end the run as Ctrl-C does (repeat its command to resume); with --query: only that query
more     find N images of each query instead; N must be larger than what it looks for now

examples:
  pixtrawl steer images pause
  pixtrawl steer images stop --query "tabby cat"
  pixtrawl steer images more -n 500

exit codes: 0 recorded, 2 no run is at work
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "steer",
        usage="%(prog)s DIR pause|resume|stop|more [-n N] [--query WORDS]",
        help="pause, resume or stop a run, or have it find more",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("action", choices=("pause", "resume", "stop", "more"))
    parser.add_argument(
        "--query", metavar="WORDS", default="", help="only this query, given by its text or label"
    )
    parser.add_argument(
        "-n", "--limit", metavar="N", type=int, help="for `more`: images wanted of each query"
    )
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0 once the request is on the disk."""
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.curating.deciding import steer

    if (arguments.action == "more") != (arguments.limit is not None):
        raise UsageError("-n N belongs to: pixtrawl steer DIR more -n N")
    done = steer(
        Folder(arguments.folder), arguments.action, who="cli", query=arguments.query,
        limit=arguments.limit,
    )  # fmt: skip
    if arguments.json:
        out_json({"action": arguments.action, "query": done.records[0].query or None})
    else:
        of = f" of {clean(arguments.query)}" if arguments.query else ""
        out(f"{arguments.action}{of}: sent to the run in progress")
    return EXIT_OK
