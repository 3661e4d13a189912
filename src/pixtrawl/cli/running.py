"""Shared by `run`, `discover` and `download`: read queries, run with progress, finish."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pixtrawl.config.groups import Config
from pixtrawl.config.load import Loaded
from pixtrawl.display.screen import has_color, note, out, out_json
from pixtrawl.engines.choice import may_decode_here
from pixtrawl.events import Listener
from pixtrawl.model import Query

if TYPE_CHECKING:
    from pixtrawl.report import Report

T = TypeVar("T")


def read_queries(
    items: Sequence[str], config: Config, *, folder: str | None, quiet: bool
) -> list[Query]:
    """Return the queries of the command line, with the labels that `folder` already has for them.

    Raises:
        UsageError: with file and line.
    """
    from pixtrawl import queries
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.folder.known_queries import known_queries

    defaults = queries.QueryDefaults(
        limit=config.job.limit,
        label=config.job.label,
        prefix=config.job.prefix,
        suffix=config.job.suffix,
        filters=config.filters,
    )
    taken = known_queries(Folder(folder)) if folder is not None else []
    return queries.read_queries(items, defaults, taken=taken, notice=None if quiet else note)


def warn(loaded: Loaded, *, quiet: bool) -> None:
    """Print the warnings of loading the settings, such as misspelt variables."""
    if not quiet:
        for warning in loaded.warnings:
            note(f"warning: {warning}")


def prepare(config: Config) -> None:
    """Send the decoder program its settings if it was started early, else start it.

    It takes as long to come up as the imports that follow here, on another core. Where workers
    have decoders of their own, there is none.

    Raises:
        UsageError, MissingExtraError: the export that it is to end with cannot be.
    """
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.images.decoders import program
    from pixtrawl.pipeline import exporting

    exporting.check(config)
    if not may_decode_here(config.job.engine):
        program.abandon()
        return
    staging = Folder(config.job.output).staging
    program.prepare(config.images, staging, exporting.transform_of(config.export))


def watched(
    arguments: argparse.Namespace,
    config: Config,
    work: Callable[[Listener], Coroutine[Any, Any, T]],
) -> tuple[T, bool]:
    """Run the pipeline with the progress display, and with a log file if one was requested.

    Raises:
        UsageError: the log cannot be written.
        KeyboardInterrupt: stopped by the user before there was a report.
    """
    from pixtrawl.cli.loop import run_loop
    from pixtrawl.display.progress import progress
    from pixtrawl.display.watch import together

    with ExitStack() as stack:
        listeners: list[Listener] = []
        if arguments.log is not None:
            from pixtrawl.display.log import Log

            log = stack.enter_context(Log(Path(arguments.log), config))
            listeners.append(log)
        if arguments.metrics is not None:
            from pixtrawl.display.prometheus import RunMetrics, exposed

            metrics = RunMetrics()
            stack.enter_context(exposed(arguments.metrics, metrics.read))
            listeners.append(metrics)
        shown = stack.enter_context(
            progress(
                quiet=arguments.quiet, verbose=arguments.verbose, live=not arguments.no_progress
            )
        )
        return run_loop(work(together([*listeners, shown])), on_stop=shown.stopping)


def show_report(
    report: Report, *, where: str, as_json: bool, quiet: bool = False, shards: bool = False
) -> None:
    """Print the report on stdout: as JSON, or unless `quiet`, as the one-screen verdict."""
    if as_json:
        out_json(report.to_dict())
        return
    if quiet:
        return
    from pixtrawl.display.verdict import verdict

    out(verdict(report, where=where, shards=shards, color=has_color(sys.stdout)))


def ending(report: Report, *, strict: bool = False) -> int:
    """Return the exit code; with `strict` every URL that was not saved counts as short."""
    from pixtrawl.pipeline.report import exit_code

    return exit_code(report, strict=strict)


def shown_folder(folder: str) -> str:
    """Return the data set folder as a user would type it in a command."""
    import shlex

    return shlex.quote(str(Path(folder)))
