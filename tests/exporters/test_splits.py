"""Shares, strata, groups on one side, and what stays where it was."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace
from PIL import Image, ImageOps

from pixtrawl.errors import UsageError
from pixtrawl.exporters.origin import FolderOrigin
from pixtrawl.exporters.plan import ExportPlan, Selection
from pixtrawl.exporters.splits import Dealer, Splitting, block_place, parse_shares
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.model import Candidate, ImageInfo, Sample
from tests.dedup.test_look_alikes import picture as detailed
from tests.exporters import dataset
from tests.matrices import examples, matrix

THREE = parse_shares("train=0.8,val=0.1,test=0.1")


def sample(label: str, number: int, **facts: object) -> Sample:
    """A sample whose bytes are told by its label and number alone."""
    data = b"not looked at"
    made = Sample(
        id=number,
        label=label,
        number=number,
        file_name=f"{label}/{number:06d}.jpg",
        info=ImageInfo(
            format="jpeg", width=100, height=80, size_bytes=len(data), sha256=f"{label} {number}"
        ),
        candidate=Candidate(url="https://a.example/x.jpg", query=label, label=label, source="s"),
        url="https://a.example/x.jpg",
        final_url="",
        fetched_at="2026-11-22T10:00:00Z",
    )
    return replace(made, **facts)


@pytest.fixture(autouse=True)
def every_file_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderOrigin, "place", lambda self, sample: sample.file_name)


def dealt(samples: Iterable[Sample], splitting: Splitting, **more: object) -> dict[str, str]:
    """Split by file name."""
    with ExportPlan(samples, Path("images"), splitting=splitting, **more) as plan:  # type: ignore[arg-type]
        return {entry.file_name: entry.split for entry in plan.entries()}


def test_each_label_meets_the_shares() -> None:
    samples = [sample(label, number) for label in "abc" for number in range(1, 101)]
    splits = dealt(samples, Splitting(shares=THREE))
    counts = Counter((name[0], split) for name, split in splits.items())
    assert counts == {
        (label, split): count
        for label in "abc"
        for split, count in (("train", 80), ("val", 10), ("test", 10))
    }


def test_images_that_are_added_move_none_of_the_others() -> None:
    before = [sample(label, number) for label in "bc" for number in range(1, 38)]
    after = before + [sample("b", number) for number in range(38, 90)]
    after += [sample("a", number) for number in range(1, 20)]
    old, new = (dealt(samples, Splitting(shares=THREE)) for samples in (before, after))
    assert {name: new[name] for name in old} == old


def test_a_seed_gives_another_split_and_the_same_seed_the_same() -> None:
    samples = [sample("a", number) for number in range(1, 101)]
    one, again, other = (dealt(samples, Splitting(shares=THREE, seed=seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def looks_like(picture: int, edit: int) -> bytes:
    """A hash of 256 bits, and a few bits away from it."""
    pixels = bytearray(hashlib.sha256(str(picture).encode()).digest())
    pixels[3] ^= (1 << 2 * edit) - 1
    return bytes(pixels)


def test_near_duplicates_end_on_one_side_even_across_labels() -> None:
    samples = []
    for number in range(1, 61):
        info = replace(sample("a", number).info, phash=looks_like(number % 20, number // 20))
        samples += [
            sample(label, number, info=replace(info, sha256=f"{label}{number}")) for label in "ab"
        ]
    splits = dealt(sorted(samples, key=lambda s: s.label), Splitting(shares=THREE))
    sides: dict[int, set[str]] = {}
    for one in samples:
        sides.setdefault(one.number % 20, set()).add(splits[one.file_name])
    assert all(len(side) == 1 for side in sides.values())
    assert set(splits.values()) == {"train", "val", "test"}


def test_crops_of_one_picture_end_on_one_side() -> None:
    samples = []
    for number in range(1, 61):
        soft, fine = (dataset.picture(number % 20 + n).resize((400, 300)) for n in (0, 100))
        detail = dataset.picture(number % 20, (80, 60)).rotate(180).resize((27, 20))
        picture = Image.blend(soft, fine, 0.3)
        for left, top in ((50, 40), (250, 90), (140, 200)):
            picture.paste(detail.resize((70, 50)), (left, top))
        left = 15 * (number // 20)
        crop = picture.crop((left, 0, left + 370, 280)) if number >= 20 else picture
        found = inspect_bytes(dataset.encoded(crop), 1_000_000).info
        assert found is not None
        samples.append(sample("a", number, info=found))
    splits = dealt(samples, Splitting(shares=parse_shares("train=0.5,test=0.5")))
    sides: dict[int, set[str]] = {}
    for one in samples:
        sides.setdefault(one.number % 20, set()).add(splits[one.file_name])
    assert [number for number, side in sides.items() if len(side) > 1] == []
    assert set(splits.values()) == {"train", "test"}


def test_groups_that_are_chained_by_others_end_on_one_side() -> None:
    samples = [sample("a", number) for number in range(1, 101)]

    def next_one(one: Sample) -> list[str]:
        decade = one.number // 10  # 10-19 share keys pairwise: 10-11, 11-12, ...
        return [f"{decade} {one.number}", f"{decade} {one.number + 1}"]

    splits = dealt(samples, Splitting(shares=THREE), group_of=next_one)
    for decade in range(1, 10):
        assert len({splits[f"a/{decade * 10 + n:06d}.jpg"] for n in range(10)}) == 1


def test_flat_pictures_are_no_duplicates_of_one_another() -> None:
    blank = replace(sample("a", 1).info, phash=bytes(32), flat=True)
    samples = [
        sample("a", number, info=replace(blank, sha256=f"{number}")) for number in range(1, 101)
    ]
    counts = Counter(dealt(samples, Splitting(shares=THREE)).values())
    assert counts == {"train": 80, "val": 10, "test": 10}


def by_host(hosts: dict[str, int]) -> list[Sample]:
    names = [host for host, count in hosts.items() for _ in range(count)]
    return [
        sample("ab"[n % 2], n, final_url=f"https://www.{host}:8443/{n}.jpg")
        for n, host in enumerate(names, 1)
    ]


def test_whole_hosts_stay_on_one_side_and_the_shares_are_near() -> None:
    hosts = {"big.example": 90, **{f"h{n}.example": 3 + n % 9 for n in range(40)}}
    samples = sorted(by_host(hosts), key=lambda one: one.label)
    splits = dealt(samples, Splitting(shares=THREE, by="host"))
    sides: dict[str, set[str]] = {}
    for one in samples:
        host = one.final_url.split("/")[2]
        sides.setdefault(host, set()).add(splits[one.file_name])
    assert all(len(side) == 1 for side in sides.values())
    counts = Counter(splits.values())
    assert abs(counts["train"] / len(samples) - 0.8) < 0.03
    assert abs(counts["val"] / len(samples) - 0.1) < 0.03


def test_a_single_host_goes_to_the_largest_split() -> None:
    assert set(dealt(by_host({"one.example": 9}), Splitting(shares=THREE, by="host")).values()) == {
        "train"
    }


def test_balancing_keeps_the_first_images_of_each_label() -> None:
    sizes = {"a": 40, "b": 12, "c": 25}
    samples = [sample(label, n) for label, size in sizes.items() for n in range(1, size + 1)]
    for balance, wanted in (("min", (12, 12, 12)), (20, (20, 12, 20))):
        names = dealt(samples, Splitting(), selection=Selection(balance=balance))
        assert Counter(name[0] for name in names) == dict(zip("abc", wanted, strict=True))
        assert max(name for name in names if name[0] == "a") == f"a/{wanted[0]:06d}.jpg"


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(labels=frozenset({"b"})), ["b/000001.jpg"]),
        (Selection(licenses=frozenset({"cc-by"})), ["b/000001.jpg"]),
        (Selection(licenses=frozenset({"CC BY 4.0"})), ["b/000001.jpg"]),
        (Selection(licenses=frozenset({"cc by-nc"})), ["a/000001.jpg"]),
        (Selection(licenses=frozenset({"cc"})), []),
        (Selection(licenses=frozenset({"open"})), ["a/000001.jpg", "b/000001.jpg"]),
        (Selection(licenses=frozenset({"commercial"})), ["b/000001.jpg"]),
        (Selection(licenses=frozenset({"public"})), []),
        (Selection(min_size=(101, 80)), []),
        (Selection(min_size=(100, 80)), ["a/000001.jpg", "b/000001.jpg"]),
    ],
)
def test_only_images_that_were_asked_for_are_exported(
    selection: Selection, kept: list[str]
) -> None:
    samples = [
        replace(one, candidate=replace(one.candidate, license=license_))
        for one, license_ in ((sample("a", 1), "CC BY-NC 4.0"), (sample("b", 1), "CC BY 4.0"))
    ]
    assert list(dealt(samples, Splitting(), selection=selection)) == kept


@pytest.mark.skipif(sys.platform == "win32", reason="Windows names every open file")
def test_a_plan_has_no_name_on_disk_that_a_killed_export_could_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    samples = [sample("a", number) for number in range(1, 101)]
    with ExportPlan(samples, Path("images"), splitting=Splitting()) as plan:
        assert len(plan) == 100
        assert not list(tmp_path.iterdir())


def test_a_shuffled_plan_mixes_the_labels_and_is_the_same_each_time() -> None:
    samples = [sample(label, number) for label in "ab" for number in range(1, 51)]

    def order() -> list[str]:
        with ExportPlan(samples, Path("images"), shuffled=True) as plan:
            return [entry.label for entry in plan.entries()]

    labels = order()
    assert labels == order()
    assert 10 < labels[:50].count("a") < 40


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("train=0.8", "add up to 0.8"),
        ("train=0.5,train=0.5", "twice"),
        ("Val=0.5,val=0.5", "twice"),
        ("train", "NAME=SHARE"),
        ("../up=1", "NAME=SHARE"),
        ("train=much", "no number"),
        ("train=0,val=1", "above 0"),
        ("train=nan,val=1", "above 0"),
        ("train=inf", "above 0"),
        ("train=-1,val=2", "above 0"),
        ("", "NAME=SHARE"),
    ],
)
def test_shares_that_make_no_sense_are_refused(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_shares(text)


def test_shares_may_be_per_cent() -> None:
    assert parse_shares("train=80, val=10, test=10") == THREE


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
    st.text(max_size=5),
    st.integers(0, 400),
)
@settings(max_examples=examples(60), deadline=None)
def test_a_label_of_any_size_is_within_one_block_of_its_shares(
    weights: list[int], label: str, size: int
) -> None:
    shares = tuple((f"s{n}", weight / sum(weights)) for n, weight in enumerate(weights))
    counts = Counter(block_place(shares, 0, label, rank) for rank in range(size))
    for index, (_, share) in enumerate(shares):
        assert abs(counts[index] - share * size) <= 0.01 * size + 100 * share * (1 - share) + 1


@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=1, max_size=80))
@settings(max_examples=examples(60), deadline=None)
def test_dealing_whole_groups_overfills_no_split_by_more_than_one_group(
    groups: list[list[int]],
) -> None:
    totals = {"a": sum(g[0] for g in groups), "b": sum(g[1] for g in groups)}
    dealer = Dealer(THREE, totals)
    counts: Counter[int] = Counter()
    for group in sorted(groups, key=sum, reverse=True):
        counts[dealer.deal([("a", group[0]), ("b", group[1])])] += sum(group)
    largest = max(map(sum, groups))
    for index, (_, share) in enumerate(THREE):
        assert counts[index] <= share * sum(totals.values()) + 2 * largest


@pytest.mark.parametrize("copy", matrix(["mirrored", "turned", "cropped"], "turned"))
def test_changed_copies_under_another_label_end_on_one_side(copy: str) -> None:
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "mirrored": ImageOps.mirror,
        "turned": lambda p: p.transpose(Image.Transpose.ROTATE_270),
        "cropped": lambda p: p.crop((20, 0, p.width, p.height - 15)),
    }
    change = changes[copy]
    samples = []
    for number in range(1, 41):
        original = detailed(number)
        for label, shown in (("a", original), ("b", change(original))):
            info = inspect_bytes(dataset.encoded(shown), 1_000_000).info
            assert info is not None
            samples.append(sample(label, number, info=info))
    splits = dealt(sorted(samples, key=lambda s: s.label), Splitting(shares=THREE))
    apart = [n for n in range(1, 41) if splits[f"a/{n:06d}.jpg"] != splits[f"b/{n:06d}.jpg"]]
    assert apart == []
    assert set(splits.values()) == {"train", "val", "test"}
