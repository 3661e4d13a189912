"""`pixtrawl cluster`: divide lists of URLs into shards, and look after the job."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.commands.cluster_status import show_status
from pixtrawl.cli.commands.download_shards import prepared
from pixtrawl.cli.commands.shard_sets import (
    add_collect,
    add_duplicates,
    add_plan,
    collect_shards,
    find_duplicates,
    plan_job,
)
from pixtrawl.cli.options import (
    add_config,
    add_output,
    add_settings,
    load_settings,
    number,
    scratch_of,
)
from pixtrawl.cluster.job.keys import LEASE_S, SHARD_ROWS, job_settings

if TYPE_CHECKING:
    from pixtrawl.cluster.job.description import JobDescription

_EPILOG: Final = """\
A job turns every URL of its manifests into an outcome, on as many machines as you start workers on.
There is no -n here, and no search: a job is a list (make one with `pixtrawl discover`). Its result
is a set of shards in STORE: pictures in data/, one row for each URL in outcomes/, and commits/,
which name the objects that count.

  pixtrawl cluster prepare urls.parquet -o s3://bucket/set
  pixtrawl worker s3://bucket/set          (as often as you like)
  pixtrawl cluster status s3://bucket/set
"""
_PREPARE: Final = """\
The same command again changes nothing. Rows pass through local disk, so memory stays flat.
Duplicates of a URL are dropped; look-alikes are not (a job knows no other pictures while it runs).

