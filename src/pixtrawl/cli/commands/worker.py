"""`pixtrawl worker`: carry out shards of a job, as one of many processes."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.options import add_config, add_output, add_settings, given, scratch_of
from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.cluster.job.description import JobDescription
    from pixtrawl.config.groups import Config

_EPILOG: Final = """\
Start as many as you like, on as many machines, with whatever starts processes: a shell, ssh, Slurm,
Kubernetes. They need nothing but the store, which also gives each its name; each host is held by
one of them. A worker ends when every shard is committed. One that is killed or cut off loses its
shards to the others after the time set by `prepare --lease`; nothing is lost or doubled. Ctrl-C
gives its shards back. Started again, a worker goes on with what has no commit.

examples:
  pixtrawl worker s3://bucket/set
  pixtrawl worker /shared/set --concurrency 128 --scratch /local/disk

exit codes: 0 every shard is committed, 3 some are not (--no-wait), 4 nothing was saved,
2 there is no job, 5 store or decoders fail, 130 interrupted
"""
# Those of the machine; everything else is the job's, so that all workers do the same.
_SETTINGS: Final = frozenset(
    {
        "fetch.concurrency", "fetch.limit_rate_bytes_s", "fetch.proxy", "fetch.cookies",
        "fetch.user_agent", "fetch.contact", "fetch.allow_address", "images.decoders",
    }
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "worker", usage="%(prog)s STORE [OPTIONS]", help="carry out shards of a job",
        description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("store", metavar="STORE", help="folder or fsspec URL that holds the job")
    parser.add_argument(
        "--scratch", metavar="DIR", help="local folder for what is not uploaded yet (default: /tmp)"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="end when no shard is free, not when all are done"
    )
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser)


def job_config(
    job: JobDescription, arguments: argparse.Namespace, environ: Mapping[str, str]
) -> Config:
    """Return the settings of a worker: the job's, and for `_SETTINGS` those of the machine first.

    What decides what is kept comes from the job alone, also where the job has the default: neither
    this machine's environment nor its file changes it. Raise UsageError for an option that would.
    """
    from pixtrawl.cli.known import known_sources
    from pixtrawl.cluster.job.keys import job_settings
    from pixtrawl.config.load import DEFAULT_ORIGIN, load

    own = given(arguments)
    nothing = Path(os.devnull)
    asked = load(own, environ={}, user_file=nothing, known=known_sources()).origins
    for key, origin in asked.items():
        if origin != DEFAULT_ORIGIN and key not in _SETTINGS:
            raise UsageError(
                f"{origin}: all workers of a job do the same; give it to `pixtrawl cluster prepare`"
            )
    defaults = dict.fromkeys(job_settings() - _SETTINGS)
    return load(
        {**defaults, **job.settings, **own}, environ=environ, config_file=arguments.config,
        known=known_sources(),
    ).config  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.amounts import plural
    from pixtrawl.cli import running
    from pixtrawl.cluster.job.description import read_job
    from pixtrawl.cluster.store import Store
    from pixtrawl.cluster.workers.program import work
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_INTERRUPTED, EXIT_NOTHING, EXIT_OK, EXIT_SHORT

    store = Store(arguments.store)
    job = read_job(store)
    config = job_config(job, arguments, os.environ)
    with tempfile.TemporaryDirectory(
        prefix="pixtrawl-worker-", dir=scratch_of(arguments), ignore_cleanup_errors=True
    ) as scratch:
        ended, stopped = running.watched(
            arguments, config,
            lambda listener: work(
                store, job, config, Path(scratch), listener, wait=not arguments.no_wait
            ),
        )  # fmt: skip
    beat = ended.beat
    if arguments.json:
        out_json(
            {
                "store": store.url, "worker": beat.worker, "complete": ended.complete,
                "shards": beat.shards, "rows": beat.rows, "saved": beat.saved,
                "fetched_bytes": beat.fetched_bytes, "elapsed_s": round(beat.elapsed_s, 3),
            }
        )  # fmt: skip
    elif not arguments.quiet:
        rows = plural(beat.rows, "row")
        out(f"{plural(beat.shards, 'shard')} committed: {rows}, {beat.saved:,} saved")
        if not ended.complete:
            out(f"other shards are open; see `pixtrawl cluster status {arguments.store}`")
    if stopped:
        return EXIT_INTERRUPTED
    if not ended.complete:
        return EXIT_SHORT
    return EXIT_OK if ended.saved_by_all else EXIT_NOTHING
