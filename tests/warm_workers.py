"""Workers of a parallel run, forked from one process that has imported all tests.

Imports are more than half of what a worker does before its first test, seconds of processor time,
and the same in each. The forked process is the same worker from there on: it reads the configuration
and collects as one that was started, and finds every module imported. The processes that zygotes and
commands are forked from are shared by all workers, too.

`pytest-xdist` starts each worker as `PYTHON -u -c CODE` and talks to it by its standard streams. Here
PYTHON is `warm_workers_launcher.py`: it hands its streams to the process that forks, and ends with the
fork. Where that process is gone it becomes the worker itself, as if there was nothing of this.
"""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from tests.warm_command import CommandServer
from tests.warm_decoders import WarmDecoders

HERE: Final = Path(__file__).parent


class WarmProcesses(NamedTuple):
    """What zygotes and commands are forked from."""

    decoders: WarmDecoders
    commands: CommandServer


shared: WarmProcesses | None = None  # of all workers, in each that was forked


def processes() -> WarmProcesses:
    """Return new ones, which start at their first use."""
    decoders = WarmDecoders()
    return WarmProcesses(decoders, CommandServer(decoders))


class WarmWorkers:
    """The process that workers are forked from; `python` is the interpreter that asks it."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        """Let it import what `pytest` collects for `arguments` in `folder`."""
        self._folder = tempfile.mkdtemp(prefix="warm-workers-")
        address = str(Path(self._folder, "asking"))
        launcher = [sys.executable, "-I", "-S", str(HERE / "warm_workers_launcher.py"), address]
        self.python = shlex.join(launcher)
        self._ours, theirs = socket.socketpair()
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.bind(address)
            asking.listen(64)
            fds = (asking.fileno(), theirs.fileno())
            start = json.dumps({"fds": fds, "folder": str(folder), "arguments": arguments})
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm_workers_process", start],
                cwd=HERE.parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=fds,
            )  # fmt: skip

    def close(self) -> None:
        self._ours.close()
        self._process.wait(60)
        shutil.rmtree(self._folder)
