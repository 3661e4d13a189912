"""The settings that a job has, and its usual sizes; light, as the command line needs it at once."""

from __future__ import annotations

from typing import Final

__all__ = ["LEASE_S", "SHARD_ROWS", "job_settings"]

SHARD_ROWS: Final = 1_000
LEASE_S: Final = 45.0
_GROUPS: Final = ("images", "politeness", "fetch", "lists", "export")
# Of the machine, secret, or without a meaning for a job.
_NOT_OF_A_JOB: Final = frozenset(
    {
        "fetch.concurrency", "fetch.limit_rate_bytes_s", "fetch.proxy", "fetch.cookies",
        "images.decoders", "images.dedup", "images.conflict", "images.turned",
        "export.export_to", "export.split", "export.formulas",
    }
)  # fmt: skip


def job_settings() -> frozenset[str]:
    """Return the settings of a job: those that decide what is kept and how hosts are asked."""
    from pixtrawl.config.table import by_key

    starts = tuple(f"{group}." for group in _GROUPS)
    found = {key for key in by_key() if key.startswith(starts)} - _NOT_OF_A_JOB
    return frozenset(found | {"job.label", "filters.license", "filters.aspect"})
