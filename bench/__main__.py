"""`python -m bench`: one table out. Needs nginx; curl, aria2, wget are left out where missing.

The peers are installed from PyPI into an environment of their own (`bench/peers.txt`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import contenders, report
from bench.corpus import corpus
from bench.rounds import Bench
from bench.scenarios import ALL
from bench.servers import Nginx


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(ALL), help="repeatable")
    parser.add_argument("--who", action="append", metavar="PART", help="of a name; repeatable")
    parser.add_argument("--quick", action="store_true", help="smaller lists, one round")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved; medians are shown")
    parser.add_argument("--work", type=Path, default=Path(".bench"), help="everything made is here")
    parser.add_argument(
        "--out", type=Path, help="where contenders write; .bench/out. A disk's file system looks "
        "through what was just removed there: /dev/shm/bench shows the programs by themselves"
    )  # fmt: skip
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    out = (arguments.out or work / "out").resolve()
    pictures = corpus(work / "corpus")
    peers = contenders.peers_python(work / "peers")
    tables = []
    with Nginx(work / "nginx", work / "corpus") as nginx:
        rounds = 1 if arguments.quick else arguments.rounds
        bench = Bench(work, out, pictures, nginx, peers, rounds, arguments.quick, _tell,
                      tuple(arguments.who or ()))  # fmt: skip
        for name in arguments.only or ALL:
            tables.append(ALL[name](bench))
            report.write(work, tables, contenders.versions(peers))
    sys.stdout.write(report.markdown(tables))


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
