"""Placeholders, conflicts and better copies, decided on files from a server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import pixtrawl
from pixtrawl.catalog import relations
from pixtrawl.catalog.database import Catalog
from pixtrawl.model import Reason
from tests.pipeline.pictures import Answer, card, fetch, jpeg, manifest, png, saved, scene, serving


def until(holds: Callable[[], bool]) -> None:
    """Wait for a state, for a minute at most: the machine may be slow."""
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)


def reasons(ds: pixtrawl.Dataset) -> dict[str, int]:
    return dict(ds.report["reasons"])


def test_one_picture_for_three_urls_of_a_host_is_a_placeholder_and_goes_again(
    tmp_path: Path,
) -> None:
    answers = saved(scene, 3) | {f"/hot-link/{n}.png": png(scene(99)) for n in range(4)}
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in ("/hot-link/0.png", "/0.png", "/1.png")]
        rows += [("cat", host.url + path) for path in ("/2.png", "/hot-link/1.png")]
        rows += [("cat", f"{host.url}/hot-link/{n}.png") for n in (2, 3)]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
    assert reasons(ds) == {"placeholder": 4, "saved": 3}
    assert sorted(s.number for s in ds) == [2, 3, 4], "number 1 is not given again"
    assert not (tmp_path / "set" / "cat" / "000001.png").exists()
    aside = list((tmp_path / "set").glob(".pixtrawl-quarantine-*"))
    assert len(aside) == 1


def test_a_query_draws_on_for_what_turned_out_to_be_a_placeholder(tmp_path: Path) -> None:
    answers = {f"/hot-link/{n}.png": png(scene(99)) for n in range(3)} | saved(scene, 4)
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set", limit=4)
    assert len(ds) == 4
    assert reasons(ds)["placeholder"] == 3


def test_a_notice_with_other_bytes_each_time_is_a_placeholder_by_its_look(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {f"/c/{n}.png": png(card(n)) for n in range(4)}
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
    assert reasons(ds) == {"placeholder": 4}
    assert len(ds) == 0


def test_previews_of_one_picture_at_several_sizes_are_no_placeholder(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {
        f"/{w}/x.png": png(card(0).resize((w, w))) for w in (400, 500, 600, 700)
    }
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
    assert [s.info.width for s in ds] == [700]
    assert reasons(ds) == {"better_copy_kept": 3, "saved": 1}


def test_a_list_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {
        "/icon.png": png(scene(1, (32, 32))),
        "/thumbs/small.png": png(scene(2, (120, 90))),
        "/flat.png": png(scene(3).point(lambda _: 80)),
        "/sliver.png": png(scene(4, (900, 30))),
        "/dot.png": png(scene(5, (1, 1))),
    }
    with serving(answers) as host:
        urls = tmp_path / "mine.txt"
        urls.write_text("".join(f"{host.url}{path}\n" for path in answers))
        own = fetch(urls, tmp_path / "own")
        dropped = fetch(urls, tmp_path / "dropped", junk="drop")
    assert len(own) == 5
    assert reasons(dropped) == {
        "icon": 1, "thumbnail": 1, "flat": 1, "extreme_aspect": 1, "tracking_pixel": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("conflict", "left"),
    [("keep", {"cat", "dog", "owl"}), ("first", {"cat", "owl"}), ("drop", {"owl"})],
)
def test_a_picture_under_two_labels_is_decided_by_the_rule(
    tmp_path: Path, conflict: str, left: set[str]
) -> None:
    answers: dict[str, Answer] = {
        "/a.png": png(scene(7)), "/b.jpg": jpeg(scene(7), quality=70), "/c.png": png(scene(8)),
    }  # fmt: skip
    with serving(answers) as host:
        paths = {"cat": "/a.png", "dog": "/b.jpg", "owl": "/c.png"}
        rows = [(label, host.url + path) for label, path in paths.items()]
        # one after the other, so that it is known which label was first
        sets = [
            fetch(
                manifest(tmp_path / f"{row[0]}.jsonl", [row]), tmp_path / "set", conflict=conflict
            )
            for row in rows
        ]
    ds = pixtrawl.open(sets[-1].root)
    assert {s.label for s in ds} == left
    shown = ds.report["across_labels"]
    if conflict == "keep":
        assert [set(one["files"]) for one in shown] == [{"cat/000001.png", "dog/000002.jpg"}]
        assert 0 <= shown[0]["distance"] <= 40
    else:
        assert shown == []
        lines = (tmp_path / "set" / "metadata.jsonl").read_text().splitlines()
        assert {json.loads(line)["label"] for line in lines} == left


@pytest.mark.parametrize("spare", [1, 2])
def test_a_full_query_draws_on_for_what_a_conflict_took_out(tmp_path: Path, spare: int) -> None:
    """The dogs' copy of the cat comes late: the cats are full by then, and were done."""
    place = tmp_path / "set"

    answers: dict[str, Answer] = {
        "/cat/0.png": png(scene(7)), "/dog/0.png": png(scene(7)), "/dog/1.png": png(scene(9)),
    }  # fmt: skip
    answers |= {f"/cat/{n}.png": png(scene(10 + n)) for n in range(1, spare + 1)}
    with serving(answers) as host:
        host.before["/dog/0.png"] = lambda: until(lambda: any(place.glob("cat/*.png")))
        rows = [(path.split("/")[1], host.url + path) for path in sorted(answers)]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), place, limit=1, conflict="drop")
    assert sorted(one.label for one in ds) == ["cat", "dog"]
    assert {one.candidate.url.rpartition("/")[2] for one in ds} == {"1.png"}
    assert reasons(ds)["label_conflict"] == 2


