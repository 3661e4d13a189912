"""A job whose workers are frozen and killed in every way, judged by the server's log.

    python -m bench.cluster_kills --rows 3000              # three Ray nodes at loopback addresses
    python -m bench.cluster_kills --rows 20000 --transport shell      # three plain workers

In turn: a worker is frozen for 20 s and let go; the raylet of a node alone is killed (Ray), or a
worker; a whole node with all its processes, or another worker; the head, with the driver if that
does not end by itself, and both are started again by the same commands. Nothing that was killed
comes back otherwise. Exit code 1 where a row is lost or doubled, a picture has other bytes, a host
was asked faster than by one holder, the frozen worker asked for what it had lost, or an orphan is
left.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bench.kills_judge import LoggedWeb, allowed_in_window, judge_set, most_in_window, ports_of
from bench.measure import tree
from bench.ray_nodes import RayNodes
from bench.small_web import make, path_of
from pixtrawl.cluster.job.description import read_job
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import JobStatus, status

FROZEN_S: Final = 20.0
_AFTER_S: Final = 2.0  # after the thaw: the zombie's requests are counted
_LOOK_S: Final = 0.5
_OPTIONS: Final = (
    "--allow-address", "127.0.0.0/8", "--min-size", "16", "--junk", "keep", "--per-host", "1",
)  # fmt: skip


class Job:
    """The job's list, store and server."""

    def __init__(self, arguments: argparse.Namespace, work: Path, web: LoggedWeb) -> None:
        self.web = web
        self.store_path = work / "set"
        self.list = work / "urls.csv"
        self.delay_s: float = arguments.delay
        self.lease_s: float = arguments.lease
        self.rows: int = arguments.rows
        self.began = time.time()
        self.events: list[str] = []
        hosts = [f"127.9.{n // 200}.{n % 200 + 1}" for n in range(arguments.hosts)]
        self.urls = {
            f"http://{hosts[n % len(hosts)]}:{web.http}/{path_of(n)}" for n in range(self.rows)
        }
        self.list.write_text("\n".join(["url", *sorted(self.urls), ""]))
        self._call(
            "cluster", "prepare", str(self.list), "-o", str(self.store_path), "-q", "--lease",
            str(self.lease_s), "--shard-rows", str(arguments.shard_rows), *self._settings(),
        )  # fmt: skip
        self.store = Store(str(self.store_path))
        self.job = read_job(self.store)
        self.note(f"{self.job.shards} shards")

    def _settings(self) -> list[str]:
        return ["--delay", str(self.delay_s), *_OPTIONS]

    def _call(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "pixtrawl", *words], check=True)

    def note(self, text: str) -> None:
        """Say what happens, with the seconds since the beginning."""
        line = f"{time.time() - self.began:6.1f} s  {text}"
        self.events.append(line)
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def status(self) -> JobStatus:
        return status(self.store, self.job)

    def driver(self, cluster: RayNodes) -> subprocess.Popen[bytes]:
        """Start `download --engine ray`."""
        address = cluster.address
        return self._popen(
            cluster.environment,
            "download", str(self.list), "-o", str(self.store_path), "--engine", "ray",
            "--address", address, "--no-progress", "--set", "job.workers=3", *self._settings(),
        )  # fmt: skip

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a plain worker."""
        return self._popen(None, "worker", str(self.store_path), "-q", "--set", "images.decoders=1")

    def _popen(self, env: dict[str, str] | None, *words: str) -> subprocess.Popen[bytes]:
        with (self.store_path.parent / "workers.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "pixtrawl", *words], stdout=log, stderr=log, env=env
            )

    def wait_until(self, share: float, alive: Callable[[], bool]) -> None:
        """Wait until this share of the rows was asked for."""
        while len(self.web.requests()) < share * self.rows:
            if not alive():
                raise RuntimeError("the job has ended before it was killed: take more rows")
            time.sleep(_LOOK_S)

    def freeze(self, pid: int) -> dict[str, Any]:
        """Stop a worker for 20 s; return what it asked right after it was let go."""
        os.kill(pid, signal.SIGSTOP)
        frozen_at, ports = time.time(), ports_of(pid)
        self.note(f"worker {pid} is frozen, with {len(ports)} connections")
        time.sleep(FROZEN_S)
        thawed_at = time.time()
        os.kill(pid, signal.SIGCONT)
        while time.time() < thawed_at + _AFTER_S:
            ports |= ports_of(pid)
            time.sleep(0.02)
        requests = self.web.requests()
        after = thawed_at + _AFTER_S
        soon = [r for r in requests if r.port in ports and thawed_at < r.at < after]
        lost_at = frozen_at + self.lease_s
        others = {r.host for r in requests if r.port not in ports and lost_at < r.at < thawed_at}
        taken = [r for r in soon if r.host in others]
        self.note(
            f"worker {pid} goes on: {len(soon)} requests in {_AFTER_S:.0f} s, "
            f"{len(taken)} of them to hosts that others have had"
        )
        return {"zombie_requests": len(soon), "zombie_requests_to_taken_hosts": len(taken)}

    def worker_below(self, pids: set[int]) -> int:
        """Return the worker whose process is one of these."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            for one in self.status().workers:
                if one.is_alive and one.beat.pid in pids:
                    return one.beat.pid
            time.sleep(_LOOK_S)
        raise RuntimeError("no worker beats there")