exit codes: 0 done, 2 unreadable manifest or another job in STORE, 5 the store fails
"""
_LEAST_LEASE_S: Final = 3.0


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "cluster", usage="%(prog)s prepare|status|duplicates|collect|plan|sweep|rollup ...",
        help="jobs on many machines",
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", required=True, prog="pixtrawl cluster"
    )
    _add_prepare(actions)
    add_duplicates(actions)
    add_collect(actions)
    add_plan(actions)
    for name, sentence in (
        ("status", "show how far a job is, and its workers"),
        ("sweep", "remove objects of attempts that were not committed"),
        ("rollup", "put commits together, thousands into one object"),
    ):
        one = actions.add_parser(
            name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}."
        )
        one.add_argument("store", metavar="STORE", help="folder or fsspec URL that holds the job")
        if name == "sweep":
            one.add_argument(
                "--older", metavar="HOURS", type=number, default=24.0,
                help="age of objects of a shard without a commit (default: 24)",
            )  # fmt: skip
            one.add_argument("--dry-run", action="store_true", help="remove nothing")
        if name == "status":
            one.add_argument(
                "--watch", metavar="S", type=number, nargs="?", const=5.0,
                help="look again every S seconds until the job is complete (default: 5)",
            )  # fmt: skip
            one.add_argument(
                "--metrics", metavar="PORT",
                help="with --watch: metrics of the job for Prometheus (HOST:PORT, FILE.prom, too)",
            )  # fmt: skip
        add_output(one, progress=False)


def _add_prepare(actions: Any) -> None:
    parser = actions.add_parser(
        "prepare", usage="%(prog)s MANIFEST... -o STORE [OPTIONS]",
        help="divide manifests into shards",
        description="Divide manifests into the shards of a job.", epilog=_PREPARE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "manifests", metavar="MANIFEST", nargs="+",
        help="JSONL, CSV, Parquet or any list of URLs: file, folder, or fsspec URL (* for many)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="STORE", required=True, help="folder or fsspec URL for the job"
    )
    parser.add_argument(
        "--shard-rows", metavar="N", type=int, default=SHARD_ROWS,
        help=f"rows of a shard, about (default: {SHARD_ROWS})",
    )  # fmt: skip
    parser.add_argument(
        "--lease",
        metavar="S",
        type=number,
        default=LEASE_S,
        help="seconds without a word of a worker before others take its shards (default: 45)",
    )
    parser.add_argument(
        "--scratch", metavar="DIR", help="local folder with room for all rows twice"
    )
    parser.add_argument("-n", "--limit", metavar="N", help=argparse.SUPPRESS)
    add_settings(parser, job_settings(), {"export.to": "webdataset"})
    add_config(parser)
    add_output(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    actions: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "prepare": _prepare, "status": show_status, "sweep": _sweep, "rollup": _roll_up,
        "collect": collect_shards, "duplicates": find_duplicates, "plan": plan_job,
    }  # fmt: skip
    return actions[arguments.action](arguments)


def _prepare(arguments: argparse.Namespace) -> int:
    from pixtrawl.amounts import plural
    from pixtrawl.cli import running
    from pixtrawl.display.screen import note, out, out_json
    from pixtrawl.engines.event_loop import tune_process
    from pixtrawl.errors import EXIT_OK, UsageError

    if arguments.limit is not None:
        raise UsageError("a job has no -n: it fetches every row; shorten the manifest instead")
    if arguments.shard_rows < 1 or arguments.lease < _LEAST_LEASE_S:
        raise UsageError(f"--shard-rows must be 1 or more, --lease {_LEAST_LEASE_S:.0f} or more")
    loaded = load_settings(arguments)
    running.warn(loaded, quiet=arguments.quiet)
    notices: list[str] = []
    tune_process()  # rows are many objects, none of them in a cycle
    store, job = prepared(
        arguments.manifests, arguments.output, loaded, notices, shard_rows=arguments.shard_rows,
        lease_s=arguments.lease, scratch=scratch_of(arguments),
    )  # fmt: skip
    for text in notices if not arguments.quiet else ():
        note(text)
    if arguments.json:
        out_json({"store": store.url, **_facts(job)})
        return EXIT_OK
    rows, shards = plural(job.rows, "row"), plural(job.shards, "shard")
    lines = [f"{rows} in {shards}; the largest group of hosts is {job.largest_group}"]
    lines[0] += f" with {job.largest_rows:,}"
    if job.duplicates:
        lines.append(f"{plural(job.duplicates, 'row')} left out: another one has the same URL")
    if job.bad_lines:
        lines.append(f"{plural(job.bad_lines, 'line')} could not be read: see bad-lines.jsonl")
    lines.append(f"next: pixtrawl worker {arguments.output}")
    out("\n".join(lines))
    return EXIT_OK


def _facts(job: JobDescription) -> dict[str, object]:
    names = ("to", "shards", "rows", "duplicates", "bad_lines", "largest_group", "largest_rows")
    return {name: getattr(job, name) for name in names}


def _sweep(arguments: argparse.Namespace) -> int:
    from pixtrawl.amounts import plural, size
    from pixtrawl.cluster.job.description import read_job
    from pixtrawl.cluster.store import Store
    from pixtrawl.cluster.upkeep import sweep
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError

    if arguments.older < 0:
        raise UsageError("--older: must be 0 or more hours")
    store = Store(arguments.store)
    job = read_job(store)
    found = sweep(
        store, older_s=arguments.older * 3600, lease_s=job.lease_s, dry_run=arguments.dry_run
    )
    if arguments.json:
        out_json({"removed": found.removed, "bytes": found.size_bytes, "kept": found.kept})
        return EXIT_OK
    done = "would be removed" if arguments.dry_run else "removed"
    out(f"{plural(found.removed, 'object')} {done}, {size(found.size_bytes)}")
    if found.kept:
        left = plural(found.kept, "object")
        out(f"{left} of open shards left: younger than --older, or of a worker that is at work")
    return EXIT_OK


def _roll_up(arguments: argparse.Namespace) -> int:
    from pixtrawl.amounts import plural
    from pixtrawl.cluster.commits import roll_up
    from pixtrawl.cluster.job.description import read_job
    from pixtrawl.cluster.store import Store
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_OK

    store = Store(arguments.store)
    read_job(store)
    commits, objects = roll_up(store)
    if arguments.json:
        out_json({"commits": commits, "objects": objects})
    else:
        out(f"{plural(commits, 'commit')} put together into {plural(objects, 'object')}")
    return EXIT_OK
