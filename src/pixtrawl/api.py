"""The Python interface: run, discover, download, open, and the data set they give back.

Every function has the command line's names for its settings: `--min-size 640x480` is
`min_size="640x480"`, `--set google.base_url=...` is `settings={"google": {"base_url": ...}}`, or
`set=["google.base_url=..."]`.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pixtrawl.dataset import Dataset
from pixtrawl.dataset.listing import Listing
from pixtrawl.display.watch import Watch
from pixtrawl.errors import (
    EXIT_OK,
    PixtrawlError,
    ShortWarning,
    StoppedError,
    innermost,
)
from pixtrawl.events import Event, ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Candidate, Query

if TYPE_CHECKING:
    from pixtrawl.config.groups import Config

_LOOK_S: Final = 0.5
_STOPPED: Final = "the data set is in order; the same call goes on where it stopped"

T = TypeVar("T")
# Words, numbers, paths, dicts, tables of pandas, polars and pyarrow: `pixtrawl.inputs` reads them.
Queries = str | Query | Path | Iterable[Any]
Lists = str | Path | Iterable[Any]


def open(root: Path | str) -> Dataset:
    """The data set in a folder. Raises UsageError where there is none."""
    return Dataset(root)


async def run_async(
    queries: Queries,
    *,
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> Dataset:
    """Finds, downloads, checks and de-duplicates images; the data set can be resumed at any time.

    Args:
        queries: words, numbers, files of queries, `Query` values, rows such as
            `{"query": "cat", "label": "pets", "limit": 50}`, `{"cat": 50}`, a data frame.
        progress: whether to show it, and the verdict at the end: in a notebook in place, in a
            terminal as live lines, else as a line now and then. None: where a person looks on,
            which is in a notebook and where stderr is a terminal.
        log: a file to add a line to for each event, with its time.
        listener: called with every event of `pixtrawl.events`.
        settings: the command line's options by name: `limit`, `output`, `source`, `min_size`, ...

    Returns:
        The images of these queries, with the report of this run; `pixtrawl.open(folder)` has all
        that the folder holds. Where less came than was asked for, a `ShortWarning` says so.

    Raises:
        UsageError: an unknown option or source, an unreadable file.
        EnvironmentFailedError: the folder, the disk or the decoders cannot be used.
    """
    result = await _run(queries, Watch(progress, log, listener), settings)
    _warn(result.report)
    return result


def run(
    queries: Queries,
    *,
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> Dataset:
    """`run_async` for everyone else: scripts, and notebooks whose event loop is running already."""
    result = _wait(lambda: _run(queries, Watch(progress, log, listener), settings))
    _warn(result.report)
    return result


async def _run(queries: Queries, watch: Watch, settings: Mapping[str, Any]) -> Dataset:
    from pixtrawl.pipeline.feeders.run import run as pipeline_run

    config = _config(settings)
    with watch.over(config) as listener, _plainly():
        report = await pipeline_run(_queries(queries, config), config, listener=listener)
    return _result(config, report)


def _result(config: Config, report: Mapping[str, Any]) -> Dataset:
    if report["interrupted"]:
        raise asyncio.CancelledError
    return Dataset(config.job.output, report, query_ids=[one["id"] for one in report["queries"]])


async def discover_async(
    queries: Queries,
    *,
    out: Path | str | None = None,
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> list[Candidate]:
    """Finds image URLs and downloads nothing; `out` also writes them to a manifest.

    `progress`, `log` and `listener` are those of `run_async`. Warns where it found less than asked.
    """
    watch = Watch(progress, log, listener, things="URLs")
    found, report = await _discover(queries, out, watch, settings)
    _warn(report, "URLs")
    return found


def discover(
    queries: Queries,
    *,
    out: Path | str | None = None,
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> list[Candidate]:
    """`discover_async` for everyone else."""
    found, report = _wait(
        lambda: _discover(queries, out, Watch(progress, log, listener, things="URLs"), settings)
    )
    _warn(report, "URLs")
    return found


async def _discover(
    queries: Queries,
    out: Path | str | None,
    watch: Watch,
    settings: Mapping[str, Any],
) -> tuple[list[Candidate], Mapping[str, Any]]:
    from pixtrawl.pipeline.feeders.discover import discover as pipeline_discover

    config = _config(settings)
    found: Listing[Candidate] = Listing()
    with watch.over(config) as listener, _plainly():
        report = await pipeline_discover(
            _queries(queries, config),
            config,
            out=Path(out) if out is not None else None,
            listener=listener,
            take=found.append,
        )
    if report["interrupted"]:
        raise asyncio.CancelledError
    return found, report


async def download_async(
    manifests: Lists,
    *,
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> Dataset:
    """Downloads URLs; every one unless `limit` is given.

    `progress`, `log` and `listener` are those of `run_async`, and so is what it returns and raises.

    `manifests` are files, URLs, what `discover` gave back, rows with a `url`, `{"cat": [URL, ...]}`
    or a data frame; columns of their own are kept, and `url_column="photo"` says which one it is.

    Raises:
        UsageError: a value that is no list, a list that cannot be read, an unknown option.
    """
    result = await _download(manifests, Watch(progress, log, listener), settings)
    _warn(result.report)
    return result


def download(
    manifests: Lists,
    *,
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> Dataset:
    """`download_async` for everyone else."""
    result = _wait(lambda: _download(manifests, Watch(progress, log, listener), settings))
    _warn(result.report)
    return result


async def _download(
    manifests: Lists,
    watch: Watch,
    settings: Mapping[str, Any],
) -> Dataset:
    from pixtrawl.inputs import lists_of
    from pixtrawl.pipeline.feeders.download import download as pipeline_download

    config = _config(settings)
    lists = lists_of(manifests)
    with watch.over(config) as listener, _plainly():
        report = await pipeline_download(
            lists, config, listener=listener, limit_given="limit" in settings
        )
    return _result(config, report)


def _warn(report: Mapping[str, Any], things: str = "images") -> None:
    """Warns at the caller's caller, the user's line, where the report is one of less than asked."""
    from pixtrawl.pipeline.report import exit_code

    if exit_code(report) != EXIT_OK:
        from pixtrawl.display.verdict import shortfall

        more = "" if things == "URLs" else " (ds.verdict tells all)"
        warnings.warn(f"{shortfall(report, things)}{more}", ShortWarning, stacklevel=3)


@contextmanager
def _plainly() -> Iterator[None]:
    """The one error of ours that a group of tasks ended with, without the group around it."""
    try:
        yield
    except BaseExceptionGroup as group:
        inner = innermost(group)
        if isinstance(inner, PixtrawlError):
            raise inner from None
        raise


def _config(settings: Mapping[str, Any]) -> Config:
    """Defaults < user file < environment < `settings`. Raises UsageError."""
    import os

    from pixtrawl import sources
    from pixtrawl.config.load import KnownSources, load

    given: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else value for name, value in settings.items()
    }
    given["set"] = [*_pairs(given.pop("set", ())), *_pairs(given.pop("settings", ()))]
    known = KnownSources(
        sources.available(), lambda name: [s.key for s in sources.load(name).info.settings]
    )
    return load(given, environ=os.environ, known=known, place="argument").config


def _pairs(settings: Mapping[str, Any] | Iterable[str] | str) -> Iterator[str]:
    """`--set` words from {"bing": {"delay_s": 2}}, {"bing.delay_s": 2} or ["bing.delay_s=2"]."""
    if not isinstance(settings, Mapping):
        yield from (settings,) if isinstance(settings, str) else settings
        return
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{key}={inner}" for key, inner in value.items())
        else:
            yield f"{name}={value}"


def _queries(queries: Queries, config: Config) -> list[Query]:
    from pixtrawl.folder.known_queries import known_queries
    from pixtrawl.inputs import queries_of
    from pixtrawl.queries import QueryDefaults, read_queries

    given = queries_of(queries)
    job = config.job
    defaults = QueryDefaults(
        limit=job.limit, label=job.label, prefix=job.prefix, suffix=job.suffix,
        filters=config.filters,
    )  # fmt: skip
    ready = [query for query in given if isinstance(query, Query)]
    words = [query for query in given if not isinstance(query, Query)]
    if not words:
        return ready
    taken = known_queries(Folder(job.output)) + [(query.label, query.text) for query in ready]
    return ready + read_queries(words, defaults, taken=taken)


def _wait(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine to its end, also where an event loop is running in this thread.

    Ctrl-C cancels the run, waits until the data set is in order, and raises StoppedError, a
    KeyboardInterrupt.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        return _wait_beside(make)
    try:
        return asyncio.run(make())
    except KeyboardInterrupt:
        raise StoppedError(_STOPPED) from None


def _wait_beside(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """In a thread of its own: this one's event loop is busy with the caller."""
    result: list[T] = []
    failure: list[BaseException] = []
    started = threading.Event()
    inner: dict[str, Any] = {}

    async def main() -> None:
        inner["loop"], inner["task"] = asyncio.get_running_loop(), asyncio.current_task()
        started.set()
        result.append(await make())

    def target() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)

    # With the caller's context, by which a notebook knows whose cell an output belongs to.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(target,), name="pixtrawl")
    thread.start()
    try:
        while thread.is_alive():  # in pieces: on Windows nothing interrupts a wait
            thread.join(_LOOK_S)
    except KeyboardInterrupt:
        started.wait()
        with suppress(RuntimeError):  # its loop is closed: it has just ended by itself
            inner["loop"].call_soon_threadsafe(inner["task"].cancel)
        thread.join()
        raise StoppedError(_STOPPED) from None
    if failure:
        raise failure[0]
    return result[0]
