"""The real command, as a process: what it prints where, and what it ends with."""

import io
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from tests import warm_command
from tests.matrices import sample

from pixtrawl.cli.exit_codes import EXIT_CODES
from pixtrawl.cli.main import COMMANDS
from pixtrawl.config.table import table


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def pixtrawl(
    *arguments: str, home: Path, stdin: str | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXTRAWL_")}
    return warm_command.run(
        [sys.executable, "-m", "pixtrawl", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        input=stdin,
        timeout=50,
        env={
            **kept,
            "PYTHONUTF8": "1",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            **environ,
        },
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    sample(
        [
            (["rnu", "cat"], ["did you mean run?"]),
            (["tabby cat"], ["no command", "pixtrawl run 'tabby cat'"]),
            (["--limit", "5"], ["pixtrawl run QUERIES --limit"]),
            (["run"], ["QUERIES"]),
            (["run", "cat", "--limt", "5"], ["--limt", "did you mean --limit?"]),
            (["run", "cat", "-n"], ["--limit", "expected one argument"]),
            (["run", "cat", "-n", "many"], ["command line --limit", "'many'"]),
            (["run", "cat", "--dedup", "nera"], ["did you mean near?"]),
            (["run", "cat", "--set", "gogle.base_url=x"], ["did you mean google?"]),
            (["run", "cat", "-s", "gogle", "--dry-run"], ["google"]),
            (["run", "cat", "--config", "no.toml"], ["no.toml"]),
            (["run", "nothere.csv"], ["nothere.csv", "no such file", "a keyword a line"]),
            (["discover", "cat", "-o", "urls.xlsx"], ["urls.xlsx", ".jsonl"]),
            (
                ["report", "nowhere"],
                ["no pixtrawl data set: there is no such folder", "-o nowhere"],
            ),
        ],
        2,
    ),
)
def test_a_usage_error_is_one_line_and_exit_code_2(
    home: Path, arguments: list[str], words: list[str]
) -> None:
    ended = pixtrawl(*arguments, home=home)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("pixtrawl: ")
    assert ended.stderr.count("\n") == 1
    for word in words:
        assert word in ended.stderr


def test_a_wrong_variable_is_named(home: Path) -> None:
    ended = pixtrawl("run", "cat", "--dry-run", home=home, PIXTRAWL_TIMEOUT="soon")
    assert ended.returncode == 2
    assert "environment PIXTRAWL_TIMEOUT: 'soon' is no time" in ended.stderr


def test_the_version_is_on_stdout(home: Path) -> None:
    ended = pixtrawl("--version", home=home)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "pixtrawl 0.1.0\n", "")


def test_help_lists_every_command_and_exit_code(home: Path) -> None:
    ended = pixtrawl("--help", home=home)
    assert ended.returncode == 0
    for name, summary in COMMANDS.items():
        assert name in ended.stdout
        assert summary in ended.stdout
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>5}  {meaning}" in ended.stdout


@pytest.mark.parametrize("name", sample(sorted(COMMANDS), 4))
def test_every_command_has_help(home: Path, name: str) -> None:
    ended = pixtrawl(name, "--help", home=home)
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"usage: pixtrawl {name} ")
    assert ended.stderr == ""


def test_the_help_of_run_mentions_every_option(home: Path) -> None:
    shown = pixtrawl("run", "--help", home=home).stdout.split()
    words = {word.rstrip(",") for word in shown}
    of_lists = {row.flag for row in table() if row.group == "lists" and row.flag}
    of_models = {row.flag for row in table() if row.group == "models" and row.flag}
    assert {row.flag for row in table() if row.flag} - of_lists - of_models <= words
    assert of_models <= set(pixtrawl("score", "--help", home=home).stdout.split())
    assert of_lists <= set(pixtrawl("download", "--help", home=home).stdout.split())
    more = {"--set", "--config", "--dry-run", "--json", "-q", "-v", "--no-progress", "--num", "-n"}
    assert more <= words


def test_help_imports_nothing_heavy(home: Path) -> None:
    heavy = {
        "rich",
        "numpy",
        "pycurl",
        "asyncio",
        "playwright",
        "PIL",
        "uvloop",
        "sqlite3",
        "email",
    }
    for arguments in (["--version"], ["--help"], ["run", "--help"]):
        ended = warm_command.run(
            [sys.executable, "-X", "importtime", "-m", "pixtrawl", *arguments],
            capture_output=True,
            text=True,
            timeout=50,
        )
        imported = {line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines()}
        assert not heavy & {name.partition(".")[0] for name in imported}, arguments
        assert "argparse" not in imported or arguments == ["run", "--help"]


