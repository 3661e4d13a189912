"""Ray nodes of this machine at loopback addresses of their own, each killed in part or whole.

Nodes are started by `ray start --block`, whose descendants are the node. Only these are ever ended,
by their ids; another Ray of the machine is left alone.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.measure import tree
from bench.servers import free_port, held

_HEAD: Final = "127.0.0.2"
_OBJECTS_BYTES: Final = 80 * 2**20  # Ray's least is 75 MB
_START_S: Final = 300.0
_TRIES: Final = 3
SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # it ends workers by the memory of the whole machine
    "RAY_enable_worker_prestart": "0",
    "RAY_worker_niceness": "0",  # else 15: beside other work a worker would hardly run at all
    # A busy machine needs longer than Ray's 10 to 30 s.
    "RAY_agent_register_timeout_ms": "240000",
    "RAY_raylet_start_wait_time_s": "240",
    "RAY_worker_register_timeout_seconds": "240",
}


class RayNode:
    """One node: `ray start --block` and its descendants."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.process = process
        self.address = address
        self._known: set[int] = set()

    def pids(self) -> set[int]:
        """Return every process that the node ever had and that is still there."""
        self._known.update(tree(self.process.pid))
        self._known = {pid for pid in self._known if _is_running(pid)}
        return set(self._known)

    def raylet(self) -> int:
        """Return the id of its raylet."""
        return next(pid for pid in self.pids() if _name_of(pid) == "raylet")

    def kill(self) -> None:
        """Kill everything of the node at once, as a lost machine would."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


class RayNodes:
    """A cluster whose head and workers are nodes at 127.0.0.2, .3, ... while inside the block."""

    def __init__(self, work: Path, count: int, cores: int = 2) -> None:
        """`work` must have a short path: Ray's sockets lie below it."""
        self._work = work
        self._count = count
        self._cores = cores
        self._port = free_port()
        # It keeps bytecode: without that each process compiles Ray. Drivers need the token, too.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.environment = kept | SETTINGS | token
        self._all: list[RayNode] = []
        self.nodes: list[RayNode] = []  # the head first

    @property
    def address(self) -> str:
        """The address of the head, for `--address`."""
        return f"{_HEAD}:{self._port}"

    def __enter__(self) -> Self:
        try:
            self.start_head()
            for number in range(1, self._count):
                at = f"127.0.0.{2 + number}"
                self.nodes.append(self._start(at, ["--address", self.address]))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._end()

    def start_head(self) -> None:
        """Start the head, or start it again by the same command."""
        node = self._start(
            _HEAD, ["--head", "--port", str(self._port), "--include-dashboard", "false",
                    "--temp-dir", str(self._work)],
        )  # fmt: skip
        self.nodes[:1] = [node]

    def _start(self, address: str, words: list[str]) -> RayNode:
        command = held([
            sys.executable, "-m", "ray.scripts.scripts", "start", "--block",
            "--node-ip-address", address, "--num-cpus", str(self._cores),
            "--object-store-memory", str(_OBJECTS_BYTES), *words,
        ])  # fmt: skip
        log = self._work / f"{address}.log"
        for _ in range(_TRIES):
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, stdout=output, stderr=subprocess.STDOUT, env=self.environment
                )
            node = RayNode(process, address)
            self._all.append(node)
            until = time.monotonic() + _START_S
            while time.monotonic() < until and process.poll() is None:
                node.pids()
                if b"Ray runtime started" in log.read_bytes():
                    return node
                time.sleep(0.1)
            node.kill()
        raise RuntimeError(f"no Ray node starts at {address}: {log}")

    def _end(self) -> None:
        for node in reversed(self._all):
            node.kill()


def _name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
