"""Servers of benchmarks end with the script that holds them, however it ends."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, pathlib, signal, sys
from bench.kills_judge import LoggedWeb
from bench.measure import tree
folder = pathlib.Path(sys.argv[1])
with LoggedWeb(folder, folder):
    print(tree(os.getpid())[1], flush=True)
    signal.pause()
"""


@pytest.mark.skipif(
    not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()) or not shutil.which("setpriv"),
    reason="nginx or setpriv is not installed",
)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nginx_ends_with_its_script(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout is not None
        nginx = os.pidfd_open(int(script.stdout.readline()))
        script.send_signal(how)
    ended, _, _ = select.select([nginx], [], [], 20)  # a pidfd is readable once its process ended
    os.close(nginx)
    assert ended
