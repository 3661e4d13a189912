"""Number of CPU cores this process may use: by affinity, cgroup quotas, or all."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

__all__ = ["usable_cores"]

_ROOT: Final = Path("/")


@lru_cache(maxsize=1)
def usable_cores() -> int:
    """Return the cores that `taskset`, batch systems and containers leave to us; at least 1.

    A quota of part of a core counts as a whole one. Asked once: a process keeps what it was given.
    """
    return _cores(_ROOT)


def _cores(root: Path) -> int:
    allowed = _by_affinity()
    quota = _quota(root)
    return allowed if quota is None else max(1, min(allowed, -int(-quota // 1)))


def _by_affinity() -> int:
    count = getattr(os, "process_cpu_count", None)  # Python 3.13; heeds PYTHON_CPU_COUNT, too
    if count is not None:
        return count() or 1
    if hasattr(os, "sched_getaffinity"):
        with suppress(OSError):
            return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _quota(root: Path) -> float | None:
    """Return the smallest quota of this process's cgroups, in cores; None without one.

    A group can give no more than those above it, so each up to the root is asked.
    """
    least: float | None = None
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            base, read = root / "sys/fs/cgroup", _quota_of_v2
        elif "cpu" in controllers.split(","):
            base, read = root / "sys/fs/cgroup" / controllers, _quota_of_v1
            base = base if base.is_dir() else root / "sys/fs/cgroup/cpu"
        else:
            continue
        # Inside a container the path is often the host's: then the mount itself is the group.
        parts = [part for part in path.split("/") if part not in {"", ".."}]
        for depth in range(len(parts), -1, -1):
            quota = read(base.joinpath(*parts[:depth]))
            if quota is not None and (least is None or quota < least):
                least = quota
    return least


def _quota_of_v2(group: Path) -> float | None:
    quota, _, period = _text(group / "cpu.max").strip().partition(" ")
    return _ratio(quota, period or "100000")


def _quota_of_v1(group: Path) -> float | None:
    return _ratio(_text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float | None:
    """Return quota / period; None for `max`, -1 and anything that is not a number."""
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def _text(path: Path) -> str:
    """Read a small system file; empty where it does not exist."""
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
