"""`pixtrawl discover`: find image URLs and write them to a manifest."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.config.table import FILTERS_GROUP, by_key
from pixtrawl.display.screen import json_line
from pixtrawl.errors import UsageError
from pixtrawl.manifests.reader import row_of
from pixtrawl.model import Candidate
from pixtrawl.report import Report

FORMATS: Final = (".jsonl", ".csv", ".parquet", ".txt")
DEFAULT_FILE: Final = "urls.jsonl"

_SETTINGS: Final = frozenset(
    {
        "job.limit", "job.sources", "job.label", "job.prefix", "job.suffix", "job.expand",
        "job.synonyms", "fetch.limit_rate_bytes_s", "politeness.per_host",
        "job.max_time_s", "fetch.timeout_s", "fetch.retries", "fetch.proxy", "fetch.cookies",
        "fetch.contact", "fetch.user_agent", "fetch.allow_address", "politeness.delay_s",
        "politeness.exclude_host", "politeness.max_crawl_delay_s",
        "politeness.ignore_robots", "politeness.patience_s", "politeness.purpose",
        "politeness.ignore_ai_preferences", "images.allow_thumbnails",
        *(key for key in by_key() if key.startswith(f"{FILTERS_GROUP}.")),
    }
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "discover",
        usage="%(prog)s QUERIES... [-o FILE] [OPTIONS]",
        help="find image URLs",
        description=__doc__,
    )
    parser.add_argument("queries", metavar="QUERIES", nargs="+", help="words or files; - for stdin")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default=DEFAULT_FILE,
        help=f"manifest to write: {', '.join(FORMATS)} (a dict {{query: [URL, …]}}); - for stdout "
        "(default: %(default)s)",
    )
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show what each source would be asked, without using the network",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.cli import running

    file = None if arguments.output == "-" else manifest_path(arguments.output)
    if file is None and arguments.json:
        raise UsageError("--output - writes the manifest to stdout, and so does --json the report")
    loaded = load_settings(arguments)
    config = loaded.config
    running.warn(loaded, quiet=arguments.quiet)
    queries = running.read_queries(arguments.queries, config, folder=None, quiet=arguments.quiet)
    if arguments.dry_run:
        from pixtrawl.cli.plan import show_plan

        return show_plan(queries, config, as_json=arguments.json)

    from pixtrawl.pipeline.feeders.discover import discover

    report, stopped = running.watched(
        arguments,
        config,
        lambda listener: discover(
            queries, config, out=file, listener=listener, take=None if file else _Pipe()
        ),
    )
    report.interrupted = report.interrupted or stopped
    if file is None:
        if not arguments.quiet:
            _print(report)
    elif arguments.json:
        running.show_report(report, where="", as_json=True)
    elif not arguments.quiet:
        _show(report, file)
    return running.ending(report)


class _Pipe:
    """Writes candidates to stdout as JSON lines, until the reader closes the pipe."""

    def __init__(self) -> None:
        self._open = True
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")

    def __call__(self, candidate: Candidate) -> None:
        if not self._open:
            return
        try:
            sys.stdout.write(json_line(row_of(candidate)))
            sys.stdout.flush()
        except BrokenPipeError:
            self._open = False
            # the interpreter flushes stdout once more at its end, and would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def manifest_path(text: str) -> Path:
    """Return the file to write. Raises UsageError for an extension that is no manifest format."""
    path = Path(text)
    if path.is_dir():
        raise UsageError(f"--output {text}: is a folder; a file is wanted, such as {DEFAULT_FILE}")
    if path.suffix.lower() not in (*FORMATS, ""):
        raise UsageError(f"--output {text}: a manifest ends in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise UsageError(f"--output {text}: there is no folder {path.parent}")
    return path


def _print(report: Report) -> None:
    """Print the verdict, on stderr where stdout has the manifest."""
    from pixtrawl.display.screen import has_color
    from pixtrawl.display.verdict import verdict

    print(verdict(report, things="URLs", color=has_color(sys.stderr)), file=sys.stderr)


def _show(report: Report, file: Path) -> None:
    import shlex

    from pixtrawl.display.screen import has_color, out
    from pixtrawl.display.verdict import verdict

    out(verdict(report, things="URLs", color=has_color(sys.stdout)))
    name = shlex.quote(str(file))
    out(f"\nmanifest: {name}   next: pixtrawl download {name}")
