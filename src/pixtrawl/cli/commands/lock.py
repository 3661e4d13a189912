"""`pixtrawl lock`: write a recipe of a data set, or rebuild the data set from one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.config.table import by_key

_EPILOG: Final = """\
The lock file holds the queries, the settings, and the number, URL, size and hashes of each image,
but no pictures. The same data set always gives the same file.

--rebuild fetches every image again, under its old number, and counts what has changed on the web:
ok, moved (redirected elsewhere), changed (other bytes; kept if they show the same picture), gone.

exit codes: 0 every picture is there again, 3 some are not
"""
_GROUPS: Final = ("fetch.", "politeness.")
_SETTINGS: Final = frozenset(key for key in by_key() if key.startswith(_GROUPS)) | {
    "job.max_time_s",
    "job.max_total_bytes",
    "job.retry",
}
_SHOWN: Final = 20  # images that drifted, on a terminal


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "lock",
        usage="%(prog)s DIR [-o FILE]\n       pixtrawl lock --rebuild FILE -o DIR [OPTIONS]",
        help="write a recipe, or rebuild from one",
        description=__doc__,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", help="data set folder, or a set of shards"
    )
    parser.add_argument("--rebuild", metavar="FILE", help="the lock file to rebuild from")
    parser.add_argument(
        "-o", "--output", dest="target", metavar="PATH",
        help="the lock file to write (default: standard output), or the folder to rebuild in",
    )  # fmt: skip
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.errors import UsageError

    if (arguments.rebuild is None) == (arguments.folder is None):
        raise UsageError("lock wants either DIR, or --rebuild FILE -o DIR")
    return _write(arguments) if arguments.rebuild is None else _rebuild(arguments)


def _write(arguments: argparse.Namespace) -> int:
    import sys

    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import note
    from pixtrawl.display.terminal import escaped_json
    from pixtrawl.errors import EXIT_OK, StorageError

    write_lock = _lock_writer(arguments.folder)
    if arguments.target in {None, "-"}:
        shown = sys.stdout.isatty()  # a file holds what -o FILE would
        write_lock(
            arguments.folder,
            lambda line: sys.stdout.write(escaped_json(line) if shown else line),
        )
        return EXIT_OK
    target = Path(arguments.target)
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            count = write_lock(arguments.folder, file.write)
        temporary.replace(target)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    if not arguments.quiet:
        note(f"{target}: {plural(count, 'image')}")
    return EXIT_OK


def _lock_writer(place: str) -> Callable[[str, Callable[[str], object]], int]:
    """Return what writes the lock file of a data set folder, or of a set of shards."""
    from pixtrawl.folder.layout import is_shards

    if is_shards(place):
        from pixtrawl.cluster.readers.origin import lock_shards

        return lock_shards
    from functools import partial

    from pixtrawl.cli.by_hand import show_changes_by_hand
    from pixtrawl.pipeline.feeders.rebuild import write_lock

    return partial(write_lock, notify=show_changes_by_hand)


def _rebuild(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from pixtrawl.cli import running
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import UsageError
    from pixtrawl.pipeline.feeders.rebuild import exit_code, rebuild

    if arguments.target is None:
        raise UsageError("--rebuild needs a folder to rebuild in: -o DIR")
    loaded = load_settings(arguments)
    running.warn(loaded, quiet=arguments.quiet)
    config = replace(loaded.config, job=replace(loaded.config.job, output=arguments.target))
    file = Path(arguments.rebuild)
    report, stopped = running.watched(
        arguments, config, lambda listener: rebuild(file, config, listener=listener)
    )
    report["interrupted"] = stopped or report["interrupted"]
    if arguments.json:
        out_json(report)
    elif not arguments.quiet:
        out(_verdict(report))
    return exit_code(report)


def _verdict(report: dict[str, Any]) -> str:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean, shorten

    totals = ", ".join(f"{count:,} {state}" for state, count in report["totals"].items())
    lines = [f"{report['kept']:,} of {plural(report['images'], 'image')} rebuilt: {totals}"]
    for row in report["drift"][:_SHOWN]:
        look = {True: " (same look)", False: " (another picture)"}.get(row.get("same_look"), "")
        why = f" ({row['reason']})" if "reason" in row else look
        place = f"{clean(row['label'])} {row['number']}"
        lines.append(f"  {row['state']:8} {place}  {shorten(clean(row['url']), 60)}{why}")
    if more := len(report["drift"]) - _SHOWN:
        lines += [f"  … and {more:,} more (--json lists all)"] if more > 0 else []
    return "\n".join(lines)
