"""The Python interface: run, discover, download, open, and the data set they give back.

Every function has the command line's names for its settings: `--min-size 640x480` is
`min_size="640x480"`, `--set google.base_url=...` is `settings={"google": {"base_url": ...}}`, or
`set=["google.base_url=..."]`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pixtrawl.dataset import Dataset
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, ignore
from pixtrawl.model import Candidate, Query
from pixtrawl.storage.folder import Folder

if TYPE_CHECKING:
    from pixtrawl.config.groups import Config

T = TypeVar("T")
Queries = str | Query | Iterable[str | Query]


def open(root: Path | str) -> Dataset:
    """The data set in a folder. Raises UsageError where there is none."""
    return Dataset(root)


async def run_async(
    queries: Queries, *, listener: Callable[[Event], None] = ignore, **settings: Any
) -> Dataset:
    """Finds, downloads, checks and de-duplicates images; the data set can be resumed at any time.

    Args:
        queries: words, files of queries, or `Query` values.
        listener: called with every event of `pixtrawl.events`.
        settings: the command line's options by name: `limit`, `output`, `source`, `min_size`, ...

    Raises:
        UsageError: an unknown option or source, an unreadable file.
        EnvironmentFailedError: the folder, the disk or the decoders cannot be used.
    """
    from pixtrawl.pipeline.run import run as pipeline_run

    config = _config(settings)
    report = await pipeline_run(_queries(queries, config), config, listener=listener)
    if report["interrupted"]:
        raise asyncio.CancelledError
    return Dataset(config.job.output, report)


def run(
    queries: Queries, *, listener: Callable[[Event], None] = ignore, **settings: Any
) -> Dataset:
    """`run_async` for everyone else: scripts, and notebooks whose event loop is running already."""
    return _wait(lambda: run_async(queries, listener=listener, **settings))


async def discover_async(
    queries: Queries,
    *,
    out: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> list[Candidate]:
    """Finds image URLs and downloads nothing; `out` also writes them to a manifest."""
    from pixtrawl.pipeline.discover import discover as pipeline_discover

    config = _config(settings)
    found: list[Candidate] = []
    report = await pipeline_discover(
        _queries(queries, config),
        config,
        out=Path(out) if out is not None else None,
        listener=listener,
        take=found.append,
    )
    if report["interrupted"]:
        raise asyncio.CancelledError
    return found


def discover(
    queries: Queries,
    *,
    out: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> list[Candidate]:
    """`discover_async` for everyone else."""
    return _wait(lambda: discover_async(queries, out=out, listener=listener, **settings))


async def download_async(
    manifests: Path | str | Sequence[Path | str],
    *,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> Dataset:
    """Downloads the URLs of manifests or plain lists; every one unless `limit` is given."""
    from pixtrawl.pipeline.download import download as pipeline_download

    config = _config(settings)
    names = [manifests] if isinstance(manifests, (str, Path)) else list(manifests)
    report = await pipeline_download(
        [str(name) for name in names], config, listener=listener, limit_given="limit" in settings
    )
    if report["interrupted"]:
        raise asyncio.CancelledError
    return Dataset(config.job.output, report)


def download(
    manifests: Path | str | Sequence[Path | str],
    *,
    listener: Callable[[Event], None] = ignore,
    **settings: Any,
) -> Dataset:
    """`download_async` for everyone else."""
    return _wait(lambda: download_async(manifests, listener=listener, **settings))


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
    from pixtrawl.queries import QueryDefaults, read_queries
    from pixtrawl.storage.known_queries import known_queries

    given = [queries] if isinstance(queries, (str, Query)) else list(queries)
    if not given:
        raise UsageError("there is no query")
    job = config.job
    defaults = QueryDefaults(
        limit=job.limit, label=job.label, prefix=job.prefix, suffix=job.suffix,
        filters=config.filters,
    )  # fmt: skip
    ready = [query for query in given if isinstance(query, Query)]
    words = [query for query in given if isinstance(query, str)]
    if not words:
        return ready
    taken = known_queries(Folder(job.output)) + [(query.label, query.text) for query in ready]
    return ready + read_queries(words, defaults, taken=taken)


def _wait(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine to its end, also where an event loop is running in this thread.

    Ctrl-C cancels the run, waits until the data set is in order, and raises KeyboardInterrupt.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
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

    thread = threading.Thread(target=target, name="pixtrawl")
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        started.wait()
        inner["loop"].call_soon_threadsafe(inner["task"].cancel)
        thread.join()
        raise
    if failure:
        raise failure[0]
    return result[0]
