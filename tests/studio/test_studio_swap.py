"""Another copy of a group becomes the kept one, or an image of its own: one step, undone as one."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.catalog.database import Catalog
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.applying import take_in
from pixtrawl.pipeline.copy_back import bring_waiting
from pixtrawl.pipeline.curating import curate
from tests.life.sets import assert_whole, on_disk
from tests.pipeline.pictures import Answer, fetch, jpeg, manifest, png, scene, serving
from tests.studio.client import Client, studio_on


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cats, the first of which has two copies."""
    place = tmp_path_factory.mktemp("grouped")
    collect(place)
    return place / "set"


def collect(place: Path) -> None:
    answers: dict[str, Answer] = {
        "/a.png": png(scene(1)), "/b.jpg": jpeg(scene(1), quality=70),
        "/c.jpg": jpeg(scene(1), quality=50), "/d.png": png(scene(2)),
    }  # fmt: skip
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        fetch(manifest(place / "m.jsonl", rows), place / "set")


@pytest.fixture
def root(tmp_path: Path, grouped: Path) -> Path:
    return Path(shutil.copytree(grouped, tmp_path / "set"))


@pytest.fixture
def client(root: Path) -> Iterator[Client]:
    with studio_on(root) as found:
        yield found


def group(client: Client) -> Any:
    view = client.view(kind="groups")
    found = client.get(client.of_set(f"/groups/{view['view']}")).json()
    assert len(found) == view["total"] == 1
    return found[0]


def test_a_copy_takes_place_and_number_of_the_kept_one_and_undo_and_redo_exchange_them(
    client: Client, root: Path
) -> None:
    before, first = on_disk(root), group(client)
    assert sorted(before) == ["cat/000001.png", "cat/000002.png"]
    wanted = first["others"][0]
    done = client.decide("swap", [wanted["id"]])
    assert (done.status, done.json()["changed"]) == (200, 1)
    assert sorted(on_disk(root)) == ["cat/000001.jpg", "cat/000002.png"]
    assert on_disk(root)["cat/000001.jpg"].startswith(wanted["v"])
    assert client.summary()["kept"] == 2
    now = group(client)
    assert now["kept"]["v"] == wanted["v"]
    assert now["kept"]["n"] == 1
    assert {one["v"] for one in now["others"]} == {
        first["kept"]["v"], *(one["v"] for one in first["others"][1:])
    }  # fmt: skip
    for _ in range(2):
        assert client.post(client.of_set("/undo"), {}).status == 200
        assert on_disk(root) == before
        assert group(client)["kept"]["v"] == first["kept"]["v"]
        assert [one["reason"] for one in group(client)["others"]] == ["same_picture"] * 2
        assert client.post(client.of_set("/redo"), {}).status == 200
        assert sorted(on_disk(root)) == ["cat/000001.jpg", "cat/000002.png"]
    back = next(one for one in group(client)["others"] if one["v"] == first["kept"]["v"])
    assert client.decide("swap", [back["id"]]).status == 200, "and by hand the other way"
    assert on_disk(root) == before


def test_the_files_made_from_the_catalog_name_the_copy_and_later_runs_leave_it(
    root: Path,
) -> None:
    with studio_on(root) as client:
        client.decide("swap", [group(client)["others"][1]["id"]])
    assert_whole(root)
    assert pixtrawl.open(root).verify().ok
    collect(root.parent)  # the same pictures from other addresses
    assert sorted(on_disk(root)) == ["cat/000001.jpg", "cat/000002.png"]


def test_a_near_duplicate_that_is_brought_back_is_a_decision_that_undo_takes_back(
    client: Client, root: Path
) -> None:
    before = on_disk(root)
    ids = [one["id"] for one in group(client)["others"]]
    assert client.decide("bring_back", ids).json()["changed"] == 2
    assert len(on_disk(root)) == 4
    assert client.view(kind="groups")["total"] == 0
    assert client.post(client.of_set("/undo"), {}).status == 200
    assert on_disk(root) == before
    assert [one["id"] for one in group(client)["others"]] == ids
    assert client.post(client.of_set("/redo"), {}).status == 200
    assert len(on_disk(root)) == 4
    actions = [one.action for one in journal.read(Folder(root)).records]
    assert actions == ["take_back", "take_back", "undo", "undo"]


@pytest.mark.parametrize("what", ["kept", "unknown", "other"])
def test_only_a_copy_of_a_kept_image_can_take_its_place(client: Client, what: str) -> None:
    ids = {
        "kept": group(client)["kept"]["id"], "unknown": "c9999", "other": "s9999",
    }  # fmt: skip
    assert client.decide("swap", [ids[what]], expect=0).json()["changed"] == 0


def test_of_one_group_one_copy_only_takes_the_place(client: Client) -> None:
    ids = [one["id"] for one in group(client)["others"]]
    refused = client.decide("swap", ids)
    assert (refused.status, refused.json()["would_change"]) == (409, 1)


def test_a_copy_whose_file_is_gone_is_reported_and_nothing_happens(
    client: Client, root: Path
) -> None:
    before = on_disk(root)
    for path in root.glob(".pixtrawl-quarantine-*"):
        path.unlink()
    reply = client.decide("swap", [group(client)["others"][0]["id"]])
    assert reply.status == 409
    assert "not kept aside any more" in reply.json()["error"]
    assert on_disk(root) == before
    assert not client.summary()["can_undo"]


