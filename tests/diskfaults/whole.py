"""Fails every call of a download of five images in every way; `make disk-faults`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.diskfaults.run_trials import KINDS, faults, trials


def main(part: int = 0, parts: int = 1) -> int:
    """Print what went wrong and a count; return 1 if anything did."""
    started, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="pixtrawl-") as folder, trials(Path(folder)) as tried:
        calls, images = tried.undisturbed()
        every = faults(calls)[part::parts]
        for number, fault in enumerate(every, 1):
            if said := tried.wrong(fault, images):
                wrong += 1
                print(said, flush=True)
            if number % 100 == 0:
                print(f"{number} of {len(every)}", file=sys.stderr, flush=True)
    taken_s = time.monotonic() - started
    print(
        f"{calls} calls, {len(KINDS)} kinds of fault, {len(every)} trials, {wrong} wrong, "
        f"{taken_s:.0f} s"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
