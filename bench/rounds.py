"""Contenders in turn, several rounds, and the medians: what all scenarios share."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import contenders, measure
from bench.contenders import Command, Place
from bench.corpus import Corpus
from bench.measure import Result
from bench.servers import Nginx


@dataclass(slots=True)
class Table:
    """One scenario's results: medians over rounds, in the order of the contenders."""

    name: str
    title: str
    images: int
    rounds: int
    rows: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Bench:
    """What all scenarios share."""

    work: Path
    out: Path  # emptied for every run
    corpus: Corpus
    nginx: Nginx
    peers: Path
    rounds: int = 5
    quick: bool = False
    tell: Callable[[str], None] = print
    who: tuple[str, ...] = ()  # parts of names; empty: everyone

    def urls(self, name: str, urls: list[str]) -> Path:
        path = self.work / f"{name}.txt"
        path.write_text("".join(f"{url}\n" for url in urls))
        return path

    def names(self, count: int) -> list[str]:
        """A fair part of the corpus: every kind of picture in its share."""
        names = self.corpus.names
        return names[:: max(1, len(names) // count)][:count]

    def compare(
        self, table: Table, urls: Path, who: Mapping[str, Command], **known: set[str]
    ) -> Table:
        """Every contender in turn, `table.rounds` times."""
        runs: dict[str, list[Result]] = {}
        for number in range(table.rounds):
            for name, command in who.items():
                if not contenders.installed(name) or not self._takes_part(name):
                    continue
                result = self._once(table, urls, name, command, known)
                runs.setdefault(name, []).append(result)
                kept = f"{result.right} right, {result.junk} junk, {result.other} other"
                self.tell(f"{table.name} {number + 1}: {name} {result.wall_s:.2f} s, {kept}")
        table.rows = [median(results) for results in runs.values()]
        return table

    def _takes_part(self, name: str) -> bool:
        return not self.who or any(part in name for part in self.who)

    def _once(
        self, table: Table, urls: Path, name: str, command: Command, known: dict[str, set[str]]
    ) -> Result:
        out = measure.emptied(self.out)
        place = Place(urls, out, self.corpus, self.peers, self.nginx.ca_file, self.nginx.ca_folder)
        result, began = measure.run(
            name, command(place), environment=self.nginx.trust, log=self.work / "log.txt"
        )
        measure.judge(result, out, began, known.get("good", set()), known.get("junk", set()))
        result.extra["cpu_ms_per_image"] = 1000 * result.cpu_s / table.images
        result.extra["images_per_s"] = table.images / result.wall_s
        return result


def median(results: list[Result]) -> Result:
    """The middle of each number; what was kept, and how it ended, at its worst."""

    def middle(values: list[float]) -> float:
        return round(statistics.median(values), 4)

    times = [r.to_95_s for r in results if r.to_95_s is not None]
    keys = results[0].extra
    walls = [r.wall_s for r in results]
    return replace(
        results[0],
        wall_s=middle(walls),
        cpu_s=middle([r.cpu_s for r in results]),
        pss_mb=middle([r.pss_mb for r in results]),
        right=min(r.right for r in results),
        junk=max(r.junk for r in results),
        other=max(r.other for r in results),
        exit_code=max((r.exit_code for r in results), key=abs),
        to_95_s=middle(times) if times else None,
        extra={key: middle([r.extra[key] for r in results]) for key in keys}
        | {"fastest_s": min(walls), "slowest_s": max(walls)},
    )  # fmt: skip
