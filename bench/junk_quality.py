"""What the junk rules refuse, by kind of picture; thresholds were fixed on the other half.

    python -m bench.junk_quality [DRAWN_PICTURES_OF_A_KIND_AND_HALF]

Needs the photographs of `python -m bench.dedup_photos`, the fonts of `python -m bench.junk_layouts`
and what `python -m bench.junk_held` downloads.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Mapping
from random import Random

from bench import dedup_photos
from bench.junk_held import HELD
from bench.junk_layouts import LAYOUTS
from bench.junk_pictures import JUNK, Draw, encoded, samples
from pixtrawl.config.groups import Images
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.junk.drawn import drawn_junk
from pixtrawl.images.rules import Rules, upright
from pixtrawl.model import Candidate

_ROUNDS = 20
_CANDIDATE = {"url": "http://h.example/a.jpg", "query": "q", "label": "q", "source": "bing"}
_NAMES = {"logo": "acme-logo.png", "removed tile": "no-image.png"}  # usual names of such files


def main(each: int) -> None:
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    rules = Rules(Images())
    candidate = Candidate(**_CANDIDATE)
    costs_s: dict[bool, list[float]] = {False: [], True: []}
    for sample in samples(each):
        info = inspect_bytes(sample.data, 10**8).info
        assert info is not None, sample.kind
        reason, _detail = rules.judge(candidate, candidate.url, candidate.kind, info)
        found.setdefault(sample.kind, (Counter(), Counter()))[sample.half][reason.value] += 1
        began = time.process_time()
        for _ in range(_ROUNDS):
            drawn_junk(info, *upright(info), "q")
        cost_s = (time.process_time() - began) / _ROUNDS
        costs_s[sample.kind in JUNK].append(cost_s)
    print("| kind | refused, first half | refused, second half | with |\n| --- | --- | --- | --- |")
    for kind, halves in found.items():
        told = [f"{n.total() - n['saved']} of {n.total()}" for n in halves]
        why = ", ".join(f"{r} {n}" for r, n in halves[1].most_common() if r != "saved")
        print(f"| {kind} | {' | '.join(told)} | {why} |")
    _print_layouts("seen layouts", LAYOUTS, each, rules)
    _print_layouts("kept back", HELD, each, rules)
    for is_junk, values in costs_s.items():
        mean_ms = 1000 * sum(values) / max(len(values), 1)
        print(f"{'junk' if is_junk else 'others'}: {mean_ms:.3f} ms of CPU an image more")


def _print_layouts(title: str, layouts: Mapping[str, Draw], each: int, rules: Rules) -> None:
    """Print what is refused by its look alone, and with a name of its kind as the file's."""
    photos = [picture.image for picture in dedup_photos.photographs()[1::2]]
    print(f"| kind, {title} | refused | with | refused, named |\n| --- | --- | --- | --- |")
    for kind, draw in layouts.items():
        plain, named = Candidate(**_CANDIDATE), _named(kind)
        counts: Counter[str] = Counter()
        found = 0
        for at in range(each):
            rng = Random(f"held {kind} {at}")
            random.seed(f"held {kind} {at}")  # generators of others take the common one
            data = encoded(draw(rng, photos), rng.choice((60, 75, 85, 92)))
            info = inspect_bytes(data, 10**8).info
            assert info is not None
            counts[rules.judge(plain, plain.url, plain.kind, info)[0].value] += 1
            found += rules.judge(named, named.url, named.kind, info)[0].value != "saved"
        why = ", ".join(f"{r} {n}" for r, n in counts.most_common() if r != "saved")
        share = f"{counts.total() - counts['saved']} of {counts.total()}"
        print(f"| {kind} | {share} | {why} | {found} of {each} |")


def _named(kind: str) -> Candidate:
    name = _NAMES.get(kind, "captcha.jpg" if kind.startswith("captcha") else "a.jpg")
    return Candidate(**{**_CANDIDATE, "url": f"http://h.example/img/{name}"})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