def test_a_query_without_further_candidates_ends_short_after_a_conflict(tmp_path: Path) -> None:
    place = tmp_path / "set"

    answers: dict[str, Answer] = {
        "/cat/0.png": png(scene(7)), "/dog/0.png": png(scene(7)),
    }  # fmt: skip
    with serving(answers) as host:
        host.before["/dog/0.png"] = lambda: until(lambda: any(place.glob("cat/*.png")))
        rows = [(path.split("/")[1], host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), place, limit=1, conflict="drop")
    assert len(ds) == 0
    assert reasons(ds) == {"label_conflict": 2}


def test_a_larger_copy_takes_the_number_and_the_smaller_one_is_kept_aside(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {
        "/small.jpg": jpeg(scene(7)), "/large.png": png(scene(7, (640, 480))),
    }  # fmt: skip
    with serving(answers) as host:
        rows = [("cat", f"{host.url}/small.jpg"), ("cat", f"{host.url}/large.png")]
        for number, row in enumerate(rows):
            fetch(manifest(tmp_path / f"{number}.jsonl", [row]), tmp_path / "set")
    ds = pixtrawl.open(tmp_path / "set")
    assert [(s.number, s.info.width) for s in ds] == [(1, 640)]
    (group,) = ds.duplicates()
    assert [copy.reason for copy in group.copies] == ["better_copy_kept"]
    aside = group.copies[0].aside
    assert aside is not None
    assert aside.read_bytes() == answers["/small.jpg"]


def test_a_mirrored_copy_is_one_picture_only_where_that_is_asked_for(tmp_path: Path) -> None:
    mirrored = scene(7).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    answers: dict[str, Answer] = {"/a.png": png(scene(7)), "/b.png": png(mirrored)}
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        file = manifest(tmp_path / "m.jsonl", rows)
        assert len(fetch(file, tmp_path / "apart")) == 2
        joined = fetch(file, tmp_path / "joined", turned=True)
    assert reasons(joined) == {"saved": 1, "same_picture": 1}


def test_a_withdrawal_that_was_killed_half_way_is_finished_by_the_next_start(
    tmp_path: Path,
) -> None:
    with serving(saved(scene, 3)) as host:
        rows = [("cat", f"{host.url}/{n}.png") for n in range(3)]
        file = manifest(tmp_path / "m.jsonl", rows)
        ds = fetch(file, tmp_path / "set")
        catalog = Catalog(ds.root / ".pixtrawl-catalog.sqlite3")
        catalog.write_now(lambda db: relations.withdraw(db, ds[1].id, Reason.PLACEHOLDER))
        catalog.close()
        path = ds.root / "cat" / "000002.png"
        content = path.read_bytes()
        fetch(file, ds.root)
    assert not path.exists()
    (aside,) = ds.root.glob(".pixtrawl-quarantine-*")
    assert aside.read_bytes() == content
    assert [s.number for s in ds] == [1, 3]
