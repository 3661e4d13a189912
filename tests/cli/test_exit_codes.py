"""Every exit code of the table, each reached by the real command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import warm_command

from pixtrawl.cli.exit_codes import EXIT_CODES
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.playground import Playground

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=8, patience=0.02) as running:
        yield running


def pixtrawl(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    return warm_command.run(
        [sys.executable, "-m", "pixtrawl", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, **environ},
    )


def run(site: Playground, output: Path, *more: object, **environ: str) -> Any:
    return pixtrawl(
        *("run", "tabby cat", "-s", "bing", "--set", f"bing.base_url={site.url}", "-o", output),
        *("--allow-address", "127.0.0.0/24", *more),
        **environ,
    )


def download(output: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return pixtrawl("download", "-o", output, "--allow-address", "127.0.0.0/24", *more)


def test_0_all_that_was_asked_for_is_there(site: Playground, tmp_path: Path) -> None:
    assert run(site, tmp_path / "images", "-n", 3).returncode == 0
    urls = tmp_path / "urls.txt"
    urls.write_text(f"{site.image_urls(1)[0]}\n{site.fault('not-found').url}\n")
    assert download(tmp_path / "b", urls).returncode == 0, "every URL has its outcome, one is saved"
    assert pixtrawl("report", tmp_path / "images", "--json").returncode == 0


def test_1_something_nobody_thought_of(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import pixtrawl.cli.commands.report as r\n"
        "def broken(arguments): raise RuntimeError('impossible')\n"
        "r.main = broken\n"
    )
    ended = pixtrawl(
        "report", tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        XDG_STATE_HOME=str(tmp_path / "state"), HOME=str(tmp_path),
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("pixtrawl: unexpected RuntimeError: impossible")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "cat", "--no-such-option"),
        ("run", "no-such-file.csv"),
        ("download", "no-such-file.jsonl"),
        ("run", "cat", "-s", "no-such-source"),
        ("run", "cat", "-n", "0"),
        ("report", "no-such-folder"),
    ],
)
def test_2_usage_and_unreadable_input(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = pixtrawl(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1


def test_2_a_bad_line_of_queries_before_anything_is_asked(site: Playground, tmp_path: Path) -> None:
    queries = tmp_path / "queries.csv"
    queries.write_text("query,limit\ncat,3\ndog,many\n")
    before = len(site.requests)
    ended = pixtrawl(
        "run", queries, "-s", "bing", "--set", f"bing.base_url={site.url}",
        "--allow-address", "127.0.0.0/24", "-o", tmp_path / "images",
    )  # fmt: skip
    assert ended.returncode == 2
    assert "queries.csv:3: " in ended.stderr
    assert len(site.requests) == before
    assert not (tmp_path / "images").exists()


def test_3_some_query_is_short(site: Playground, tmp_path: Path) -> None:
    ended = run(site, tmp_path / "images", "-n", 50)
    assert ended.returncode == 3
    assert "short: tabby cat" in ended.stdout
    urls = tmp_path / "urls.txt"
    urls.write_text(f"{site.image_urls(1)[0]}\n{site.fault('not-found').url}\n")
    assert download(tmp_path / "b", urls, "-n", 2).returncode == 3
    assert download(tmp_path / "c", urls, "--strict").returncode == 3


def test_3_a_budget_that_left_urls_out(site: Playground, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text("".join(f"{url}\n" for url in site.image_urls(200, "budget")))
    ended = download(tmp_path / "images", urls, "--max-total-bytes", "1K", "--concurrency", 1)
    assert ended.returncode == 3
    assert "complete" not in ended.stdout.splitlines()[0]
    assert "--max-total-bytes" in ended.stdout


def test_4_nothing_saved(site: Playground, tmp_path: Path) -> None:
    assert run(site, tmp_path / "a", "--set", f"bing.base_url={site.url}/captcha").returncode == 4
    urls = tmp_path / "urls.txt"
    urls.write_text("not a url\n")
    ended = download(tmp_path / "b", urls, "--json")
    assert ended.returncode == 4
    assert json.loads(ended.stdout)["reasons"] == {"bad_url": 1}


def test_5_the_environment(site: Playground, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "images")
    folder.create()
    with DatasetLock(folder):
        ended = run(site, folder.root)
    assert ended.returncode == 5
    assert "in use" in ended.stderr
    (tmp_path / "file").write_text("no folder")
    assert run(site, tmp_path / "file" / "images").returncode == 5
    ended = pixtrawl(
        "run", "cat", "-s", "google", "-o", tmp_path / "g", PIXTRAWL_CHROME=str(tmp_path / "none")
    )
    assert ended.returncode == 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX's")
def test_130_interrupted(tmp_path: Path) -> None:
    with Playground(supply=8, latency_s=0.5) as slow:
        process = warm_command.Popen(
            [
                *(sys.executable, "-m", "pixtrawl", "run", "cat", "-s", "bing", "--delay", "3"),
                *("--set", f"bing.base_url={slow.url}", "--allow-address", "127.0.0.0/24"),
                *("-o", str(tmp_path / "images"), "--json"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while not slow.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["interrupted"] is True
    assert "Ctrl-C again ends at once" in err


def test_no_other_code_is_documented() -> None:
    assert set(EXIT_CODES) == {0, 1, 2, 3, 4, 5, 130}
