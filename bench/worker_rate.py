"""How many URLs a second one worker of a job gets, by the CPU that a picture costs it.

    python -m bench.worker_rate --rounds 3

The corpus of the other benchmarks (2,000 pictures of 129 KB) over loopback, `pixtrawl worker` on
jobs of 500 and of 2,000 of them: their difference is what a picture costs, without any start. A
worker with five cores is as fast as its main process on one, or its decoders on the other four,
whichever is slower. `pixtrawl cluster plan` and `bench.cluster_simulation` assume the result.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.corpus import corpus
from bench.ray_shards import COMMAND, WORKER, used
from bench.servers import Nginx

_FEW: Final = 500
_DECODER_CORES: Final = 4


def carried_out(names: list[str], port: int, work: Path) -> dict[str, float]:
    """Carry out a job over these pictures. Return the CPU seconds by kind of process."""
    listed, store = work / "urls.txt", work / "store"
    listed.write_text("\n".join(f"http://127.0.0.1:{port}/img/{name}" for name in names))
    shutil.rmtree(store, ignore_errors=True)
    pixtrawl = [sys.executable, "-m", "pixtrawl"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [*pixtrawl, "cluster", "prepare", str(listed), "-o", str(store), "-q", "--shard-rows",
         str(_FEW), "--allow-address", "127.0.0.0/8"],
        check=True, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return used([*pixtrawl, "worker", str(store), "-q"], environment)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.worker_rate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(".bench"))
    arguments = parser.parse_args()
    work: Path = arguments.work.resolve()
    pictures = corpus(work / "corpus")
    loops, decoders = [], []
    with Nginx(work / "nginx", work / "corpus") as nginx:
        for number in range(arguments.rounds):
            few, many = (
                carried_out(pictures.names[:count], nginx.http, work)
                for count in (_FEW, len(pictures.names))
            )
            more = (len(pictures.names) - _FEW) / 1000
            loops.append((many[COMMAND] - few[COMMAND]) / more)
            decoders.append((many[WORKER] - few[WORKER]) / more)
            sys.stdout.write(
                f"{number}: main process {loops[-1]:.2f}, decoders {decoders[-1]:.2f} ms of CPU\n"
            )
            sys.stdout.flush()
    rates = 1000 / statistics.median(loops), _DECODER_CORES * 1000 / statistics.median(decoders)
    sys.stdout.write(
        f"by the main process {rates[0]:,.0f}, by {_DECODER_CORES} decoders {rates[1]:,.0f} a "
        f"second; a worker {min(rates):,.0f}\n"
    )


if __name__ == "__main__":
    main()
