"""`pixtrawl doctor`: check what a run needs, and print the next step for each failure."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import to_builtins

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.config.groups import Config
from pixtrawl.config.user_folders import user_folder
from pixtrawl.errors import EXIT_ENVIRONMENT, EXIT_OK, EXIT_SHORT

if TYPE_CHECKING:
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.operations.source_health import Health

EPILOG: Final = """\
To check the network, a connection to each chosen source is opened for a few seconds at most; no
request is sent. --sources skips a source that lacks something it needs, unless you name it.

exit codes: 0 all is well, 3 a source asked by --sources did not answer well, 5 a check failed
"""

_SETTINGS = frozenset(
    {
        "job.output", "job.sources", "fetch.concurrency", "fetch.allow_address", "fetch.proxy",
        "fetch.cookies", "fetch.contact", "fetch.user_agent",
    }
)  # fmt: skip
_TINTS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "doctor",
        usage="%(prog)s [OPTIONS]",
        help="check this computer",
        description=__doc__,
        epilog=EPILOG,
    )
    parser.add_argument(
        "--network",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether to connect to the chosen sources",
    )
    parser.add_argument(
        "--sources",
        dest="asked",
        metavar="NAME",
        nargs="*",
        help="only send one query to each of these sources (without NAME: to all)",
    )
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the checks. Return 5 when one failed, 3 when a source did not answer well."""
    from pixtrawl.cli import running
    from pixtrawl.display.screen import clean, has_color, out, out_json, paint
    from pixtrawl.operations.check import FAIL
    from pixtrawl.operations.checks import all_checks
    from pixtrawl.operations.questions import questions

    loaded = load_settings(arguments)
    running.warn(loaded, quiet=False)
    if arguments.asked is not None:
        return _ask_sources(arguments.asked, loaded.config, as_json=arguments.json)
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
        plain = {"checks": to_builtins(checks), "questions": to_builtins(questions(loaded.config))}
        out_json({"ok": not failed, **plain})
    else:
        if failed:
            out(f"\n{failed} of {len(checks)} checks failed")
        for one in questions(loaded.config):
            out(f"\nto decide: {clean(one.text)}\n{'':20} why: {clean(one.why)}")
            out(f"{'':20} --set {one.setting}=...   (now: {clean(one.default) or 'nothing'})")
    return EXIT_ENVIRONMENT if failed else EXIT_OK


def _ask_sources(names: list[str], config: Config, *, as_json: bool) -> int:
    """Query sources and print each result as it arrives. Raises UsageError for an unknown name."""
    from pixtrawl import sources
    from pixtrawl.cli.loop import run_loop
    from pixtrawl.display.screen import has_color, out, out_json
    from pixtrawl.operations.source_health import NOT_ASKED, ask_all

    color = has_color(sys.stdout)

    def show(health: Health) -> None:
        if not as_json:
            out("\n".join(_lines(health, color=color)))

    chosen = sources.expand(names, config.sources) if names else sources.available()
    folder = _evidence_folder(config)
    asking = ask_all(chosen, config, folder, everyone=not names, on_result=show)
    found, stopped = run_loop(asking)
    if stopped:
        raise KeyboardInterrupt
    well = all(health.well for health in found)
    if as_json:
        out_json({"ok": well, "sources": to_builtins(found)})
    else:
        asked = [health for health in found if health.status != NOT_ASKED]
        good = sum(health.well for health in asked)
        out(f"\n{good} of {len(asked)} sources asked are well")
    return EXIT_OK if well else EXIT_SHORT


def _lines(health: Health, *, color: bool) -> list[str]:
    from pixtrawl.display.screen import clean, paint
    from pixtrawl.operations.source_health import NOT_ASKED

    tint = "dim" if health.status == NOT_ASKED else "green" if health.well else "red"
    status = f"{health.status} ({health.kind})" if health.kind else health.status
    said = clean(health.message) or f"{health.found} results, {health.elapsed_s:g} s"
    indent = " " * 36
    lines = [f"{health.name:17} {paint(f'{status:17}', tint, on=color)} {said}"]
    lines += [f"{indent}saved: {path}" for path in health.evidence]
    if health.next_step and not health.well:
        lines.append(f"{indent}next: {clean(health.next_step)}")
    return lines


def _evidence_folder(config: Config) -> Path | Folder:
    """Return the data set's evidence folder, else the user's log folder."""
    from pixtrawl.folder.dataset_folder import Folder

    folder = Folder(config.job.output)
    if folder.exists():
        return folder
    return user_folder("log") / "doctor"
