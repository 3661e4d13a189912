"""cron, containers and services: what an interactive shell always has may be missing.

The real command is started each time: what it does before its first line of code counts, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from tests.matrices import matrix
from tests.net.conftest import Server
from tests.pipeline.pictures import jpeg, scene

pytestmark = pytest.mark.timeout(120)

POSIX: Final = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def shell(redirect: str) -> tuple[str, ...]:
    """Starts a command with its streams redirected so."""
    return ("sh", "-c", f'exec "$@" {redirect}', "sh")


CASES: Final[dict[str, tuple[Sequence[str], dict[str, str]]]] = {
    "no variables at all": ((), {}),
    "an ASCII locale": ((), {"LC_ALL": "C"}),
    "an ASCII locale, taken at its word": (
        (), {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    "an ASCII terminal": ((), {"PYTHONIOENCODING": "ascii"}),
    "a locale that is not installed": ((), {"LC_ALL": "xx_YY.UTF-8", "LANG": "xx_YY"}),
    "TERM is unset, COLUMNS is nonsense": ((), {"COLUMNS": "wide", "LINES": "-1"}),
    "TERM is dumb": ((), {"TERM": "dumb"}),
    "a home that does not exist": ((), {"HOME": "/nonexistent/home"}),
    "a home that is a device": ((), {"HOME": "/dev/null"}),
    "an empty home": ((), {"HOME": ""}),
    "relative folders of the user": ((), {"HOME": "/", "XDG_CONFIG_HOME": "x", "XDG_STATE_HOME": "y"}),
    "no folder for temporary files": ((), {"TMPDIR": "/nonexistent/tmp"}),
    "standard input is closed": (shell("<&-"), {}),
    "standard output is closed": (shell(">&-"), {}),
    "standard error is closed": (shell("2>&-"), {}),
    "all three are closed": (shell("<&- >&- 2>&-"), {}),
    "standard error is a full disk": (shell("2>/dev/full"), {}),
    "SIGCHLD and SIGPIPE are ignored": (("sh", "-c", 'trap "" CHLD PIPE; exec "$@"', "sh"), {}),
}  # fmt: skip


ALWAYS: Final = ("no variables at all", "all three are closed")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    running.route("/1.jpg", 200, jpeg(scene(1)), Content_Type="image/jpeg")
    yield running
    running.close()


def command(name: str, folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    wrap, environment = CASES[name]
    return subprocess.run(
        [*wrap, sys.executable, "-m", "pixtrawl", *words], cwd=folder, env=environment,
        capture_output=True, timeout=100, stdin=None if "<&-" in str(wrap) else subprocess.DEVNULL,
    )  # fmt: skip


@POSIX
@pytest.mark.parametrize("name", matrix(CASES, *ALWAYS))
def test_a_list_is_downloaded_and_nothing_is_a_traceback(
    name: str, server: Server, tmp_path: Path
) -> None:
    words = ["\u732b caf\u00e9.txt", "-o", "set \u00fc", "--allow-address", "127.0.0.0/24"]
    (tmp_path / words[0]).write_text(server.url("/1.jpg") + "\n")
    done = command(name, tmp_path, "download", *words)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert "Traceback" not in said
    assert done.returncode == 0, said
    kept = [path for path in (tmp_path / "set \u00fc").rglob("*.jpg") if path.is_file()]
    assert len(kept) == 1
    assert kept[0].parent.name == "\u732b caf\u00e9"
    told = command(name, tmp_path, "report", "set \u00fc")
    assert b"Traceback" not in told.stdout + told.stderr
    assert told.returncode in {0, 5}, told.stderr  # 5: there is nowhere to write to


@POSIX
@pytest.mark.parametrize("name", matrix(CASES, "no variables at all", "all three are closed"))
@pytest.mark.parametrize("words", [("--help",), ("report", "nowhere")])
def test_help_and_mistakes_are_no_traceback_either(
    name: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    done = command(name, tmp_path, *words)
    assert b"Traceback" not in done.stdout + done.stderr
    assert done.returncode in {0, 2, 5}, done.stderr
