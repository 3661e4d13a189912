"""Other tools on the same files: found copies and wrong pairs, each with its own usual limit.

`python -m bench.dedup_rivals PYTHON [FOLDER]`: tables by kind of picture and by edit, on the small
folder of `bench.dedup_kinds` (in FOLDER, by default a temporary one). Charts need matplotlib.

The tools are not dependencies of the project. `uv venv rivals; uv pip install --python rivals
imagehash pdqhash imagededup cleanvision fastdup` makes an environment for PYTHON; what is not there
is left out. Every tool gets one folder and says which pairs of files are the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import dedup_edits as edits, dedup_kinds as kinds, dedup_photos as photos
from pixtrawl.dedup import NearDuplicates
from pixtrawl.images.inspect import inspect_bytes

# Beyond the core kinds that every hash finds, those that tell the tools apart.
KINDS = (
    "q60", "q30", "resize50", "thumb225", "webp70", "crop5", "crop10", "crop10 middle",
    "bright+25", "grey", "blur", "watermark text", "logo 12%", "border black 5%", "rotate 1",
)  # fmt: skip
_SCRIPT = Path(__file__).with_name("dedup_rivals_run.py")

Pairs = set[tuple[str, str]]


def folder() -> Path:
    """Writes the files once: originals `p<number>.jpg`, edits `p<number>_<edit>`, ninths `t...`."""
    place = photos.cache_folder() / "rivals-folder"
    if place.exists():
        return place
    unfinished = place.with_suffix(".part")
    unfinished.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(photos.photographs()):
        original = edits.encoded(picture.image, quality=92)
        (unfinished / f"p{number:03d}.jpg").write_bytes(original)
        if number % 17 < 6:
            for at, kind in enumerate(KINDS):
                suffix = "webp" if kind == "webp70" else "jpg"
                data = edits.edited(picture.image, kind)
                (unfinished / f"p{number:03d}_{at:02d}.{suffix}").write_bytes(data)
    for number, picture in enumerate(photos.tiles()):
        (unfinished / f"t{number:03d}.jpg").write_bytes(edits.encoded(picture.image, quality=92))
    unfinished.rename(place)
    return place


def ours(files: list[Path], level: str) -> tuple[Pairs, float]:
    """As a run does: one file after the other, each kept or a copy of a kept one."""
    known, pairs = NearDuplicates(level), set[tuple[str, str]]()
    start = time.process_time()
    for number, file in enumerate(files):
        info = inspect_bytes(file.read_bytes(), 10**9).info
        assert info is not None
        match = known.find("x", info)
        if match is None:
            known.add("x", number, info)
        else:
            pairs.add((files[match.id].name, file.name))
    return pairs, time.process_time() - start


def judged(pairs: Pairs, files: list[Path]) -> tuple[float, float, int]:
    """(share of edits joined with their original or another edit of it, of crops, wrong pairs)."""
    group = {file.name: file.stem.partition("_")[0] for file in files}
    joined = {name for pair in pairs if group[pair[0]] == group[pair[1]] for name in pair}
    wrong = {tuple(sorted(pair)) for pair in pairs if group[pair[0]] != group[pair[1]]}
    copies = [file for file in files if "_" in file.stem]
    crops = [f for f in copies if KINDS[int(f.stem[-2:])].startswith("crop10")]

    def share(some: list[Path]) -> float:
        return sum(file.name in joined for file in some) / len(some)

    return share(copies), share(crops), len(wrong)


def asked(python: str, place: Path, files: list[Path]) -> Iterator[tuple[str, Pairs, float]]:
    """Yield (tool, pairs, processor seconds); the others run in their own environment."""
    for level in ("strict", "near", "wide"):
        yield f"pixtrawl --dedup {level}", *ours(files, level)
    answer = subprocess.run(
        [python, _SCRIPT, place], stdout=subprocess.PIPE, text=True, check=False
    )
    for line in answer.stdout.splitlines():
        if line.startswith("{"):
            found = json.loads(line)
            yield found["tool"], {(a, b) for a, b in found["pairs"]}, found["seconds"]


def table(python: str) -> Iterator[str]:
    """The rows, as they become known."""
    files = sorted(folder().iterdir())
    copies = sum("_" in f.stem for f in files)
    yield f"{len(files)} files, {copies} of them edits"
    yield "| tool | ms an image | found | crops 10 % | wrong pairs |"
    yield "| --- | --- | --- | --- | --- |"
    for tool, pairs, seconds in asked(python, folder(), files):
        share, crops, wrong = judged(pairs, files)
        each = 1e3 * seconds / len(files)
        yield f"| {tool} | {each:.1f} | {share:.3f} | {crops:.3f} | {wrong} |"


class _Verdict:
    """One tool's pairs in the folder of kinds."""

    def __init__(self, files: list[Path], pairs: Pairs) -> None:
        self.names = {file.name: kinds.name_of(file.stem) for file in files}
        both = [(a, b, self.names[a], self.names[b]) for a, b in pairs]
        one = [pair for pair in both if pair[2].family == pair[3].family]
        self.joined = {n for a, b, x, y in one if x.variant == y.variant for n in (a, b)}
        self.mixed = {b for a, b, x, y in one if x.variant != y.variant and not x.edit + y.edit}
        self.wrong = {
            tuple(sorted((x.family, y.family))) for _, _, x, y in both if x.family != y.family
        }

    def found(self, *, kind: str = "", edit: str = "") -> str:
        some = [
            file in self.joined
            for file, name in self.names.items()
            if name.edit and kind in ("", name.kind) and edit in ("", name.edit)
        ]
        return f"{sum(some) / len(some):.3f}" if some else "-"

    def dropped(self, kind: str) -> str:
        some = [
            file in self.mixed
            for file, name in self.names.items()
            if name.kind == kind and not name.edit and name.variant != "0"
        ]
        return f"{sum(some) / len(some):.3f}" if some else "-"


def kinds_table(python: str, place: Path) -> Iterator[str]:
    """The rows by kind, then by edit."""
    if not place.exists():
        kinds.write_into(place)
    files = sorted(place.iterdir())
    shown = sorted({kinds.name_of(file.stem).kind for file in files})
    yield f"{len(files)} files, {sum('_' in file.stem for file in files)} of them edits"
    heads = [*shown, "product variants dropped", "chart variants dropped", "wrong", "ms an image"]
    yield f"| found of | {' | '.join(heads)} |\n|{' --- |' * (len(heads) + 1)}"
    by_edit = []
    for tool, pairs, seconds in asked(python, place, files):
        told = _Verdict(files, pairs)
        cells = [told.found(kind=kind) for kind in shown]
        cells += [told.dropped("product"), told.dropped("chart"), str(len(told.wrong))]
        yield f"| {tool} | {' | '.join(cells)} | {1e3 * seconds / len(files):.1f} |"
        row = " | ".join(told.found(edit=edit) for edit in kinds.EDITS)
        by_edit.append(f"| {tool} | {row} |")
    yield f"\n| found of | {' | '.join(kinds.EDITS)} |\n|{' --- |' * (len(kinds.EDITS) + 1)}"
    yield from by_edit


def main() -> None:
    python, *rest = sys.argv[1:] or sys.exit("usage: python -m bench.dedup_rivals PYTHON [FOLDER]")
    with tempfile.TemporaryDirectory() as work:
        place = Path(rest[0]) if rest else Path(work) / "kinds"
        for row in kinds_table(python, place):
            print(row, flush=True)


if __name__ == "__main__":
    main()
