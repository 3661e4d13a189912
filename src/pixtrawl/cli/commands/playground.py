"""`pixtrawl playground`: serve the offline practice site until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.errors import EnvironmentFailedError, UsageError

if TYPE_CHECKING:
    from pixtrawl.playground import Playground


HINT: Final = (
    "\nThe practice site is up until Ctrl-C. Above: its front page, two image searches,\n"
    "galleries, bad behaviour on demand, image hosts; then two commands for another terminal."
)


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "playground", help="serve the offline practice site", description=__doc__
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port to listen on (default: a free one)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--latency",
        type=float,
        default=0.0,
        metavar="S",
        help="seconds to wait before each answer (default: 0)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="seed of all pictures (default: 1)"
    )
    parser.add_argument(
        "--faults", choices=("none", "some", "all"), default="some",
        help="misbehaving image servers among the results (default: some)",
    )  # fmt: skip
    parser.add_argument(
        "--supply", type=int, default=120, metavar="N", help="results per query (default: 120)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit code."""
    from pixtrawl.cli.loop import run_loop

    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"--port {arguments.port}: a port is a number from 0 to 65535")
    if arguments.latency < 0:
        raise UsageError(f"--latency {arguments.latency}: seconds cannot be negative")
    run_loop(_serve(arguments))
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    from pixtrawl.playground import Playground

    site = Playground(
        port=arguments.port,
        address=arguments.host,
        latency_s=arguments.latency,
        seed=arguments.seed,
        faults=arguments.faults,
        photographs=True,
        supply=arguments.supply,
        log=False,
    )
    try:
        async with site:
            print("\n".join(lines(site)), flush=True)
            print(HINT, file=sys.stderr, flush=True)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return  # Ctrl-C is how this command ends
    except OSError as error:
        where = f"{arguments.host}:{arguments.port}"
        raise EnvironmentFailedError(f"cannot listen on {where}: {error.strerror}") from error


def lines(site: Playground) -> list[str]:
    """Return the lines to print: the addresses, then commands to copy."""
    return [
        f"{site.url}/",
        f"{site.url}/search?q=tabby+cat&udm=2",
        f"{site.url}/images/search?q=tabby+cat",
        f"{site.url}/gallery/",
        f"{site.url}/faults",
        *(f"{host}/" for host in site.hosts),
        *(run_line(site, source) for source in ("bing", "google")),
    ]


def run_line(site: Playground, source: str) -> str:
    """Return a `pixtrawl run` command line that searches this playground for two words."""
    words = [
        "pixtrawl", "run", "tabby cat", "golden retriever", "-n", "20", "-s", source,
        "--set", f"{source}.base_url={site.url}", "--allow-address", "127.0.0.0/24",
    ]  # fmt: skip
    return shlex.join(words)
