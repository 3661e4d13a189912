"""`pixtrawl download`: download the URLs of manifests or plain lists."""

from __future__ import annotations

import argparse
from typing import Any, Final

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.config.load import DEFAULT_ORIGIN
from pixtrawl.config.table import FILTERS_GROUP, by_key
from pixtrawl.errors import UsageError

# What a manifest cannot be asked: it is a list already. Licence and shape are known of a row.
_ASKING: Final = frozenset(
    {"job.sources", "job.prefix", "job.suffix", "job.expand", "job.synonyms"}
)
_TOLD: Final = frozenset({"filters.license", "filters.aspect"})
_SETTINGS: Final = frozenset(
    key
    for key in by_key()
    if key in _TOLD or not (key in _ASKING or key.startswith((f"{FILTERS_GROUP}.", "models.")))
)


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "download",
        usage="%(prog)s MANIFEST|URL|-... [-o DIR|STORE] [OPTIONS]",
        help="download manifests",
        description=__doc__,
    )
    parser.add_argument(
        "manifests",
        metavar="MANIFEST",
        nargs="+",
        help="manifest of `discover`, keyword_urls.txt, any list of URLs, or a URL; - for stdin",
    )
    add_settings(parser, _SETTINGS, {"job.limit": "every URL"})
    parser.add_argument(
        "--strict", action="store_true", help="exit code 3 unless every URL was saved"
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="Ray cluster for --engine ray, or `auto` (default: start one here, and end it)",
    )
    add_config(parser)
    add_output(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show what the manifests hold, without using the network",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.cli import running

    loaded = load_settings(arguments)
    config = loaded.config
    running.warn(loaded, quiet=arguments.quiet)
    limit_given = loaded.origins["job.limit"] != DEFAULT_ORIGIN
    if arguments.dry_run:
        from pixtrawl.cli.plan import show_manifests

        return show_manifests(
            arguments.manifests, config, limit_given=limit_given, as_json=arguments.json
        )
    from pixtrawl.cli.commands.download_shards import download_shards
    from pixtrawl.cluster.place import into_shards

    if into_shards(config):
        return download_shards(arguments, loaded, limit_given=limit_given)
    if arguments.address is not None:
        raise UsageError("--address is for --engine ray")
    running.prepare(config)
    from pixtrawl.pipeline.feeders.download import download

    report, stopped = running.watched(
        arguments,
        config,
        lambda listener: download(
            arguments.manifests, config, listener=listener, limit_given=limit_given
        ),
    )
    report.interrupted = report.interrupted or stopped
    where = running.shown_folder(config.job.output)
    running.show_report(report, where=where, as_json=arguments.json, quiet=arguments.quiet)
    return running.ending(report, strict=arguments.strict)
