"""`python -m bench.dedup_variants_quality [--half fixed|reported] [--fresh] [--groups ...]`

What is dropped of distinct variants of one thing, and which copies of them are found, by kind.

Families of products and charts (`bench.dedup_variants`), garments, charts drawn without a library,
pages with other words, and photographs in which one thing has another hue are asked one after the
other; what is dropped of them is wrong. Edits are asked of their original alone. Limits were fixed
on the half of the names that `bench.dedup_quality` calls the first; the second is reported. Needs
the pictures of `python -m bench.dedup_photos`, and matplotlib for charts: five minutes of an idle
core, and one or two with what inspection said the last time.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.dedup_families import GROUPS, Family, families
from bench.dedup_quality import second_half
from pixtrawl.dedup import NearDuplicates
from pixtrawl.model import ImageInfo

LEVELS = ("strict", "near")


def dropped(level: str, infos: list[ImageInfo]) -> int:
    """Count those taken for a copy of an earlier one."""
    known, gone = NearDuplicates(level), 0
    for number, one in enumerate(infos):
        if known.find("x", one) is None:
            known.add("x", number, one)
        else:
            gone += 1
    return gone


def found(original: ImageInfo, copy: ImageInfo) -> bool:
    known = NearDuplicates("near")
    known.add("x", 1, original)
    return known.find("x", copy) is not None


@dataclass(slots=True)
class Tally:
    """What was asked and what came of it, by kind."""

    pictures: Counter[str] = field(default_factory=Counter)
    lost: dict[str, Counter[str]] = field(
        default_factory=lambda: {level: Counter() for level in LEVELS}
    )
    asked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)  # by kind and edit

    def count(self, group: str, family: Family) -> None:
        for kind, every in family.variants.items():
            infos = [one for one in every if not one.flat]
            if len(infos) > 1:
                self.pictures[f"{group}, {kind}"] += len(infos) - 1
                for level in LEVELS:
                    self.lost[level][f"{group}, {kind}"] += dropped(level, infos)
        if family.original is None or family.original.flat:
            return
        for kind, copies in family.copies.items():
            self.asked[f"{group}, {kind}"] += len(copies)
            for edit, copy in copies.items():
                hit = found(family.original, copy)
                self.right[f"{group}, {kind}"] += hit
                self.missed[f"{group}: {edit}"] += not hit

    def rows(self) -> Iterator[str]:
        yield "| variants dropped | pictures | strict | near |\n| --- | --- | --- | --- |"
        for kind, count in self.pictures.items():
            shares = " | ".join(f"{self.lost[level][kind] / count:.3f}" for level in LEVELS)
            yield f"| {kind} | {count} | {shares} |"
        yield "\n| copies found at near | files | share |\n| --- | --- | --- |"
        for kind, count in self.asked.items():
            yield f"| {kind} | {count} | {self.right[kind] / count:.3f} |"
        worst = [f"{edit} {count}" for edit, count in self.missed.most_common(20) if count]
        yield f"\nmissed most: {', '.join(worst)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("fixed", "reported"), default="reported")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--fresh", action="store_true", help="draw and inspect anew")
    options = parser.parse_args()
    tally, began = Tally(), 0.0
    for group in options.groups:
        some = families(group, fresh=options.fresh)
        started = time.process_time()
        for family in some:
            if second_half(family.name) == (options.half == "reported"):
                tally.count(group, family)
        began += time.process_time() - started
    print(*tally.rows(), sep="\n")
    print(f"asked in {began:.1f} s of processor time")


if __name__ == "__main__":
    main()