def over_ray(job: Job, work: Path) -> dict[str, Any]:
    """Carry out the job over three nodes; return what was seen of the frozen worker."""
    with RayNodes(work, 3) as cluster:
        job.note(f"Ray nodes at {', '.join(node.address for node in cluster.nodes)}")
        driver = job.driver(cluster)

        def alive() -> bool:
            return driver.poll() is None

        try:
            _, second, third = cluster.nodes
            job.wait_until(0.1, alive)
            seen = job.freeze(job.worker_below(second.pids()))
            job.wait_until(0.3, alive)
            third.pids()
            os.kill(third.raylet(), signal.SIGKILL)
            job.note("the raylet of the third node is killed, and nothing else of it")
            job.wait_until(0.5, alive)
            second.kill()
            job.note("all processes of the second node are killed")
            job.wait_until(0.65, alive)
            cluster.nodes[0].kill()
            job.note("all processes of the head are killed")
            code = _ended(driver, 120)
            job.note(f"the driver has ended with {code}" if code is not None else "driver killed")
            cluster.start_head()
            job.note("head and driver are started again by the same commands")
            driver = job.driver(cluster)
            if driver.wait(timeout=3600) != 0:
                raise RuntimeError(f"the driver has ended with {driver.returncode}")
        finally:
            _ended(driver, 0)
    return seen


def over_shells(job: Job, work: Path) -> dict[str, Any]:
    """Carry out the job by plain workers; return what was seen of the frozen one."""
    workers = [job.worker() for _ in range(3)]

    def alive() -> bool:
        return any(worker.poll() is None for worker in workers)

    try:
        job.wait_until(0.1, alive)
        seen = job.freeze(workers[0].pid)
        job.wait_until(0.3, alive)
        workers[1].kill()
        job.note("the second worker alone is killed, not its decoders")
        job.wait_until(0.5, alive)
        for pid in tree(workers[2].pid):
            os.kill(pid, signal.SIGKILL)
        job.note("the third worker and its decoders are killed")
        job.wait_until(0.65, alive)
        workers[0].kill()
        job.note("the last worker is killed; the same command is started three times")
        workers += [job.worker() for _ in range(3)]
        if any(worker.wait(timeout=3600) != 0 for worker in workers[3:]):
            raise RuntimeError("a worker has failed")
    finally:
        for worker in workers:
            _ended(worker, 0)
    return seen


def _ended(process: subprocess.Popen[bytes], within_s: float) -> int | None:
    """Wait for a process to end; kill it after so many seconds and return None."""
    try:
        return process.wait(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def carried_out(arguments: argparse.Namespace) -> dict[str, Any]:
    """Carry out the whole job; return what was found, `wrong` among it."""
    work: Path = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    files = arguments.files.resolve()
    make(files, arguments.rows, side=64)
    with LoggedWeb(work / "nginx", files) as web:
        job = Job(arguments, work, web)
        seen = (over_ray if arguments.transport == "ray" else over_shells)(job, work)
        job.note("complete")
        requests = web.requests()
    most, counts = most_in_window(requests, job.delay_s)
    found = {
        "seconds": round(time.time() - job.began), "requests": len(requests),
        "asked_again": len(requests) - job.rows, **seen, **judge_set(job.store, job.urls),
        "most_in_window": most, "allowed_in_window": allowed_in_window(),
        "largest_windows": dict(sorted(counts.items(), reverse=True)[:3]),
    }  # fmt: skip
    return {**found, "events": job.events, "wrong": wrong_in(found, job.rows)}


def wrong_in(found: dict[str, Any], rows: int) -> list[str]:
    """Return what is not as it must be."""
    must = {
        "rows": rows, "saved": rows, "pictures": rows, "lost": 0, "doubled": 0,
        "pictures_with_other_bytes": 0, "orphans_left": 0, "named_but_gone": 0,
        "zombie_requests_to_taken_hosts": 0,
    }  # fmt: skip
    wrong = [f"{name}: {found[name]}" for name, value in must.items() if found[name] != value]
    if found["most_in_window"] > found["allowed_in_window"]:
        wrong.append(f"{found['most_in_window']} requests to one host within ten delays")
    return wrong


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    options = argparse.ArgumentParser(prog="python -m bench.cluster_kills", description=__doc__)
    options.add_argument("--transport", choices=("ray", "shell"), default="ray")
    options.add_argument("--rows", type=int, default=3_000)
    options.add_argument("--hosts", type=int, default=30)
    options.add_argument("--delay", type=float, default=0.5, help="seconds between two requests")
    options.add_argument("--lease", type=float, default=12.0)
    options.add_argument("--shard-rows", type=int, default=50)
    options.add_argument("--work", type=Path, default=Path("/tmp/pixtrawl-kills"))
    options.add_argument("--files", type=Path, default=Path(".bench/kills"))
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Run it and print what was found, as JSON."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile everything
    found = carried_out(parser().parse_args(words))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
