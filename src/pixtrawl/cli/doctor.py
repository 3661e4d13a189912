"""`pixtrawl doctor`: checks what a run stands on, and says what to do about each failure."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.errors import EXIT_ENVIRONMENT, EXIT_OK

_SETTINGS = frozenset({"job.output", "job.sources", "fetch.concurrency"})
_TINTS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "doctor", usage="%(prog)s [OPTIONS]", help="check this computer", description=__doc__
    )
    parser.add_argument(
        "--network", action="store_true", help="also connect to the chosen sources (TCP only)"
    )
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Runs it. Returns 5 when a check failed."""
    from pixtrawl.cli import running
    from pixtrawl.cli.checks import FAIL, all_checks
    from pixtrawl.cli.screen import clean, has_color, out, out_json, paint

    loaded = load_settings(arguments)
    running.warn(loaded, quiet=False)
    color = has_color(sys.stdout)
    checks = []
    for check in all_checks(loaded.config, ask_network=arguments.network):
        checks.append(check)
        if not arguments.json:
            word = paint(f"{check.status:4}", _TINTS[check.status], on=color)
            out(f"{word}  {check.name:14} {clean(check.detail)}")
            if check.next_step and check.status != "ok":
                out(f"{'':20} next: {clean(check.next_step)}")
    failed = sum(check.status == FAIL for check in checks)
    if arguments.json:
        out_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    elif failed:
        out(f"\n{failed} of {len(checks)} checks failed")
    return EXIT_ENVIRONMENT if failed else EXIT_OK
