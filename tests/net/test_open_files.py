"""Connections are kept for the next file of a host, within what the system allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")

_TELL = """
import resource
from pixtrawl.net.open_files import connections_to_keep, raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2048))
before = connections_to_keep(64)
raise_limit()
print(before, connections_to_keep(64), connections_to_keep(1000), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_few_open_files_mean_few_idle_connections_until_the_limit_is_raised() -> None:
    done = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["85", "682", "1000", "2048", "2048"]
