"""`pixtrawl steer`: pauses, resumes or stops a run that is at work, or has it find more."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.options import add_output

_EPILOG = """\
pause    begins no further transfer; what is under way ends
resume   goes on
stop     ends the run as Ctrl-C does (the same command goes on later); of one query: takes no more
more     finds N images of each query, where N is larger than what it looks for

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
    parser.add_argument("--query", metavar="WORDS", default="", help="one query, or its label")
    parser.add_argument("-n", "--limit", metavar="N", type=int, help="of more: images of each")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Runs it. Returns the exit code: 0 once it is on the disk."""
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.deciding import steer

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
        out(f"{arguments.action}{of}: the run at work has been told")
    return EXIT_OK
