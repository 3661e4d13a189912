"""`pixtrawl download` into a set of shards: `--engine ray`, or a URL as the output."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pixtrawl.cluster.job.description import JobDescription
    from pixtrawl.cluster.store import Store
    from pixtrawl.config.groups import Config
    from pixtrawl.config.load import Loaded

__all__ = ["download_shards", "prepared"]

_OF_THE_MACHINE: Final = frozenset(
    {
        "fetch.concurrency", "fetch.limit_rate_bytes_s", "fetch.proxy", "fetch.cookies",
        "images.decoders", "job.output", "job.engine", "job.workers",
    }
)  # fmt: skip
_OF_A_FOLDER: Final = frozenset(
    {"images.dedup", "images.conflict", "images.turned", "job.caption", "job.durability"}
)


def prepared(  # noqa: PLR0913 - the options of `prepare`
    manifests: Sequence[str],
    output: str,
    loaded: Loaded,
    notices: list[str],
    *,
    shard_rows: int | None = None,
    lease_s: float | None = None,
    scratch: Path | None = None,
) -> tuple[Store, JobDescription]:
    """Prepare a job; `notices` gets sentences for the user. Raise UsageError or StorageError."""
    from pixtrawl.cluster.job.keys import LEASE_S, job_settings
    from pixtrawl.cluster.job.submit import submit
    from pixtrawl.config.load import DEFAULT_ORIGIN

    origins = loaded.origins
    keys = [key for key in job_settings() if origins.get(key, DEFAULT_ORIGIN) != DEFAULT_ORIGIN]
    return submit(
        manifests, output, loaded.config, keys, notices, shard_rows=shard_rows,
        lease_s=lease_s or LEASE_S, scratch=scratch,
    )  # fmt: skip


def download_shards(arguments: argparse.Namespace, loaded: Loaded, *, limit_given: bool) -> int:
    """Prepare the job and carry it out here, or on Ray. Return the exit code."""
    import dataclasses

    from pixtrawl.amounts import plural
    from pixtrawl.cluster.upkeep import status
    from pixtrawl.display.screen import note, out, out_json
    from pixtrawl.errors import EXIT_INTERRUPTED, EXIT_NOTHING, EXIT_OK, EXIT_SHORT, UsageError

    config = loaded.config
    if config.job.engine == "processes":
        raise UsageError(
            f"--engine processes fills a folder; into a set of shards start several workers: "
            f"`pixtrawl cluster prepare MANIFEST -o {config.job.output}`, then "
            f"`pixtrawl worker {config.job.output}` as often as you like"
        )
    if limit_given:
        raise UsageError("a set of shards has no -n: every row is fetched; shorten the manifest")
    if config.job.engine != "ray" and arguments.address is not None:
        raise UsageError("--address is for --engine ray")
    _refuse_others(loaded)
    notices: list[str] = []
    store, job = prepared(arguments.manifests, config.job.output, loaded, notices)
    for text in notices if not arguments.quiet else ():
        note(text)
    config = dataclasses.replace(config, export=dataclasses.replace(config.export, to=job.to))
    complete, stopped = _carried_out(arguments, store, job, config)
    found = status(store, job)
    if arguments.json:
        totals = {"shards": found.committed, "rows": found.settled, "saved": found.saved}
        out_json({"store": store.url, "complete": complete, **totals, "reasons": found.reasons})
    elif not arguments.quiet:
        done = f"{found.committed:,} of {plural(found.shards, 'shard')} committed"
        out(f"{done}: {found.saved:,} of {plural(found.rows, 'row')} saved in {store.url}")
    if stopped or not complete:
        return EXIT_INTERRUPTED if stopped else EXIT_SHORT
    strictly = arguments.strict and found.saved < found.rows
    return EXIT_NOTHING if not found.saved else EXIT_SHORT if strictly else EXIT_OK


def _refuse_others(loaded: Loaded) -> None:
    """Raise UsageError for an option that would do nothing."""
    from pixtrawl.cluster.job.keys import job_settings
    from pixtrawl.config.load import COMMAND_LINE
    from pixtrawl.errors import UsageError

    known = job_settings() | _OF_THE_MACHINE
    for key, origin in loaded.origins.items():
        if key in known or not origin.startswith(f"{COMMAND_LINE} "):
            continue
        option = origin.removeprefix(f"{COMMAND_LINE} ")
        hint = "; `pixtrawl cluster collect` has it" if key in _OF_A_FOLDER else ""
        raise UsageError(f"{option} has no meaning for a set of shards{hint}")


def _carried_out(
    arguments: argparse.Namespace, store: Store, job: JobDescription, config: Config
) -> tuple[bool, bool]:
    """Return whether the job is complete, and whether the user has stopped it."""
    from pixtrawl.cli import running

    if config.job.engine == "ray":
        from pixtrawl.cluster.workers.ray_workers import run_on_ray

        return running.watched(
            arguments, config,
            lambda listener: run_on_ray(store, job, config, listener, address=arguments.address),
        )  # fmt: skip
    from pixtrawl.cluster.workers.program import work

    with tempfile.TemporaryDirectory(
        prefix="pixtrawl-worker-", ignore_cleanup_errors=True
    ) as scratch:
        ended, stopped = running.watched(
            arguments, config, lambda listener: work(store, job, config, Path(scratch), listener)
        )
    return ended.complete, stopped
