"""A view of a large data set answers with the part that it has looked through."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import UNSET

import pixtrawl
from pixtrawl.catalog.files import derived_mark
from pixtrawl.catalog.views.filter import LookFilter, LookSort
from pixtrawl.catalog.views.table import kept_ids
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.recovery.catch_up import is_behind
from pixtrawl.pipeline.curating import deciding
from pixtrawl.scoring.likeness.similar import order_by_likeness
from pixtrawl.scoring.likeness.spaces import space_of
from pixtrawl.studio.http import looking
from pixtrawl.studio.messages import ViewRequest
from pixtrawl.studio.sets.open_set import OpenSet
from tests.studio.client import Client


def test_a_first_filter_answers_with_the_part_of_the_images_that_it_has_looked_through(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.studio.sets.open_set._TAKEN_AT_ONCE", 6)
    monkeypatch.setattr("pixtrawl.studio.sets.open_set.PATIENCE_S", 0.0)
    opened, sort = OpenSet(root), LookSort(by="width")

    def found() -> tuple[list[int], float]:
        ids, done = opened.look(lambda table: table.ids(LookFilter(), sort), patience_s=0.0)
        return sorted(ids), done

    every = opened.read(kept_ids)
    first, done = found()
    assert first == sorted(every)[:6]
    assert done == pytest.approx(0.3)
    names = [str(next(root.glob(f"*/{number:06}.png"))) for number in (2, 15)]
    deciding.reject(opened.folder, names, who="cli")
    left = sorted(set(every) - {every[1], every[14]})
    shares = [done]
    while shares[-1] < 1:
        ids, done = found()
        assert set(ids) <= set(left)
        shares.append(done)
    assert shares == sorted(shares)
    assert found() == (left, 1.0)
    rejected = opened.look(lambda table: table.ids(LookFilter(decisions=("rejected",)), sort))
    assert sorted(rejected[0]) == sorted([every[1], every[14]])
    opened.close()


def test_a_view_by_a_measure_says_how_much_was_looked_through(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.studio.sets.open_set._TAKEN_AT_ONCE", 6)
    opened = OpenSet(root)
    plain = opened.look
    monkeypatch.setattr(opened, "look", lambda function: plain(function, patience_s=0.0))
    wanted = ViewRequest(sort=LookSort(by="width"))
    first = looking.view(opened, wanted)
    assert (first.total, first.of, first.done) == (6, 20, 0.3)
    last = first
    while last.done != UNSET:  # it is told as long as there is more
        last = looking.view(opened, wanted)
    assert last.total == 20
    assert last.view != first.view, "a part is not taken for the whole"
    opened.close()


def test_opening_leaves_files_that_follow_from_the_catalog_to_a_quiet_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.studio.sets.settling._QUIET_S", 0.0)
    with closing(sqlite3.connect(Folder(root).catalog)) as db, db:
        derived_mark.set_stale(db)
    Folder(root).metadata.unlink()
    opened = OpenSet(root)
    assert not Folder(root).metadata.exists()
    opened.settling.settle()
    assert len(Folder(root).metadata.read_text().splitlines()) == 20
    opened.close()
    gone = next(root.glob("cat/*.png"))
    gone.unlink()  # by hand: taken note of at once, written down later
    opened = OpenSet(root)
    assert len(opened.read(kept_ids)) == 19
    assert len(Folder(root).metadata.read_text().splitlines()) == 20
    opened.close()  # nothing was decided here: the next command writes
    assert len(Folder(root).metadata.read_text().splitlines()) == 20
    assert len(pixtrawl.open(root)) == 19
    assert len(Folder(root).metadata.read_text().splitlines()) == 19


def test_what_is_prepared_in_the_background_changes_no_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.setattr("pixtrawl.studio.sets.open_set._MANY", 1)
    warm = OpenSet(root)
    warm.warm()
    ids = warm.read(kept_ids)
    space = warm.read(space_of)
    plain = [one for one, _ in warm.read(lambda db: order_by_likeness(db, space, ids, [7]))]
    held, done = warm.most_alike(space, ids, [7])
    assert done == 1
    assert held[0] == plain[0] == 7
    assert sorted(held) == sorted(plain)
    assert len(set(held[:5]) & set(plain[:5])) >= 4, "a byte a number, so nearly the same order"
    assert warm.most_alike(space, ids, [99_999]) == ([], 1.0)
    warm.close()


def test_a_large_data_set_is_compared_with_its_files_after_its_page_is_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.studio.sets.open_set._MANY", 1)
    next(root.glob("cat/*.png")).unlink()
    opened = OpenSet(root)
    revision = opened.watch()
    assert len(opened.read(kept_ids)) == 20
    opened.compare()
    assert len(opened.read(kept_ids)) == 19
    assert opened.watch() > revision, "the page learns of it"
    monkeypatch.setattr(
        "pixtrawl.studio.sets.open_set.is_behind", lambda folder: pytest.fail("again")
    )
    opened.compare()
    opened.close()


def test_a_look_at_the_files_finds_whether_anything_changed_and_changes_nothing(
    root: Path,
) -> None:
    folder = Folder(root)
    pixtrawl.open(root)  # it was copied: its files have other times than their records
    assert not is_behind(folder)
    gone = next(root.glob("cat/*.png"))
    data = gone.read_bytes()
    gone.unlink()
    before = folder.catalog.read_bytes()
    assert is_behind(folder)
    assert folder.catalog.read_bytes() == before
    gone.write_bytes(data + b"more")
    assert is_behind(folder)
