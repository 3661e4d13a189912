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

from contact_sheet import draw

from pixtrawl.playground import Playground

DEMO = Path(".demo")
QUERIES = ("tabby cat", "golden retriever", "steam train", "lighthouse")
LIMIT = 20
TIME_LIMIT_S = 170
PIXTRAWL = (sys.executable, "-m", "pixtrawl")


def arguments(url: str) -> list[str]:
    """The command's words after `pixtrawl`."""
    return [
        "run", str(DEMO / "queries.csv"), "-s", "google", "-s", "bing",
        "--set", f"google.base_url={url}", "--set", f"bing.base_url={url}",
        "--allow-address", "127.0.0.0/8", "-n", str(LIMIT), "-o", str(DEMO / "images"),
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


def without_browser() -> list[str]:
    """What `google` said for each query where its Chrome did not bring results."""
    words = [*PIXTRAWL, "report", str(DEMO / "images"), "--json"]
    shown = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    answers = {
        row["query"]: row["sources"].get("google") for row in json.loads(shown.stdout)["queries"]
    }
    return [
        f"{query}: {answer['outcome']} {answer['detail'].get('message', '')}"
        for query, answer in answers.items()
        if answer and answer["outcome"] != "ok"
    ]


def main() -> int:
    """Runs the demo in the current folder."""
    started = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()
    (DEMO / "queries.csv").write_text("\n".join(QUERIES) + "\n", encoding="utf-8")
    with Playground(faults="some", log=False) as site:
        code, verdict = run(arguments(site.url))
    if code == 0 and (complaints := without_browser()):
        print("\nThe images are there, but Chrome had no part in it:", *complaints, sep="\n  ")
        return 1
    (DEMO / "verdict.txt").write_text(verdict, encoding="utf-8")
    if code == 0:
        draw(DEMO / "images", verdict, DEMO / "contact-sheet.png")
        print(
            f"\nDemo done in {time.monotonic() - started:.0f} s. Look at:\n"
            f"  {DEMO}/contact-sheet.png     all images at a glance\n"
            f"  {DEMO}/images/               the data set: a folder per keyword, metadata.jsonl\n"
            "  .venv/bin/pixtrawl report .demo/images"
        )
    else:
        print(f"\nThe demo ended with exit code {code}; `make demo` tries again.", file=sys.stderr)
    return code


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(main())
