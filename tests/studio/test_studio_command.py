"""`pixtrawl studio` and `ds.studio()`: start, address, end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pixtrawl
from tests import warm_command
from tests.studio.client import Client, token_in

COMMAND = [sys.executable, "-m", "pixtrawl", "studio"]


def test_the_first_address_printed_has_the_token_and_ctrl_c_ends_it(root: Path) -> None:
    with warm_command.Popen(
        [*COMMAND, str(root), "--no-open"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = int(line.split(":")[2].partition("/")[0])
        assert Client(port, token_in(line)).get(f"/?token={token_in(line)}").status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [(["--port", "70000"], 2, "a port is a number"), (["nowhere"], 2, "no pixtrawl data set")],
)
def test_a_mistake_is_one_sentence(
    words: list[str], code: int, sentence: str, tmp_path: Path
) -> None:
    done = warm_command.run(
        [*COMMAND, *words], capture_output=True, text=True, cwd=tmp_path, timeout=50
    )
    assert done.returncode == code
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_data_set_in_python_starts_and_ends_its_studio(root: Path) -> None:
    with pixtrawl.open(root).studio() as studio:
        assert Client(studio.port, "").get("/api/state").status == 401
    with pytest.raises(ConnectionRefusedError):
        Client(studio.port, "").get("/api/state")
