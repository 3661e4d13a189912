"""`make demo`: the real command against the local practice site, from keywords to a data set.

Starts the playground, which mixes broken, slow and lying image URLs into its search results, runs
`pixtrawl run` on four keywords with both of its searches (one in a real Chrome), and draws a
contact sheet of what came home. Exit code: that of `pixtrawl run`, 1 if that is not to be had.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from contact_sheet import draw

from pixtrawl.playground import Playground

DEMO = Path(".demo")
QUERIES = ("tabby cat", "golden retriever", "steam train", "lighthouse")
LIMIT = 20
TIME_LIMIT_S = 170
PIXTRAWL = (sys.executable, "-m", "pixtrawl")
# In the order in which the first results of each query have them.
FAULTS = (
    "html-as-jpg", "not-found", "truncated-file", "retry-after", "short-body", "redirect-inner",
    "huge-png", "noai", "redirect-chain", "forbidden", "png-as-jpg", "endless", "corrupt", "silent",
)  # fmt: skip
MIX = {"fault": 0.3, "exact_duplicate": 0.08, "near_duplicate": 0.12, "placeholder": 0.04}
EXPECTED = {"saved", "not_needed"}


def arguments(url: str) -> list[str]:
    """The command's words after `pixtrawl`."""
    return [
        "run", str(DEMO / "queries.csv"), "-s", "google", "-s", "bing",
        "--set", f"google.base_url={url}", "--set", f"bing.base_url={url}",
        "--allow-address", "127.0.0.0/24", "-n", str(LIMIT), "-o", str(DEMO / "images"),
    ]  # fmt: skip


def run(words: list[str]) -> tuple[int, str]:
    """Exit code and verdict of one `pixtrawl` command; its progress goes to the terminal."""
    print("$", shlex.join(["pixtrawl", *words]), flush=True)
    process = subprocess.Popen([*PIXTRAWL, *words], stdout=subprocess.PIPE, text=True)
    try:
        verdict, _ = process.communicate(timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()
        print(f"not done after {TIME_LIMIT_S} s: stopped", file=sys.stderr)
        return 1, ""
    print(verdict, end="", flush=True)
    return process.returncode, verdict


def reported() -> dict[str, Any]:
    """What `pixtrawl report` knows of the run."""
    words = [*PIXTRAWL, "report", str(DEMO / "images"), "--json"]
    shown = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    report: dict[str, Any] = json.loads(shown.stdout)
    return report


def without_browser(report: dict[str, Any]) -> list[str]:
    """What `google` said for each query where its Chrome did not bring results."""
    answers = {row["query"]: row["sources"].get("google") for row in report["queries"]}
    return [
        f"{query}: {answer['outcome']} {answer['detail'].get('message', '')}"
        for query, answer in answers.items()
        if answer and answer["outcome"] != "ok"
    ]


def on_the_way(report: dict[str, Any]) -> str:
    """The refused URLs by reason, most frequent first."""
    counts = {k: n for k, n in report["reasons"].items() if n and k not in EXPECTED}
    ranked = sorted(counts, key=lambda reason: (-counts[reason], reason))
    return ", ".join(f"{counts[reason]} {reason}" for reason in ranked)


def closing(report: dict[str, Any], elapsed_s: float) -> str:
    """Where to look, and what to type next."""
    return f"""
Refused on the way: {on_the_way(report)}
(docs/reasons.md says what each means.)

Demo done in {elapsed_s:.0f} s. Look at:
  {DEMO}/contact-sheet.png         what came home, at a glance
  {DEMO}/images/                   the data set: a folder for each keyword, metadata.jsonl
  {DEMO}/images/README.md          its data card, with the line that loads it

Next, with `. .venv/bin/activate` once:
  pixtrawl studio {DEMO}/images                      # see and clean it in the browser
  pixtrawl report {DEMO}/images
  pixtrawl export {DEMO}/images --to webdataset -o {DEMO}/shards
  pixtrawl run "tabby cat" "golden retriever" -n 50        # the real web, into images/"""


def main() -> int:
    """Runs the demo in the current folder."""
    started = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()
    (DEMO / "queries.csv").write_text("\n".join(QUERIES) + "\n", encoding="utf-8")
    with Playground(
        faults=FAULTS, mix=MIX, photographs=True, cached_copies=False, log=False
    ) as site:
        code, verdict = run(arguments(site.url))
    if code:
        print(f"\nThe demo ended with exit code {code}; `make demo` tries again.", file=sys.stderr)
        return code
    report = reported()
    if complaints := without_browser(report):
        print("\nThe images are there, but Chrome had no part in it:", *complaints, sep="\n  ")
        return 1
    (DEMO / "verdict.txt").write_text(verdict, encoding="utf-8")
    draw(DEMO / "images", verdict, DEMO / "contact-sheet.png")
    print(closing(report, time.monotonic() - started))
    return 0


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(main())
