"""Commands on a set of shards: `report`, `cluster collect`, `duplicates` and `plan`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pixtrawl.cluster.job.plan import JobPlan

_DELAY_S: Final = 0.1  # of a plan without a sample that has one

__all__ = [
    "add_collect", "add_duplicates", "add_plan", "collect_shards", "find_duplicates", "plan_job",
    "report_shards",
]  # fmt: skip


def report_shards(
    arguments: argparse.Namespace,
    lines_of: Callable[[Iterable[dict[str, Any]], str | None], Iterator[str]],
) -> int:
    """Show the report of a set of shards, or its outcomes as lines. Return the exit code."""
    import shlex

    from pixtrawl.cli import running
    from pixtrawl.cluster.readers.reading import ShardSet
    from pixtrawl.cluster.store import Store
    from pixtrawl.display.screen import out_stream
    from pixtrawl.errors import EXIT_OK, UsageError

    for option in ("evidence", "html", "junk", "withheld"):
        if getattr(arguments, option):
            raise UsageError(
                f"--{option} needs a data set folder; make one with `pixtrawl cluster collect "
                f"{arguments.folder} -o DIR`"
            )
    shards = ShardSet(Store(arguments.folder))
    chosen = arguments.reason or arguments.status or arguments.query or arguments.format
    if arguments.urls or chosen:
        rows = (
            one.row()
            for one in shards.outcomes(
                reason=arguments.reason, status=arguments.status, query=arguments.query
            )
        )
        out_stream(lines_of(rows, arguments.format))
        return EXIT_OK
    running.show_report(
        shards.report(), where=shlex.quote(arguments.folder), as_json=arguments.json, shards=True
    )
    return EXIT_OK


def add_collect(actions: Any) -> None:
    """Register `cluster collect`."""
    from pixtrawl.cli.options import add_config, add_output, add_settings

    parser = actions.add_parser(
        "collect", usage="%(prog)s STORE [-o DIR] [OPTIONS]",
        help="make a data set folder of a set of shards",
        description="Make a data set folder of a set of shards, without asking any host.",
        epilog="Near duplicates are found over all shards. The same command goes on after a kill.",
    )  # fmt: skip
    parser.add_argument("store", metavar="STORE", help="folder or fsspec URL of the set")
    keys = {
        "job.output", "job.label", "job.durability", "job.caption", "images.dedup",
        "images.conflict", "images.turned", "images.decoders", "images.check",
    }  # fmt: skip
    add_settings(parser, keys)
    add_config(parser)
    add_output(parser)


def collect_shards(arguments: argparse.Namespace) -> int:
    """Make a folder of a set of shards. Return the exit code."""
    from pixtrawl.cli import running
    from pixtrawl.cli.options import load_settings
    from pixtrawl.cluster.readers.collect import collect
    from pixtrawl.cluster.readers.reading import ShardSet
    from pixtrawl.cluster.store import Store

    loaded = load_settings(arguments)
    running.warn(loaded, quiet=arguments.quiet)
    config = loaded.config
    shards = ShardSet(Store(arguments.store))
    report, stopped = running.watched(
        arguments, config, lambda listener: collect(shards, config, listener)
    )
    report.interrupted = report.interrupted or stopped
    where = running.shown_folder(config.job.output)
    running.show_report(report, where=where, as_json=arguments.json, quiet=arguments.quiet)
    return running.ending(report)


def add_duplicates(actions: Any) -> None:
    """Register `cluster duplicates`."""
    from pixtrawl.cli.options import add_config, add_output, add_settings

    parser = actions.add_parser(
        "duplicates", usage="%(prog)s STORE [OPTIONS]",
        help="find pictures that are there twice, over all shards",
        description="Find pictures that are there twice, over all shards, and leave them out of "
        "everything that reads the set.",
        epilog="Workers have left hashes and thumbnails, so that only pictures that look alike are "
        "fetched from the store. Nothing is removed; --forget makes every picture count again.",
    )  # fmt: skip
    parser.add_argument("store", metavar="STORE", help="folder or fsspec URL of the set")
    parser.add_argument("--scratch", metavar="DIR", help="local folder with 12 KB for each picture")
    parser.add_argument("--forget", action="store_true", help="undo: every picture counts again")
    add_settings(parser, {"images.dedup", "images.conflict", "images.turned"})
    add_config(parser)
    add_output(parser)


def find_duplicates(arguments: argparse.Namespace) -> int:
    """Write the table of duplicates, or remove it. Return the exit code."""
    import sys

    from msgspec import to_builtins

    from pixtrawl.amounts import plural
    from pixtrawl.cli.commands.export import ExportProgress
    from pixtrawl.cli.options import load_settings, scratch_of
    from pixtrawl.cluster import judging
    from pixtrawl.cluster.duplicates import forget_duplicates
    from pixtrawl.cluster.readers.reading import ShardSet
    from pixtrawl.cluster.store import Store
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError

    shards = ShardSet(Store(arguments.store))
    if arguments.forget:
        found = forget_duplicates(shards.store)
        text = "every picture counts again" if found else "there was no table of duplicates"
        out_json({"forgotten": found}) if arguments.json else out(text)
        return EXIT_OK
    images = load_settings(arguments).config.images
    if images.dedup == "off":
        raise UsageError("--dedup off finds nothing; --forget makes every picture count again")
    show = None if arguments.quiet or not sys.stderr.isatty() else ExportProgress()
    scratch = scratch_of(arguments)
    entry = judging.find_duplicates(
        shards, images, scratch=scratch, on_progress=show or (lambda done, total: None)
    )
    if show is not None:
        show.end()
    if arguments.json:
        out_json(to_builtins(entry))
        return EXIT_OK
    lines = [
        (
            f"{plural(entry.pictures, 'picture')} of {plural(entry.shards, 'shard')}: "
            f"{entry.duplicates:,} left out from now on"
        ),
        *(f"  {count:>10,}  {reason}" for reason, count in entry.reasons.items()),
    ]
    if entry.shards < shards.job.shards:
        lines.append("the job is not complete: repeat this when it is")
    out("\n".join(lines))
    return EXIT_OK


def add_plan(actions: Any) -> None:
    """Register `cluster plan`."""
    from pixtrawl.cli.options import add_output, number
    from pixtrawl.cluster.job.keys import SHARD_ROWS

    parser = actions.add_parser(
        "plan", usage="%(prog)s --urls N [--sample STORE] [OPTIONS]",
        help="estimate hours, bandwidth and requests of a job",
        description="Estimate hours, bandwidth and requests of a job.",
        epilog="Figures come from a job over a sample of the list; without one they are those of "
        "docs/scale.md for pictures of 129 KB, and no host is known.",
    )  # fmt: skip
    n = "N"
    parser.add_argument("--urls", metavar=n, required=True, help="URLs, such as 1e9")
    parser.add_argument("--sample", metavar="STORE", help="job over a sample, carried out")
    parser.add_argument("--nodes", metavar=n, default="1", help="machines (default: 1)")
    parser.add_argument("--cores", metavar=n, default="5", help="of each (default: 5)")
    parser.add_argument(
        "--delay", metavar="S", type=number,
        help="seconds between two requests to one host (default: that of the sample, else 0.1)",
    )  # fmt: skip
    parser.add_argument("--largest-host", metavar=n, help="URLs of the largest host, if known")
    parser.add_argument("--bandwidth", metavar="MBIT", type=number, help="line of all machines")
    parser.add_argument("--shard-rows", metavar=n, default=str(SHARD_ROWS), help="rows of a shard")
    for name, unit in (
        ("node", "one machine for an hour"), ("gb", "a gigabyte stored for a month"),
        ("writes", "a thousand writes to the store"),
    ):  # fmt: skip
        parser.add_argument(
            f"--price-{name}", metavar="PRICE", type=number, default=0.0, help=f"of {unit}"
        )
    add_output(parser, progress=False)


def plan_job(arguments: argparse.Namespace) -> int:
    """Show the estimate. Return the exit code."""
    from msgspec import to_builtins

    from pixtrawl.cluster.job.plan import Measured, Prices, measure, plan
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError

    measured = Measured()
    if arguments.sample is not None:
        from pixtrawl.cluster.commits import Commits
        from pixtrawl.cluster.job.description import read_job
        from pixtrawl.cluster.store import Store

        store = Store(arguments.sample)
        measured = measure(read_job(store), Commits(store).all())
        if not measured.is_measured:
            raise UsageError(f"{arguments.sample}: no shard is committed; start a worker first")
    delay_s = arguments.delay
    if delay_s is None:
        delay_s = measured.delay_s or _DELAY_S
    if delay_s < 0 or (arguments.bandwidth is not None and arguments.bandwidth <= 0):
        raise UsageError("--delay and --bandwidth must be positive")
    prices = Prices(
        node_hour=arguments.price_node, stored_gb_month=arguments.price_gb,
        thousand_writes=arguments.price_writes,
    )  # fmt: skip
    if min(prices.node_hour, prices.stored_gb_month, prices.thousand_writes) < 0:
        raise UsageError("--price-node, --price-gb and --price-writes must be 0 or more")
    largest = arguments.largest_host
    found = plan(
        _whole(arguments.urls, "--urls"), measured, nodes=_whole(arguments.nodes, "--nodes"),
        cores=_whole(arguments.cores, "--cores"), delay_s=delay_s, prices=prices,
        shard_rows=_whole(arguments.shard_rows, "--shard-rows"),
        largest_urls=None if largest is None else _whole(largest, "--largest-host"),
        bandwidth_bit_s=None if arguments.bandwidth is None else arguments.bandwidth * 1e6,
    )  # fmt: skip
    if arguments.json:
        out_json({**to_builtins(found), "measured": to_builtins(measured)})
    else:
        origin = "measured" if measured.is_measured else "assumed"
        rate = f"{origin}: {measured.worker_rate:,.{_digits(measured.worker_rate)}f} URLs/s"
        first = f"{rate} of a worker, {measured.url_bytes / 1000:,.0f} KB each"
        out("\n".join([first, *map("  {}".format, measured.doubts), *_plan_lines(found)]))
    return EXIT_OK


def _whole(text: str, option: str) -> int:
    from pixtrawl.errors import UsageError

    try:
        found = int(float(text))
    except (ValueError, OverflowError):
        found = 0
    if found < 1:
        raise UsageError(f"{option}: {text!r} is no number from 1 on, such as 100000 or 1e9")
    return found


def _digits(value: float) -> int:
    return 0 if value >= 10 else 1


def _plan_lines(found: JobPlan) -> list[str]:
    from pixtrawl.amounts import plural, size

    lines = [
        (
            f"{plural(found.nodes, 'machine')} with {plural(found.cores, 'core')}, "
            f"{plural(found.workers, 'worker')}: {found.hours:,.1f} hours, "
            f"{found.urls_s:,.{_digits(found.urls_s)}f} URLs/s"
        ),
        f"bandwidth: {found.bandwidth_bit_s / 1e6:,.0f} Mbit/s for all workers together",
        (
            f"fetched {size(found.fetched_bytes)}, stored {size(found.stored_bytes)}, "
            f"{found.images:,.0f} images"
        ),
        f"{plural(found.shards, 'shard')}, about {found.store_writes:,} writes to the store",
    ]
    if found.largest_host_urls:
        floor = f"; at its pace {found.hours_by_largest_host:,.1f} hours" if found.delay_s else ""
        lines.append(
            f"largest host: {found.largest_host_urls:,} URLs, {found.largest_host_urls_s:,.1f} a "
            f"second{floor}"
        )
    else:
        lines.append("largest host: not known (--sample STORE or --largest-host N)")
    if found.delay_s:
        most = f"at most {1 / found.delay_s:,.1f} requests a second (--delay {found.delay_s:g})"
        lines.append(f"every host: {most}")
    if found.cost_nodes or found.cost_writes or found.cost_month:
        lines.append(
            f"cost: {found.cost_nodes + found.cost_writes:,.2f} (machines {found.cost_nodes:,.2f}, "
            f"writes {found.cost_writes:,.2f}), then {found.cost_month:,.2f} a month for what is "
            "stored"
        )
    if found.hours_by_largest_host > found.hours_by_workers:
        useful = plural(found.useful_workers, "worker")
        lines.append(f"the largest host sets the time: more than {useful} will not shorten it")
    return lines
