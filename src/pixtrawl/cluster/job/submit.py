"""From settings and manifests to a job in its store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pixtrawl.cluster.job.description import FORMATS, JobDescription, has_job, read_job
from pixtrawl.cluster.job.keys import LEASE_S, SHARD_ROWS, job_settings
from pixtrawl.cluster.job.prepare import prepare
from pixtrawl.cluster.store import Store
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError

__all__ = ["given_of", "submit"]


def given_of(config: Config) -> list[str]:
    """Return the settings of a job that differ from the defaults."""
    ours, usual = _builtins(config), _builtins(Config())
    pairs = ((key, *key.split(".", 1)) for key in sorted(job_settings()))
    return [key for key, group, name in pairs if ours[group][name] != usual[group][name]]


def submit(  # noqa: PLR0913 - the options of `cluster prepare`
    manifests: Sequence[str],
    output: str,
    config: Config,
    given: Collection[str],
    notices: list[str],
    *,
    shard_rows: int | None = None,
    lease_s: float = LEASE_S,
    scratch: Path | None = None,
) -> tuple[Store, JobDescription]:
    """Prepare a job with the settings of these keys; `notices` gets sentences for the user.

    Without `shard_rows` a job that is there keeps its own. Raise UsageError or StorageError.
    """
    to = _format_of(config)
    store = Store(output)
    if not store.probe():
        notices.append(
            "the store writes over objects that it was asked not to: one worker at a time"
        )
    if shard_rows is None:
        shard_rows = read_job(store).shard_rows if has_job(store) else SHARD_ROWS
    job = prepare(
        manifests, store, to=to, settings=_plain(config, given, to), label=config.job.label,
        lists=config.lists, shard_rows=shard_rows, lease_s=lease_s,
        scratch=scratch, notify=notices.append,
    )  # fmt: skip
    return store, job


def _format_of(config: Config) -> str:
    to = config.export.to or FORMATS[0]
    if to not in FORMATS:
        raise UsageError(f"--to {to}: a set of shards is {' or '.join(FORMATS)}; export it later")
    return to


def _plain(config: Config, keys: Collection[str], to: str) -> dict[str, Any]:
    """Return settings as values that `load` takes, without those of reading the manifests."""
    plain = _builtins(config)
    found: dict[str, Any] = {}
    for key in sorted(set(keys)):
        group, _, name = key.partition(".")
        if group not in {"lists", "job"}:
            found[key] = plain[group][name]
    found["export.to"] = to
    return found


def _builtins(config: Config) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(config, enc_hook=str)
    return plain