@contextmanager
def a_run(root: Path) -> Iterator[Callable[[], None]]:
    """Hold the data set as a run does; call the result to have it read new decisions."""
    with DatasetLock(Folder(root)), closing(Catalog(Folder(root).catalog)) as catalog:

        def reads() -> None:
            catalog.write_now(lambda db: take_in(db, Folder(root), run_id=1))

        yield reads


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_while_a_run_holds_the_set_a_swap_waits_for_its_end_and_is_undone_as_any(
    client: Client, root: Path
) -> None:
    before, first = on_disk(root), group(client)
    wanted = first["others"][0]
    with a_run(root) as reads:
        done = client.decide("swap", [wanted["id"]]).json()
        assert done["pending"] is True
        assert done["summary"] == (
            "1 image will be kept in place of another copy when the run at work has ended"
        )
        reads()
        until(lambda: client.summary()["waiting"] == 1)
        assert on_disk(root) == before
    until(lambda: on_disk(root).get("cat/000001.jpg", "").startswith(wanted["v"]))
    until(lambda: client.summary()["waiting"] == 0)
    assert client.post(client.of_set("/undo"), {}).status == 200
    assert on_disk(root) == before
    assert client.post(client.of_set("/redo"), {}).status == 200
    assert sorted(on_disk(root)) == ["cat/000001.jpg", "cat/000002.png"]


@pytest.mark.parametrize("read_before_undo", [False, True])
def test_what_waits_can_be_taken_back_and_done_again_before_it_was_carried_out(
    client: Client, root: Path, read_before_undo: bool
) -> None:
    before = on_disk(root)
    ids = [one["id"] for one in group(client)["others"]]
    with a_run(root) as reads:
        summary = client.decide("bring_back", ids).json()["summary"]
        assert summary == "2 images will be brought back when the run at work has ended"
        if read_before_undo:
            reads()
        assert client.post(client.of_set("/undo"), {}).status == 200
        reads()
        until(lambda: client.summary()["waiting"] == 0)
        assert client.post(client.of_set("/redo"), {}).status == 200
        reads()
        until(lambda: client.summary()["waiting"] == 2)
        assert on_disk(root) == before
        assert client.post(client.of_set("/undo"), {}).status == 200
        reads()
    until(lambda: client.summary()["run"] is None and client.summary()["waiting"] == 0)
    assert on_disk(root) == before
    assert client.post(client.of_set("/redo"), {}).status == 200
    until(lambda: len(on_disk(root)) == 4)


def test_what_waits_is_carried_out_by_the_run_that_ends_or_by_the_next_command(
    root: Path,
) -> None:
    folder = Folder(root)
    copies = [one for one in curate.copies(folder) if one.aside is not None]
    with studio_on(root) as client, a_run(root):
        ids = [one["id"] for one in group(client)["others"]]
        assert client.decide("bring_back", ids).status == 200
        copies[0].aside.write_bytes(b"no image any more")  # type: ignore[union-attr]
        client.post(
            client.of_set("/quarantine/empty"), {"expect_bytes": 0}
        )  # refused: another size
        end = Catalog(folder.catalog)
        end.write_now(lambda db: take_in(db, folder))
        done = bring_waiting(end, folder)
        end.close()
        assert [one.record.sha256 for one in done.effects if one.changed] == [copies[1].sha256]
        assert len(done.bad) == 1
        assert "is no whole image any more" in done.bad[0]
        assert len(on_disk(root)) == 3
        until(lambda: client.summary()["waiting"] == 0)
    assert len(pixtrawl.open(root)) == 3


def test_a_copy_whose_file_is_gone_is_reported_while_a_run_holds_the_set_too(
    client: Client, root: Path
) -> None:
    wanted = group(client)["others"][0]["id"]
    with a_run(root):
        for path in root.glob(".pixtrawl-quarantine-*"):
            path.unlink()
        reply = client.decide("swap", [wanted])
    assert reply.status == 409
    assert "not kept aside any more" in reply.json()["error"]
    assert not client.summary()["can_undo"]


def test_a_caption_by_hand_goes_with_the_place(client: Client) -> None:
    first = group(client)
    client.decide("caption", [first["kept"]["id"]], text="mine")
    client.decide("swap", [first["others"][0]["id"]])
    now = group(client)["kept"]["id"]
    detail = client.get(client.of_set(f"/images/{now}")).json()
    assert detail["caption"] == {"text": "mine", "origin": "hand"}


def test_a_swap_killed_before_its_files_moved_is_finished_by_whatever_reads_next(
    root: Path,
) -> None:
    """The decision is in the journal and the rows are committed; no file has moved."""
    folder = Folder(root)
    before = on_disk(root)
    kept = before["cat/000001.png"]
    copy = next(one for one in curate.copies(folder) if one.aside is not None)
    (name,) = asyncio.run(curate.prepare(folder, [copy.sha256])).values()
    given = {"sha256": copy.sha256, "file_name": name, "value": kept}
    journal.append(folder, [journal.record("web", "take_back", "b", **given)])
    catalog = Catalog(folder.catalog)
    catalog.write_now(lambda db: take_in(db, folder))
    catalog.close()
    assert on_disk(root) == before
    assert sorted(one.file_name for one in pixtrawl.open(root)) == [
        "cat/000001.jpg", "cat/000002.png",
    ]  # fmt: skip
    assert on_disk(root)["cat/000001.jpg"] == copy.sha256
    pixtrawl.open(root).undo()
    assert on_disk(root) == before
    assert json.loads((root / "metadata.jsonl").read_text().splitlines()[0])["sha256"] == kept
