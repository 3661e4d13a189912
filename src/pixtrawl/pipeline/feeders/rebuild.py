"""Rebuilds a data set from its lock file and reports how far the web has drifted from it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pixtrawl.catalog import outcomes, queries, run_log, samples
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.outcomes import ImageOfCandidate
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.config.groups import Config
from pixtrawl.errors import (
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_OK,
    EXIT_SHORT,
    StorageError,
    UsageError,
)
from pixtrawl.events import Event, RunStarted, ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.recovery.by_hand import ByHand
from pixtrawl.folder.recovery.catch_up import catch_up
from pixtrawl.manifests.recipe import RecipeImage, read_recipe, recipe_lines
from pixtrawl.model import Filters, Query, Reason
from pixtrawl.pipeline.lifecycle import run_to_report
from pixtrawl.pipeline.run_input import DownloadInput
from pixtrawl.pipeline.session import Session
from pixtrawl.urls import canonical

__all__ = ["exit_code", "rebuild", "write_lock"]

OK: Final = "ok"
MOVED: Final = "moved"  # the same bytes, but another final URL
CHANGED: Final = "changed"  # other bytes under the URL; kept if they show the same picture
GONE: Final = "gone"
_STATES: Final = (OK, MOVED, CHANGED, GONE)
_BATCH: Final = 1000  # candidates per transaction


def write_lock(
    root: Path | str,
    write: Callable[[str], object],
    notify: Callable[[ByHand], None] = lambda _: None,
) -> int:
    """Pass the lock file of a data set to `write` line by line. Return the number of images.

    Changes by hand are passed to `notify`.

    Raise UsageError where there is no data set, StorageError where its catalog cannot be read.
    """
    folder = Folder(root)
    missing = catch_up(folder, notify=notify).missing
    with closing(connect(folder.catalog, read_only=True)) as db:
        try:
            filters = queries.filters_of_kept(db)
            kept = samples.read(db, folder.root, without=missing)
            for line in recipe_lines(
                run_log.last_settings(db),
                [(one.text, one.label, one.filters) for one in queries.asked_or_filed(db)],
                ((sample, filters(sample.id)) for sample in kept),
                scores.models(db),
            ):
                write(line)
            count = samples.count(db)
        except sqlite3.Error as error:
            raise StorageError(f"cannot read the catalog {folder.catalog}: {error}") from error
    return count - len(missing)


async def rebuild(
    lock_file: Path, config: Config, *, listener: Callable[[Event], None] = ignore
) -> dict[str, Any]:
    """Fetch every image of a lock file into `config.job.output`, under its own number.

    Filters and de-duplication are off: images are only compared with what the lock file says of
    them. Cancelling it ends gracefully, and the same command resumes it.

    Return the drift report: `totals` by state, and a row for each image that is not `ok`.

    Raises:
        UsageError: no lock file, or one without images.
        StorageError, EngineError: as `run`.
    """
    lock = read_recipe(lock_file)
    if not lock.images:
        raise UsageError(f"{lock_file}: names no image")
    images = replace(
        config.images, junk="keep", conflict="keep", dedup="off", min_size=None,
        allow_thumbnails=True,
    )  # fmt: skip
    config = replace(config, images=images, filters=Filters())
    folder = Folder(config.job.output, durable=config.job.durability == "batch")
    groups: dict[Query, list[RecipeImage]] = {}
    for one in lock.images:
        groups.setdefault(one.query, []).append(one)

    async def body(current: Session) -> None:
        run_id = current.input.run_id
        await current.catalog.write(
            lambda db: run_log.change_settings(db, run_id, lock.deciding_settings)
        )
        listener(RunStarted((), {}))
        await current.carry_out(_fill(current.input, groups))

    expected = sum(map(len, groups.values()))
    report = await run_to_report(config, folder, listener, body, expected=expected)
    with closing(connect(folder.catalog, read_only=True)) as db:
        rows = list(_drift(db, groups))
    counts = Counter(row["state"] for row in rows)
    return {
        "output": folder.shown,
        "lock": str(lock_file),
        "images": len(rows),
        "totals": {state: counts[state] for state in _STATES},
        "kept": sum(row["kept"] for row in rows),
        "drift": [row for row in rows if row["state"] != OK],
        "interrupted": report.interrupted,
        "elapsed_s": report.elapsed_s,
    }


async def _fill(run_input: DownloadInput, groups: dict[Query, list[RecipeImage]]) -> None:
    for query, images in groups.items():
        joined = await run_input.add_query(query)
        run_input.expect_locked(joined.row.id, images)
        for start in range(0, len(images), _BATCH):
            await joined.add([one.candidate for one in images[start : start + _BATCH]])


def _drift(
    db: sqlite3.Connection, groups: dict[Query, list[RecipeImage]]
) -> Iterator[dict[str, Any]]:
    for query, images in groups.items():
        query_id = queries.id_of(db, query)
        assert query_id is not None  # it was just filled
        yield from (
            _state(outcomes.image_of(db, query_id, one.candidate.url), one) for one in images
        )


def _state(found: ImageOfCandidate | None, locked: RecipeImage) -> dict[str, Any]:
    """Return the row of the drift report for one image."""
    found = found or ImageOfCandidate(None, None, None, "", None)
    url = locked.candidate.url
    row: dict[str, Any] = {"label": locked.candidate.label, "number": locked.number, "url": url}
    row["kept"] = found.file_name is not None
    if found.reason is Reason.CHANGED:
        return {**row, "state": CHANGED, "same_look": False}
    if found.file_name is None:
        reason = found.reason or Reason.INTERRUPTED
        return {**row, "state": GONE, "reason": reason.value}
    row["file_name"] = found.file_name
    if found.sha256 != locked.sha256:
        return {**row, "state": CHANGED, "same_look": True, "detail": found.detail}
    if canonical(found.final_url or url) != canonical(locked.final_url):
        return {**row, "state": MOVED, "final_url": found.final_url}
    return {**row, "state": OK}


def exit_code(report: dict[str, Any]) -> int:
    """Return 0 if every picture was kept, even with other bytes; else the code as for `run`."""
    if report["interrupted"]:
        return EXIT_INTERRUPTED
    if not report["kept"]:
        return EXIT_NOTHING
    return EXIT_OK if report["kept"] == report["images"] else EXIT_SHORT
