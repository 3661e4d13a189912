"""A command whose n-th call on the disk fails, then the same command again without a fault."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
NEVER: Final = (0, 0)


class Fault(NamedTuple):
    """Fail call number `at`, once or for ever."""

    at: int
    error: int
    forever: bool
    short: bool = False

    def __str__(self) -> str:
        kind = "short write" if self.short else errno.errorcode.get(self.error, "kill")
        return f"{kind} at call {self.at}{' and after' if self.forever else ''}"


class Answer(NamedTuple):
    """What the command printed on stderr, its exit code, and how many calls it made."""

    code: int
    said: str
    calls: int
    failed: str  # name of the call that failed; "" if the command ended before


class Server:
    """Runs commands under the shim."""

    def __init__(self, shim: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.diskfaults.server"], cwd=ROOT,
            env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, words: Sequence[str], root: Path, fault: Fault | None = None) -> Answer:
        """Run a command; calls below `root` count."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        at, until = NEVER
        if fault is not None:
            at, until = fault.at, 10**9 if fault.forever else fault.at
        request = {
            "words": list(words), "root": str(root), "calls": [at, until],
            "error": fault.error if fault else 0, "short": int(fault.short) if fault else 0,
        }  # fmt: skip
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Answer(told["code"], told["said"], told.get("calls", 0), told.get("failed", ""))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Compile the shim and start a server. Skip the test where that cannot be done."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler for the shim that makes calls fail")
    shim = folder / "failing.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", shim, HERE / "failing.c", "-ldl"], check=True
    )
    running = Server(shim)
    try:
        yield running
    finally:
        running.close()


def faults_of(answer: Answer, code_ok: Callable[[int], bool] = lambda code: code in {0, 5}) -> str:
    """Return what is wrong with the way a command ended under a fault; "" if nothing."""
    for word in ("Traceback", "unexpected", "trace in", "Exception ignored", "Task exception"):
        if word in answer.said:
            return f"says {word!r}: {answer.said[-300:]}"
    if not code_ok(answer.code):
        return f"exit code {answer.code}: {answer.said[-300:]}"
    if answer.code == 5:
        lines = [line for line in answer.said.splitlines() if line.startswith("pixtrawl: ")]
        if len(lines) != 1:
            return f"{len(lines)} sentences: {answer.said[-300:]}"
        if " safe" not in lines[0] or "same command" not in lines[0]:
            return f"no word on what is safe and what next: {lines[0]}"
    return ""


def state_of(root: Path) -> tuple[dict[str, str], str]:
    """Return SHA-256 by name of the images, and what is wrong with the folder; "" if nothing."""
    found = {
        f"{file.parent.name}/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.glob("*/*")
        if file.is_file()
    }
    lines = (root / "metadata.jsonl").read_text("utf-8").splitlines()
    listed = {row["file_name"]: row["sha256"] for row in map(json.loads, lines)}
    with contextlib.closing(sqlite3.connect(root / ".pixtrawl-catalog.sqlite3")) as db:
        (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        kept = dict(
            db.execute(
                "SELECT file_name, lower(hex(sha256)) FROM sample WHERE state IN (0, 1)"
            ).fetchall()
        )
    wrong = [
        what
        for what, bad in (
            (f"integrity: {sound}", sound != "ok"),
            (f"metadata {len(listed)}, files {len(found)}", listed != found),
            (f"catalog {len(kept)}, files {len(found)}", kept != found),
            ("an image twice", len(set(found.values())) != len(found)),
            ("staged files left", any(root.glob(".pixtrawl-staging-*"))),
            ("temporary files left", any(root.glob(".pixtrawl-*.tmp*"))),
            ("set aside as damaged", any(root.glob(".pixtrawl-*damaged*"))),
        )
        if bad
    ]
    return found, "; ".join(wrong)