_POLICY_AFTER = """
import os, sys
from pixtrawl.cli.main import main
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # a run in the suite's process left another
main(sys.argv[1:])
print(os.sched_getscheduler(0) == os.SCHED_BATCH)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a scheduling policy of Linux")
@pytest.mark.parametrize(
    ("arguments", "yields"), [(["run", "--help"], True), (["sources", "--help"], False)]
)
def test_what_decodes_lets_others_finish_their_slice_of_time(
    arguments: list[str], yields: bool
) -> None:
    command = [sys.executable, "-c", _POLICY_AFTER, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.splitlines()[-1] == str(yields)


def test_a_dry_run_asks_nobody_and_leaves_no_folder(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "images"
    ended = pixtrawl(
        *("run", "tabby cat", "-s", "google", "-n", "5", "-o", str(output), "--dry-run", "--json"),
        *("--prefix", "photo of", "--size", "large", "golden retriever", "--", "-odd"),
        *("--no-such",),
        home=home,
        PIXTRAWL_GOOGLE_BASE_URL="http://user:pass@127.0.0.1:9",
    )
    assert ended.returncode == 0, ended.stderr
    plan = json.loads(ended.stdout)
    texts = [query["query"] for query in plan["queries"]]
    assert texts == [
        "photo of tabby cat",
        "photo of golden retriever",
        "photo of -odd",
        "photo of --no-such",
    ]
    assert {query["wanted"] for query in plan["queries"]} == {5}
    assert plan["filters"] == {"size": "large"}
    assert [source["name"] for source in plan["sources"]] == ["google"]
    assert plan["sources"][0]["base_url"] == "http://***@127.0.0.1:9"
    assert not output.exists()


def test_queries_are_read_from_standard_input(home: Path) -> None:
    ended = pixtrawl(
        "run", "-", "-s", "google", "--dry-run", "--json", home=home, stdin="猫\n2020\nnull\n"
    )
    assert [query["query"] for query in json.loads(ended.stdout)["queries"]] == [
        "猫",
        "2020",
        "null",
    ]


def test_config_show_tells_value_and_origin_and_hides_secrets(home: Path) -> None:
    file = home / "config" / "pixtrawl" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('retries = 5\nproxy = "http://me:hush@proxy.example:1"\n')
    ended = pixtrawl(
        *("config", "show", "--json", "--set", "google.profile=/p"),
        home=home,
        PIXTRAWL_TIMEOUT="2m",
    )
    assert ended.returncode == 0, ended.stderr
    settings = json.loads(ended.stdout)["settings"]
    assert settings["fetch.timeout_s"] == {
        "value": "120",
        "origin": "environment PIXTRAWL_TIMEOUT",
    }
    assert settings["google.profile"]["origin"] == "command line --set google.profile"
    assert settings["job.limit"] == {"value": "100", "origin": "default"}
    if sys.platform == "linux":  # elsewhere the user's folder does not follow XDG_CONFIG_HOME
        assert settings["fetch.retries"] == {"value": "5", "origin": f"{file}, key retries"}
        assert settings["fetch.proxy"]["value"] == "http://***@proxy.example:1"
    assert "hush" not in ended.stdout


class _Pictures(BaseHTTPRequestHandler):
    """/1.png, /2.png …: a different picture each; anything else is not there."""

    def do_GET(self) -> None:
        stem = self.path.strip("/").removesuffix(".png")
        if not stem.isdigit():
            self.send_error(404)
            return
        body = io.BytesIO()
        noise = random.Random(int(stem)).randbytes(16 * 16 * 3)
        Image.frombytes("RGB", (16, 16), noise).resize((256, 256)).save(body, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(body.tell()))
        self.end_headers()
        self.wfile.write(body.getvalue())

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture
def pictures() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pictures) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_download_reports_and_ends_with_the_right_code(
    home: Path, tmp_path: Path, pictures: str
) -> None:
    urls = tmp_path / "birds.txt"
    urls.write_text("".join(f"{pictures}/{name}\n" for name in ("1.png", "2.png", "gone")))
    images = tmp_path / "my images"
    common = (str(urls), "-o", str(images), "--allow-address", "127.0.0.0/8")

    ended = pixtrawl("download", *common, "--json", home=home)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["totals"]["saved"] == 2
    assert report["reasons"] == {"saved": 2, "not_found": 1}
    assert report["interrupted"] is False
    assert len(list((images / "birds").iterdir())) == 2

    assert pixtrawl("download", *common, "--strict", "-q", home=home).returncode == 3
    ended = pixtrawl("download", *common, "-n", "5", "-q", home=home)
    assert (ended.returncode, ended.stderr, ended.stdout) == (3, "", "")
    ended = pixtrawl("download", *common, "-n", "5", home=home)
    assert "short: birds" in ended.stdout

    ended = pixtrawl("report", str(images), home=home)
    assert ended.returncode == 0
    assert "3 candidates: 2 saved, 1 failed" in ended.stdout
    assert f"pixtrawl report '{images}'" in ended.stdout


def test_a_download_that_saves_nothing_ends_with_4(
    home: Path, tmp_path: Path, pictures: str
) -> None:
    urls = tmp_path / "list.txt"
    urls.write_text(f"{pictures}/1.png\n")
    ended = pixtrawl("download", str(urls), "-o", str(tmp_path / "set"), home=home)
    assert ended.returncode == 4
    assert "no images: 0 images" in ended.stdout
    assert "--allow-address" in ended.stdout  # the guard refused the inner address


def test_a_reader_that_goes_away_is_no_error(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        ended = warm_command.run(
            [sys.executable, "-m", "pixtrawl", "config", "show"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=50,
            env={**os.environ, "XDG_CONFIG_HOME": str(home)},
        )
    assert (ended.returncode, ended.stderr) == (0, "")
