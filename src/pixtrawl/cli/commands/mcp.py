"""`pixtrawl mcp`: let an assistant collect and clean data sets, within limits of yours."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_config, add_settings, load_settings
from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.mcp_server.limits import AssistantLimits

_EPILOG = """\
Speaks the Model Context Protocol over standard input and output: an assistant's program starts it.
It reads and writes below --folder only. You are asked, in that program, before images are
downloaded, rejected, relabelled or exported, unless --no-ask is given. A job goes on when the
assistant ends, and is found again by the next one.

examples:
  pixtrawl mcp --folder ~/datasets
  pixtrawl mcp --folder ~/datasets --most-images 5000 --most-bytes 10G --most-jobs 1
  pixtrawl mcp --skill > SKILL.md

exit codes: 0 the assistant has ended, 2 a wrong option, or the extra is missing
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "mcp",
        usage="%(prog)s [--folder DIR]... [--most-images N] [--most-bytes SIZE] [--most-jobs N] "
        "[--no-ask] [--skill]",
        help="let an assistant collect and clean data sets",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--folder", metavar="DIR", dest="folders", action="append", default=[],
        help="where data sets and exports may be (repeatable; default: the current folder)",
    )  # fmt: skip
    parser.add_argument(
        "--most-images", metavar="N", default="1000", help="images of one job (default: 1000)"
    )
    parser.add_argument(
        "--most-bytes", metavar="SIZE", default="2G", help="downloads of one job (default: 2G)"
    )
    parser.add_argument(
        "--most-jobs", metavar="N", default="2", help="jobs at the same time (default: 2)"
    )
    parser.add_argument(
        "--no-ask", action="store_true", help="never ask you: what the assistant asks for is done"
    )
    parser.add_argument(
        "--skill", action="store_true", help="print the guidance for assistants, and end"
    )
    add_settings(parser, frozenset({"fetch.allow_address", "fetch.contact", "fetch.proxy"}))
    add_config(parser)


def main(arguments: argparse.Namespace) -> int:
    """Serve until the assistant ends. Return the exit code."""
    import sys

    from pixtrawl.errors import EXIT_OK
    from pixtrawl.mcp_server.server import SKILL, serve

    if arguments.skill:
        print(SKILL.read_text(encoding="utf-8"), end="")
        return EXIT_OK
    limits = _limits(arguments)
    config = load_settings(arguments).config
    if sys.stdin.isatty():
        print(
            "pixtrawl mcp is started by an assistant's program, and waits for its messages here; "
            "Ctrl-C ends it. docs/mcp.md shows how to register it.",
            file=sys.stderr,
        )
    serve(config, limits)
    return EXIT_OK


def _limits(arguments: argparse.Namespace) -> AssistantLimits:
    from pathlib import Path

    from pixtrawl.config import parse
    from pixtrawl.mcp_server.limits import AssistantLimits

    given = {
        "most_images": (arguments.most_images, parse.positive),
        "most_bytes": (arguments.most_bytes, parse.size_bytes),
        "most_jobs": (arguments.most_jobs, parse.positive),
    }
    values = {}
    for name, (text, read) in given.items():
        try:
            values[name] = read(text)
        except ValueError as error:
            raise UsageError(f"--{name.replace('_', '-')}: {error}") from None
    roots = tuple(Path(one).expanduser().absolute() for one in arguments.folders) or (Path.cwd(),)
    for root in roots:
        if root == Path(root.anchor):
            raise UsageError("the whole file system is too much: name a folder with --folder DIR")
        if root.exists() and not root.is_dir():
            raise UsageError(f"--folder {root} is no folder")
    return AssistantLimits(roots=roots, asks=not arguments.no_ask, **values)
