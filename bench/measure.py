"""One command measured: wall time, CPU and memory of its whole process tree, what it kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

_SAMPLE_S = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Result:
    """`cpu_s` counts user and system time of all descendants; `pss_mb` is the tree's peak."""

    contender: str
    wall_s: float
    cpu_s: float
    pss_mb: float
    exit_code: int
    right: int = 0  # files byte for byte as served
    junk: int = 0  # files that are no complete picture
    other: int = 0  # re-encoded, or unknown
    to_95_s: float | None = None  # until 95 % of what could be had was in place
    extra: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def run(
    contender: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    limit_s: float = 600,
    log: Path | None = None,
) -> tuple[Result, float]:
    """Runs it to its end. Returns the result without what was kept, and when it began."""
    began = time.time()
    env = {**os.environ, **(environment or {})}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        started = time.monotonic()
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        peak = _Peak(process.pid)
        timer = threading.Timer(limit_s, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
        timer.cancel()
        peak.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Result(contender, wall_s, cpu_s, peak.pss_mb, process.returncode), began


class _Peak:
    """Samples the proportional set size of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self.pss_mb = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLE_S):
            self.pss_mb = max(self.pss_mb, sum(map(pss_kb, tree(self._pid))) / 1024)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def tree(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def pss_kb(pid: int) -> int:
    """The proportional set size of a process; 0 where it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def cpu_s(pid: int, *, ended: bool = False) -> float:
    """Return user and system time of a process; with `ended` that of its ended children, too."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11 : 15 if ended else 13])) / _TICKS
    return 0.0


def judge(result: Result, folder: Path, began: float, good: set[str], junk: set[str]) -> None:
    """Looks at every file that was kept, in folders and in tar files, by its hash."""
    times: list[float] = []
    for sha256, when in _kept(folder):
        if sha256 in good:
            result.right += 1
            times.append(when - began)
        elif sha256 in junk:
            result.junk += 1
        else:
            result.other += 1
    wanted = int(0.95 * len(good))
    if len(times) >= wanted > 0:
        result.to_95_s = round(sorted(times)[wanted - 1], 2)


_NO_IMAGES = {".json", ".jsonl", ".parquet", ".md", ".txt", ".db", ".csv", ".aria2"}


def _kept(folder: Path) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".pixtrawl"]
        for path in (Path(root, name) for name in files if not name.startswith(".pixtrawl-")):
            if path.suffix == ".tar":
                with tarfile.open(path) as tar:
                    for member in tar:
                        if Path(member.name).suffix not in _NO_IMAGES:
                            data = tar.extractfile(member)
                            digest = hashlib.sha256(data.read() if data else b"").hexdigest()
                            found.append((digest, path.stat().st_ctime))
            elif path.suffix not in _NO_IMAGES:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found.append((digest, path.stat().st_ctime))  # a rename sets it, a look does not
    return found


def emptied(folder: Path) -> Path:
    """The folder, new and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
