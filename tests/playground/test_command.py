"""`pixtrawl playground` prints where it is, serves, and ends at Ctrl-C."""

from __future__ import annotations

import contextlib
import io
import shlex
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from pixtrawl.cli.main import main
from tests import warm_command
from tests.playground.wire import ask


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child on Windows")
def test_it_prints_its_addresses_serves_and_ends_at_ctrl_c() -> None:
    command = [sys.executable, "-m", "pixtrawl", "playground", "--faults", "all", "--seed", "5"]
    with warm_command.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            told = _told(process)
            for address in told[:-1]:
                assert ask(address).status == 200, address
            words = shlex.split(told[-1])
            assert words[:2] == ["pixtrawl", "run"]
            assert f"bing.base_url={told[0].rstrip('/')}" in words
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


def _told(process: subprocess.Popen[str]) -> list[str]:
    """What it prints, up to the first command to copy."""
    assert process.stdout is not None
    told = [process.stdout.readline().strip()]
    while told[-1] and not told[-1].startswith("pixtrawl run"):
        told.append(process.stdout.readline().strip())
    return told


def test_a_port_in_use_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert main(["playground", "--port", str(port)]) == 5
    told = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1:{port}" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("words", [["--port", "70000"], ["--latency", "-1"], ["--faults", "few"]])
def test_nonsense_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["playground", *words]) == 2
    assert words[0] in capsys.readouterr().err


def test_the_help_names_every_option() -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["playground", "--help"]) == 0
    for option in ("--port", "--host", "--latency", "--seed", "--faults", "--supply"):
        assert option in out.getvalue()


def test_the_address_is_one_a_browser_can_open() -> None:
    from pixtrawl.playground import Playground

    with Playground() as site:
        assert urlsplit(site.url).hostname == "127.0.0.1"
        page = ask(f"{site.url}/")
    assert b"<form role='search' action='/search'>" in page.body
