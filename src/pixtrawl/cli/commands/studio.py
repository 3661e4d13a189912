"""`pixtrawl studio`: see, steer and clean data sets in the browser."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_config, add_settings, load_settings
from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pixtrawl.studio.serve import StudioServer

_TURN_S = 0.0005
_SLOW_S = 1.0  # until it is said what is waited for
_EPILOG = """\
Serves a page on this machine only, until Ctrl-C. The address that it prints has a token: who has it
can see and change the data sets. Decisions are those of reject, label, restore, takedown and undo,
also during a run. Without DIR the page lists the data sets that were opened before.

examples:
  pixtrawl studio images
  pixtrawl studio images --port 8123 --no-open

exit codes: 0 ended by Ctrl-C, 2 no data set, or the extra is missing, 5 the port is taken
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "studio",
        usage="%(prog)s [DIR] [--port N] [--no-open] [--folder DIR] [--set NAME=VALUE]",
        help="see, steer and clean data sets in the browser",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", help="data set folder")
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port to listen on (default: a free one)"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the browser")
    parser.add_argument(
        "--folder", metavar="DIR", dest="folders", action="append", default=[],
        help="a further place for new data sets, beside the home and this folder (repeatable)",
    )  # fmt: skip
    add_settings(parser, frozenset({"fetch.allow_address", "fetch.contact", "fetch.proxy"}))
    add_config(parser)


def main(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return the exit code."""
    import sys
    import threading
    from contextlib import suppress
    from pathlib import Path

    from pixtrawl.cli.loop import run_loop
    from pixtrawl.errors import EXIT_OK

    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"--port {arguments.port}: a port is a number from 0 to 65535")
    from pixtrawl.numeric import load_numpy

    load_numpy()  # before others do: with one thread, and freed arrays given back to the system
    from pixtrawl.studio.serve import StudioServer

    # Between two rows of an answer other threads may run, for 5 ms each time by default.
    sys.setswitchinterval(_TURN_S)
    path = None if arguments.folder is None else Path(arguments.folder)
    slow = threading.Timer(_SLOW_S, _say_what_takes_long, [path])
    slow.start()
    try:
        server = StudioServer(
            path, port=arguments.port, config=load_settings(arguments).config,
            folders=[Path(one).expanduser().absolute() for one in arguments.folders],
        )  # fmt: skip
    finally:
        slow.cancel()
    with suppress(KeyboardInterrupt):  # Ctrl-C is how this command ends
        run_loop(_serve(server, opens=not arguments.no_open), on_stop=lambda: None)
    return EXIT_OK


def _say_what_takes_long(path: Path | None) -> None:
    import sys

    if path is not None:
        print(f"opening {path}: its files are compared with its catalog ...", file=sys.stderr)


async def _serve(server: StudioServer, *, opens: bool) -> None:
    import asyncio
    import sys
    import webbrowser

    print(server.url, flush=True)
    print("\nThe studio is up until Ctrl-C, for this machine only.", file=sys.stderr, flush=True)
    if opens:
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, server.url)
    await server.serve()
