"""`pixtrawl.download` into a set of shards: its output is a URL, or its engine is Ray."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pixtrawl.api.arguments import Lists
from pixtrawl.cluster.job.keys import job_settings
from pixtrawl.cluster.job.submit import given_of, submit
from pixtrawl.config.groups import Config
from pixtrawl.config.table import by_word
from pixtrawl.dataset import Dataset
from pixtrawl.display.watch import Watch
from pixtrawl.errors import UsageError
from pixtrawl.events import Listener, Notice
from pixtrawl.model import Candidate
from pixtrawl.pipeline.lists import Given

__all__ = ["download_into_store"]

_OF_THE_MACHINE: Final = frozenset(
    {
        "fetch.concurrency", "fetch.limit_rate_bytes_s", "fetch.proxy", "fetch.cookies",
        "images.decoders", "job.output", "job.engine", "job.workers",
    }
)  # fmt: skip


async def download_into_store(
    manifests: Lists, config: Config, watch: Watch, settings: Mapping[str, Any]
) -> Dataset:
    """Prepare the job and carry it out here, or on Ray.

    Raises:
        UsageError: an argument that has no meaning for a set of shards.
        CancelledError: it was interrupted; the same call goes on.
    """
    from pixtrawl.inputs import lists_of

    _refuse_others(config, settings)
    lists = lists_of(manifests)
    with (
        watch.over(config) as listener,
        tempfile.TemporaryDirectory(
            prefix="pixtrawl-worker-", ignore_cleanup_errors=True
        ) as scratch,
    ):
        files = await asyncio.to_thread(_as_files, lists, Path(scratch))
        complete = await _carried_out(files, config, listener, Path(scratch))
    if not complete:
        raise asyncio.CancelledError
    return Dataset(config.job.output)


async def _carried_out(files: list[str], config: Config, listener: Listener, scratch: Path) -> bool:
    import dataclasses

    notices: list[str] = []
    store, job = await asyncio.to_thread(
        submit, files, config.job.output, config, given_of(config), notices
    )
    for text in notices:
        listener(Notice(text))
    config = dataclasses.replace(config, export=dataclasses.replace(config.export, to=job.to))
    if config.job.engine == "ray":
        from pixtrawl.cluster.workers.ray_workers import run_on_ray

        return await run_on_ray(store, job, config, listener)
    from pixtrawl.cluster.workers.program import work

    own = scratch / "worker"
    own.mkdir()
    return (await work(store, job, config, own, listener)).complete


def _refuse_others(config: Config, settings: Mapping[str, Any]) -> None:
    """Raise UsageError for an argument that would do nothing."""
    if settings.get("limit") is not None:
        raise UsageError("a set of shards has no limit: every row is fetched; shorten the list")
    if config.job.engine == "processes":
        raise UsageError(
            "engine='processes' fills a folder; into a set of shards start several workers: "
            f"`pixtrawl worker {config.job.output}` as often as you like"
        )
    known = job_settings() | _OF_THE_MACHINE
    usual = {row.word: row.default for row in by_word().values()}
    for word, value in settings.items():
        row = by_word().get(word)
        if row is None or row.key in known or value is None or value == usual[word]:
            continue
        raise UsageError(f"{word} has no meaning for a set of shards; leave it out")


def _as_files(lists: Iterable[str | Given], folder: Path) -> list[str]:
    """Return the lists as files; rows that are in memory are written to one."""
    found: list[str] = []
    for number, one in enumerate(lists):
        if isinstance(one, str):
            found.append(one)
            continue
        path = folder / f"{one.name}-{number}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(_row(item), default=str) + "\n" for item in one.items)
        found.append(str(path))
    return found


def _row(item: Any) -> Mapping[str, Any]:
    if isinstance(item, str):
        return {"url": item}
    if isinstance(item, Candidate):
        names = ("url", "query", "label", "source", "rank", "page_url", "title", "license",
                 "license_url", "creator")  # fmt: skip
        own = {name: getattr(item, name) for name in names}
        return {**item.own, **{name: value for name, value in own.items() if value is not None}}
    found: Mapping[str, Any] = item
    return found
