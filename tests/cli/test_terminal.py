"""No command sends an untrusted text to a terminal as a command of it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from tests import warm_command
from tests.matrices import sample
from tests.pipeline.pictures import Answer, jpeg, png, scene, serving

from pixtrawl.display.terminal import escaped_json, visible

pytestmark = pytest.mark.timeout(240)

CODES = [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
CODES += [*range(0x2066, 0x206A), 0x061C, 0xFEFF, 0x2028, 0x2029, 0xE0041]
HOSTILE = "a" + "".join(f"{chr(code)}b" for code in CODES) + "\x1b]0;title\x07\x9b31m\x1b[31mc"
# What a terminal would obey; colours and the counters' carriage returns are our own.
OBEYED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069"
    "\ufeff\U000e0041]|\x1b(?!\\[[0-9;?]*[mABCDGHJKhl])|\x1b\\[31mc"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data set, and the manifest it was made from, with hostile text in every field."""
    top = tmp_path_factory.mktemp("hostile")
    answers: dict[str, Answer] = {f"/{n}.png": png(scene(n)) for n in range(2)}
    answers |= {"/near.jpg": jpeg(scene(0)), "/broken.png": png(scene(5))[:500]}
    with serving(answers) as host:
        fields = dict.fromkeys(
            ("title", "creator", "license", "license_url", "source", "own column"), HOSTILE
        )
        rows = [
            {"query": HOSTILE, "url": f"{host.url}/{name}", "page_url": f"{host.url}/{HOSTILE}",
             "thumb_url": HOSTILE, **fields}
            for name in ("0.png", "near.jpg", "1.png", "broken.png", "gone.png")
        ]  # fmt: skip
        rows.append({"query": HOSTILE, "url": HOSTILE, **fields})
        manifest = top / "list.jsonl"
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        words = ["download", "list.jsonl", "-o", "set", "--allow-address", "127.0.0.0/8", "-q"]
        told = warm_command.run(
            [sys.executable, "-m", "pixtrawl", *words], cwd=top, capture_output=True, timeout=100
        )
        assert told.returncode == 0, told.stderr
        yield top


COMMANDS = {
    "report": ["report", "set"],
    "report --json": ["report", "set", "--json"],
    "report --urls": ["report", "set", "--urls"],
    "report --format csv": ["report", "set", "--format", "csv"],
    "report, no such query": ["report", "set", "--query", HOSTILE.replace("\0", "")[::-1]],
    "lock": ["lock", "set"],
    "lock --rebuild": ["lock", "--rebuild", "list.jsonl", "-o", "again"],
    "download -vv": ["download", "list.jsonl", "-o", "set2", "-vv", "--retries", "0"],
    "download --json": ["download", "list.jsonl", "-o", "set3", "--json", "--retries", "0"],
    "download --dry-run": ["download", "list.jsonl", "-o", "set4", "--dry-run"],
    "dedup": ["dedup", "set"],
    "dedup --json": ["dedup", "set", "--json"],
    "takedown --dry-run": ["takedown", "set", "--domain", "127.0.0.1", "--dry-run"],
    "takedown --json": ["takedown", "set", "--domain", "127.0.0.1", "--dry-run", "--json"],
    "takedown, bad rule": ["takedown", "set", "--sha256", "\x9b\u202e"],
    "restore": ["restore", "set"],
    "verify": ["verify", "set"],
    "verify --json": ["verify", "set", "--json"],
    "export": ["export", "set", "--to", "csv", "-o", "out"],
    "merge": ["merge", "set", "set", "-o", "joined"],
    "label": ["label", "set/none\x9b.png", "x\u202ey"],
    "reject": ["reject", "set", "none\x9b.png"],
    "undo": ["undo", "set"],
    "config show": ["config", "show", "--set", "searxng.url=http://h/\x9b\u202e\x7f"],
    "config, wrong value": ["config", "show", "--set", "timeout=\x9b\u202e\x7f"],
    "sources check": ["sources", "check", "bing", "list.jsonl"],
    "sources, unknown": ["sources", "\x9b\u202e"],
    "unknown command": ["\x9b\u202e"],
    "missing folder": ["report", "no\x9b\u202esuch"],
}


def on_terminal(words: list[str], folder: Path) -> str:
    """Run a command with a terminal for stdin, stdout and stderr, and return what it was sent."""
    pty = pytest.importorskip("pty", reason="terminals of POSIX systems")
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "PYTHONUTF8": "1"}
    with warm_command.Popen(
        [sys.executable, "-m", "pixtrawl", *words],
        cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environ,
    ) as running:  # fmt: skip
        os.close(theirs)
        pieces = []
        try:
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        except OSError:
            pass  # Linux says so when the last writer has gone
        running.wait(60)
    os.close(ours)
    return b"".join(pieces).decode("utf-8")


@pytest.mark.parametrize("command", sample(COMMANDS, 3))
def test_no_command_sends_a_control_to_a_terminal(command: str, folder: Path) -> None:
    told = on_terminal(COMMANDS[command], folder)
    assert told.strip()
    assert "Traceback" not in told
    found = OBEYED.search(told)
    assert found is None, ascii(told[max(0, found.start() - 60) : found.end() + 60])


def test_json_on_a_terminal_is_equal_to_json_in_a_file(folder: Path) -> None:
    for words in (["report", "set", "--json"], ["lock", "set"]):
        seen = on_terminal(words, folder)
        kept = warm_command.run(
            [sys.executable, "-m", "pixtrawl", *words], cwd=folder, capture_output=True, timeout=60
        ).stdout.decode()
        assert json.loads(seen) == json.loads(kept)


def test_rows_for_programs_keep_every_character(folder: Path) -> None:
    def rows(form: str) -> str:
        words = [sys.executable, "-m", "pixtrawl", "report", "set", "--format", form]
        done = warm_command.run(words, cwd=folder, capture_output=True, timeout=60, check=True)
        return str(done.stdout.decode())

    titles = {json.loads(line)["query"] for line in rows("jsonl").splitlines()}
    assert titles == {row["query"] for row in csv.DictReader(io.StringIO(rows("csv"), newline=""))}
    assert any("\x9b" in title for title in titles)


@given(st.text())
def test_json_stays_equal_and_holds_no_control(text: str) -> None:
    written = escaped_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert OBEYED.search(written) is None
    assert OBEYED.search(visible(text).replace("\n", "").replace("\t", "")) is None
