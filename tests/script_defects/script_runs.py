"""Runs of the real command, as the usual scraping script is run, and what they leave."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixtrawl.playground import Playground
from pixtrawl.playground.server import RequestRecord
from tests import warm_command

LIMIT = 7  # more than `rare bird` has
QUERIES = (
    "tabby cat", "rare bird", "../../escaped", "AC/DC", "black & white cat", "C# logo", "2020",
    "null", "NA", "cat, sleeping",
)  # fmt: skip


@dataclass
class Ran:
    """A command that has ended, the folder it wrote, and what the site saw of it."""

    code: int
    out: str
    err: str
    folder: Path
    requests: list[RequestRecord] = field(default_factory=list)
    browsers: set[int] = field(default_factory=set)  # process ids of Chrome main processes

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.out)
        return report

    def query(self, text: str) -> dict[str, Any]:
        return next(query for query in self.report["queries"] if query["query"] == text)

    def rows(self) -> list[dict[str, Any]]:
        lines = (self.folder / "metadata.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def keyword_urls(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = ast.literal_eval(
            (self.folder / "keyword_urls.txt").read_text("utf-8")
        )
        return table


def pixtrawl(
    *arguments: str, folder: Path, cwd: Path | None = None, environ: dict[str, str] | None = None
) -> Ran:
    process = warm_command.Popen(
        [
            *(sys.executable, "-m", "pixtrawl", *arguments, "-o", str(folder)),
            *("--allow-address", "127.0.0.0/24", "--json", "-q"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
    )
    seen: dict[int, int] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):  # each look reads all of /proc
            seen.update(browsers_below(process.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        out, err = process.communicate(timeout=150)
    finally:
        over.set()
        watching.join()
    # A process that has just been forked still looks like its parent, to a glance in that moment
    # like a Chrome of its own.
    browsers = {browser for browser, parent in seen.items() if parent not in seen}
    return Ran(process.returncode, out, err, folder, browsers=browsers)


def browsers_below(pid: int) -> dict[int, int]:
    """Chromes among the descendants, without the helpers of each, and the parent of each.

    Empty where there is no /proc.
    """
    children: dict[int, list[tuple[int, list[bytes]]]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append((int(entry.name), words))
    found: dict[int, int] = {}
    left = [(pid, False)]  # process ids, and whether each belongs to a Chrome
    while left:  # not by rising ids: after the highest one the system begins again with low ones
        parent, in_chrome = left.pop()
        for child, words in children.get(parent, ()):
            program = words[0].rpartition(b"/")[2]
            is_chrome = b"chrom" in program or b"headless_shell" in program
            helper = b"crashpad" in program or any(word.startswith(b"--type=") for word in words)
            if is_chrome and not in_chrome and not helper:
                found[child] = parent
            left.append((child, is_chrome or in_chrome))
    return found


def alive(pids: set[int]) -> list[int]:
    """Those that run; one that has ended and that nobody has waited for does not."""
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def google(site: Playground, variant: str) -> list[str]:
    return ["-s", "google", "--set", f"google.base_url={site.url}/{variant}"]
