"""`pixtrawl run`: discover, download, check and de-duplicate."""

from __future__ import annotations

import argparse
from typing import Any, Final

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.config.table import by_key

EPILOG: Final = """\
QUERIES are words or files: .csv (one column, or a header with query, label, limit), .txt (one query
per line), .jsonl, or - for standard input. Repeat the command to resume where it stopped.
"""


EXAMPLES: Final = """\
Find, download, check and de-duplicate images.

examples:
  pixtrawl run 'tabby cat' 'golden retriever' -n 50
  pixtrawl run queries.csv -n 200 -o images --min-size 256x256
  pixtrawl run 'tabby cat' -s open --license commercial    # sources that state licences
  pixtrawl run queries.csv --to webdataset --resize 256    # also write shards for training
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "run",
        usage="%(prog)s QUERIES... [OPTIONS]",
        help="find and download images",
        description=EXAMPLES,
        epilog=EPILOG,
    )
    parser.add_argument("queries", metavar="QUERIES", nargs="+", help="words or files; - for stdin")
    # Columns of a list of URLs are named to source `urls` by its own settings.
    add_settings(
        parser, frozenset(key for key in by_key() if not key.startswith(("lists.", "models.")))
    )
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

    loaded = load_settings(arguments)
    config = loaded.config
    running.warn(loaded, quiet=arguments.quiet)
    queries = running.read_queries(
        arguments.queries, config, folder=config.job.output, quiet=arguments.quiet
    )
    if arguments.dry_run:
        from pixtrawl.cli.plan import show_plan

        return show_plan(queries, config, as_json=arguments.json)

    running.prepare(config)
    from pixtrawl.pipeline.feeders.run import run

    report, stopped = running.watched(
        arguments, config, lambda listener: run(queries, config, listener=listener)
    )
    report.interrupted = report.interrupted or stopped
    where = running.shown_folder(config.job.output)
    running.show_report(report, where=where, as_json=arguments.json, quiet=arguments.quiet)
    return running.ending(report)
