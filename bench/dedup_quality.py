"""`python -m bench.dedup_quality [--fresh] [--sweep] [--rivals PYTHON]`: what each level finds.

Every photograph goes through 60 edits; each edited file is asked of a pool of all photographs and
of ninths of the large ones, under one label, with the candidates that the index really gives. Every
pool picture is asked of those before it. Precision = right / (right + edits given another picture +
pool pictures given any). Photographs are halved by a hash of their name: limits were fixed on the
first half, the second is what is reported. Hard classes (bursts, memes, cut-outs) stand apart.

What inspection says of the files is kept in the cache folder, for this version of the code that
makes and inspects them; `--fresh` makes it anew (4 minutes).
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import dedup_edits as edits, dedup_photos as photos, dedup_rivals as rivals
from pixtrawl import fine_greys, model
from pixtrawl.dedup import NearDuplicates
from pixtrawl.dedup.levels import LookLimits
from pixtrawl.images import decode, inspect, phash, pixels
from pixtrawl.images.appearance import chroma, fine_square, pdq
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.model import ImageInfo

MAX_PIXELS = 10**9
CAPTIONS = (
    "ONE DOES NOT SIMPLY/WALK INTO MORDOR",
    "WHEN YOU SEE IT/YOU CANNOT UNSEE IT",
    "NOT SURE IF/OR JUST MONDAY",
)
LIMITS = tuple(
    LookLimits(within, within, *second)
    for within, second in (
        (31, (24, 44)), (40, (24, 24)), (40, (24, 36)), (40, (24, 40)), (40, (24, 44)),
        (40, (24, 48)), (40, (30, 48)), (48, (30, 48)),
    )
)  # fmt: skip
LEVELS = ("strict", "near", "wide")


@dataclass(slots=True)
class Material:
    """What inspection says of everything that is measured."""

    names: list[str] = field(default_factory=list)  # of photographs
    originals: list[ImageInfo] = field(default_factory=list)
    edited: dict[str, list[ImageInfo]] = field(
        default_factory=dict
    )  # by edit, photograph by photograph
    tiles: list[ImageInfo] = field(default_factory=list)
    hard: dict[str, list[ImageInfo]] = field(default_factory=dict)


def info_of(data: bytes) -> ImageInfo:
    info = inspect_bytes(data, MAX_PIXELS).info
    assert info is not None
    return info


def gather() -> Material:
    """Edits and inspects everything: minutes."""
    found = Material(edited={name: [] for name in (*edits.CORE, *edits.EXTENDED)})
    pictures = photos.photographs()
    for picture in pictures:
        found.names.append(picture.name)
        found.originals.append(info_of(edits.encoded(picture.image, quality=92)))
        for name, infos in found.edited.items():
            infos.append(info_of(edits.edited(picture.image, name)))
    found.tiles = [info_of(edits.encoded(p.image, quality=92)) for p in photos.tiles()]
    for picture in [*photos.hard_cases(), *photos.products()]:
        found.hard.setdefault(picture.kind, []).append(info_of(edits.encoded(picture.image)))
    found.hard["meme"] = [
        info_of(edits.encoded(edits.captioned(picture.image, words)))
        for picture in pictures[::3]
        for words in CAPTIONS
    ]
    return found


def fingerprint() -> str:
    """A hash of the code that makes and inspects the files: what older code made is not used."""
    found = hashlib.sha256()
    for module in (
        edits,
        photos,
        inspect,
        decode,
        phash,
        pdq,
        chroma,
        pixels,
        model,
        fine_greys,
        fine_square,
    ):
        found.update(Path(str(module.__file__)).read_bytes())
    return found.hexdigest()[:12]


def material(*, fresh: bool) -> Material:
    """From the cache folder, where it is there and of the photographs that are there now."""
    kept = photos.cache_folder() / f"dedup-infos-{fingerprint()}.pickle"
    if not fresh and kept.exists():
        loaded: Material = pickle.loads(kept.read_bytes())
        if loaded.names == [photos.name_of(file) for file in photos.photograph_files()]:
            return loaded
    found = gather()
    kept.write_bytes(pickle.dumps(found))
    return found


def second_half(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


@dataclass(slots=True)
class Score:
    right: Counter[str] = field(default_factory=Counter)  # by edit
    asked: Counter[str] = field(default_factory=Counter)
    wrong_edits: int = 0
    wrong_natural: int = 0
    natural: int = 0
    seconds: float = 0.0  # of asking and adding the pool, processor time

    def recall(self, names: tuple[str, ...]) -> float:
        asked = sum(self.asked[n] for n in names)
        return sum(self.right[n] for n in names) / max(asked, 1)

    @property
    def precision(self) -> float:
        right = self.right.total()
        return right / max(right + self.wrong_edits + self.wrong_natural, 1)


def pool_of(stuff: Material) -> list[ImageInfo]:
    return [*stuff.originals, *stuff.tiles]


def measure(stuff: Material, known: NearDuplicates, half: bool | None) -> Score:
    """`half`: the second half of the photographs (True), the first (False), all (None)."""
    score = Score()
    start = time.process_time()
    for number, info in enumerate(pool_of(stuff)):
        match = known.find("x", info)
        known.add("x", number, info)
        score.natural += 1
        score.wrong_natural += match is not None
    score.seconds = time.process_time() - start
    for name, infos in stuff.edited.items():
        for number, info in enumerate(infos):
            if half is not None and second_half(stuff.names[number]) != half:
                continue
            match = known.find("x", info)
            score.asked[name] += 1
            if match is not None:
                score.right[name] += match.id == number
                score.wrong_edits += match.id != number
    return score


def dropped(known: NearDuplicates, infos: list[ImageInfo]) -> float:
    """The share of a class that is taken for a copy of an earlier member, one after the other."""
    gone = 0
    for number, info in enumerate(infos):
        if known.find("x", info) is None:
            known.add("x", number, info)
        else:
            gone += 1
    return gone / len(infos)


def rows(stuff: Material) -> Iterator[str]:
    yield "| level | half | precision | core | crops 10 % | extended | wrong edits | wrong pool |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for level in LEVELS:
        for half in (False, True):
            score = measure(stuff, NearDuplicates(level), half)
            yield (
                f"| {level} | {'reported' if half else 'fixed on'} | {score.precision:.4f} | "
                f"{score.recall(edits.CORE):.3f} | {score.recall(edits.CROPS_10):.3f} | "
                f"{score.recall(edits.EXTENDED):.3f} | "
                f"{score.wrong_edits} of {score.asked.total()} | "
                f"{score.wrong_natural} of {score.natural} |"
            )


def recall_by_edit(stuff: Material) -> Iterator[str]:
    yield "| edit | strict | near | wide | near, turned |"
    yield "| --- | --- | --- | --- | --- |"
    makers = [NearDuplicates(level) for level in LEVELS] + [NearDuplicates("near", turned=True)]
    scores = [measure(stuff, known, True) for known in makers]
    for name in (*edits.CORE, *edits.EXTENDED):
        yield f"| {name} | " + " | ".join(f"{s.recall((name,)):.3f}" for s in scores) + " |"
    turned = scores[-1]
    yield (
        f"turned: precision {turned.precision:.4f}, {1e3 * turned.seconds / turned.natural:.2f} ms "
        f"a distinct picture; upright {1e3 * scores[1].seconds / scores[1].natural:.2f} ms"
    )


def hard_rows(stuff: Material) -> Iterator[str]:
    yield "| class | pictures | strict | near | wide |"
    yield "| --- | --- | --- | --- | --- |"
    for kind, infos in stuff.hard.items():
        shares = " | ".join(f"{dropped(NearDuplicates(level), infos):.3f}" for level in LEVELS)
        yield f"| {kind} | {len(infos)} | {shares} |"


def sweep(stuff: Material) -> Iterator[str]:
    """On the first half only: what other limits would do."""
    yield "| hash | aligned | fitting | precision | core | crops 10% | extended | product | frame |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for limits in LIMITS:

        def with_limits(limits: LookLimits = limits) -> NearDuplicates:
            known = NearDuplicates("near")
            known._rule = limits
            return known

        score = measure(stuff, with_limits(), half=False)
        cells = [limits.within_label, limits.aligned, limits.fitting, f"{score.precision:.4f}"]
        cells += [f"{score.recall(e):.3f}" for e in (edits.CORE, edits.CROPS_10, edits.EXTENDED)]
        cells += [
            f"{dropped(with_limits(), stuff.hard[kind]):.3f}" for kind in ("product", "same frame")
        ]
        yield "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="edit and inspect anew")
    parser.add_argument("--sweep", action="store_true", help="other limits, on the first half")
    parser.add_argument("--rivals", metavar="PYTHON", help="interpreter with other tools installed")
    options = parser.parse_args()
    stuff = material(fresh=options.fresh)
    parts = [sweep] if options.sweep else [rows, recall_by_edit, hard_rows]
    if options.rivals:
        print(*rivals.table(options.rivals), sep="\n", flush=True)
        return
    for part in parts:
        for line in part(stuff):
            print(line, flush=True)
        print()
    flat = sum(info.flat for info in stuff.originals)
    print(
        f"{len(stuff.names)} photographs ({flat} flat), {len(stuff.tiles)} ninths", file=sys.stderr
    )


if __name__ == "__main__":
    main()
