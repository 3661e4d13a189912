"""`python -m bench.dedup_variants_quality`: distinct variants dropped, and copies found, by kind.

Families of products and charts (`bench.dedup_variants`) are asked one after the other; what is
dropped of them is wrong. Edits are asked of their original alone. Limits were fixed on the half of
the names that `bench.dedup_quality` calls the first; only the second is reported. Needs the
pictures of `python -m bench.dedup_photos`, and matplotlib for charts: ten minutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from PIL import Image

from bench import dedup_edits as edits, dedup_photos as photos, dedup_variants as variants
from bench.dedup_quality import info_of, second_half
from pixtrawl.dedup import NearDuplicates
from pixtrawl.model import ImageInfo

LEVELS = ("strict", "near")
_SIDE = 560  # pixels of photographs, for edits of colour


def info(image: Image.Image) -> ImageInfo:
    return info_of(edits.encoded(image, quality=90))


def families() -> Iterator[tuple[str, str, variants.Variants]]:
    """Yield (group, name, variants by kind) of the reported half."""
    for group, found in (("product", variants.products()), ("chart", variants.charts(6))):
        for name, family in found:
            if second_half(name):
                yield group, name, family


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


class Tally:
    """What was asked and what came of it, by kind."""

    def __init__(self) -> None:
        self.pictures: Counter[str] = Counter()
        self.lost: dict[str, Counter[str]] = {level: Counter() for level in LEVELS}
        self.asked: Counter[str] = Counter()
        self.right: Counter[str] = Counter()

    def count_family(self, group: str, family: variants.Variants) -> None:
        for kind, images in family.items():
            infos = [one for one in map(info, images) if not one.flat]
            if len(infos) > 1:
                self.pictures[f"{group}, {kind}"] += len(infos) - 1
                for level in LEVELS:
                    self.lost[level][f"{group}, {kind}"] += dropped(level, infos)

    def count_core(self, group: str, image: Image.Image) -> None:
        copies = [info_of(edits.edited(image, edit)) for edit in edits.CORE]
        self._ask(f"{group}, core edits", info(image), copies)

    def count_tones(self, group: str, image: Image.Image) -> None:
        copies = [info(tone(image)) for tone in variants.TONES.values()]
        self._ask(f"{group}, edits of colour and tone", info(image), copies)

    def _ask(self, kind: str, original: ImageInfo, copies: list[ImageInfo]) -> None:
        if not original.flat:
            self.asked[kind] += len(copies)
            self.right[kind] += sum(found(original, copy) for copy in copies)

    def rows(self) -> Iterator[str]:
        yield "| variants dropped | pictures | strict | near |\n| --- | --- | --- | --- |"
        for kind, count in self.pictures.items():
            shares = " | ".join(f"{self.lost[level][kind] / count:.3f}" for level in LEVELS)
            yield f"| {kind} | {count} | {shares} |"
        yield "\n| copies found at near | files | share |\n| --- | --- | --- |"
        for kind, count in self.asked.items():
            yield f"| {kind} | {count} | {self.right[kind] / count:.3f} |"


def main() -> None:
    tally = Tally()
    for number, (group, _name, family) in enumerate(families()):
        tally.count_family(group, family)
        base = next(images[0] for images in family.values() if images)
        if group == "chart" or number % 3 == 0:
            tally.count_core(group, base)
        if group == "product":
            tally.count_tones(group, base)
    for picture in photos.photographs()[::3]:
        if second_half(picture.name):
            picture.image.thumbnail((_SIDE, _SIDE))
            tally.count_tones("photograph", picture.image)
    for row in tally.rows():
        print(row)


if __name__ == "__main__":
    main()
