"""Run the fuzzers: `python -m fuzz [--seconds N] [--corpus DIR] [NAME ...]`.

Each target gets its share of the seconds, in a process of its own, as a crash ends it. The corpus
grows in DIR; the input of a finding lies there, too, as `crash-...`, `timeout-...` or `oom-...`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from fuzz.targets import TARGETS

_LEAST_S = 5
_ONE_INPUT_S = 20
_MEMORY_MB = 2048


def main() -> int:
    """Run each target in turn. Return 1 where one has a finding."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=900, help="for all targets together")
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    asked = parser.parse_args()
    names = asked.names or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    failed = [name for name in names if not _run(name, asked.seconds // len(names), asked.corpus)]
    print(f"{len(names) - len(failed)} of {len(names)} targets without a finding")
    for name in failed:
        print(f"finding: {name}, see {asked.corpus / name}; again: python -m fuzz.one {name} FILE")
    return 1 if failed else 0


def _run(name: str, seconds: int, corpus: Path) -> bool:
    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    log = corpus / f"{name}.log"
    options = [
        f"-max_total_time={max(seconds, _LEAST_S)}",
        f"-timeout={_ONE_INPUT_S}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-max_len={TARGETS[name].most_bytes}",
        f"-artifact_prefix={corpus}/{name}-",
    ]
    command = [sys.executable, "-W", "ignore", "-m", "fuzz.one", name, *options, str(folder)]
    with log.open("wb") as output:
        ended = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    told = log.read_text("utf-8", "replace").splitlines()
    done = next((line for line in reversed(told) if line.startswith("Done ")), "")
    print(f"{name:14} {'finding' if ended.returncode else 'ok':8} {done}", flush=True)
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
