"""Files that a person deletes, moves and renames, and what the next command makes of it."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.operations.advice import advise
from tests.life.sets import assert_whole, labels, listed, on_disk, pets
from tests.pipeline.pictures import Host, fetch, manifest


def test_numbers_are_the_set_s_so_that_a_moved_file_meets_no_other(
    tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=4)
    names = [name.partition("/")[2] for name in on_disk(root)]
    assert len(set(names)) == len(names) == 8


def test_a_file_deleted_by_hand_is_gone_for_every_reader(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    before = pixtrawl.open(root)
    assert len(before) == 8
    (root / before[0].file_name).unlink()
    assert len(before) == 7, "a data set that is open sees it, too"
    ds = pixtrawl.open(root)
    assert len(ds) == len(list(ds)) == len(ds.to_torch()) == 7
    assert all(sample.path.exists() for sample in ds)
    assert_whole(root)
    report = ds.report.to_dict()
    cat = next(query for query in report["queries"] if query["query"] == "cat")
    assert (cat["saved"], cat["reasons"]["removed_by_user"]) == (3, 1)
    assert report["totals"]["saved"] == 7
    assert "by hand" in advise(cat, report).why
    assert main(["report", str(root)]) == 0
    shown = capsys.readouterr().out
    assert "have no more" not in shown
    assert "deleted by hand" in shown
    assert main(["verify", str(root)]) == 0, "it was taken note of"
    # Its place is filled by the next run, with another picture.
    again = pets(tmp_path, host, limit=4)
    assert labels(again) == {"cat": 4, "dog": 4}
    assert_whole(root)


def test_a_folder_that_cannot_be_written_is_read_without_what_is_gone(
    tmp_path: Path, host: Host
) -> None:
    from pixtrawl.folder.dataset_folder import DatasetLock, Folder

    root = pets(tmp_path, host, limit=4)
    with DatasetLock(Folder(root)):  # as while a run is at work
        (root / pixtrawl.open(root)[2].file_name).unlink()
        ds = pixtrawl.open(root)
        assert len(ds) == len(list(ds)) == 7
        assert [ds[at].file_name for at in range(7)] == [sample.file_name for sample in ds]
        assert sum(query["saved"] for query in ds.report["queries"]) == 7


def test_a_file_moved_to_another_label_follows_with_its_provenance(
    tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=4)
    sample = pixtrawl.open(root)[1]
    moved = root / "dog" / Path(sample.file_name).name
    (root / sample.file_name).rename(moved)
    ds = pixtrawl.open(root)
    found = next(one for one in ds if one.info.sha256 == sample.info.sha256)
    assert (found.label, found.number, found.url) == ("dog", sample.number, sample.url)
    assert found.candidate.query == "cat"
    assert_whole(root)
    urls = ast.literal_eval((root / "keyword_urls.txt").read_text("utf-8"))
    assert sample.url in urls["dog"][:5]
    assert sample.url not in urls["cat"]
    host.asked.clear()
    root = pets(tmp_path, host, limit=4)
    assert labels(root) == {"cat": 4, "dog": 5}, "its old place is filled again"
    assert sample.url.removeprefix(host.url) not in host.asked
    assert_whole(root)
    # The same bytes from elsewhere do not come back under the label that a person took them from.
    host.answers["/again.png"] = host.answers[sample.url.removeprefix(host.url)]
    ds = fetch(manifest(tmp_path / "n.jsonl", [("cat", f"{host.url}/again.png")]), root)
    assert ds.report["reasons"].get("moved_by_user") == 1
    (root / found.file_name).rename(root / sample.file_name)
    assert next(s for s in pixtrawl.open(root) if s.number == sample.number).label == "cat"
    assert_whole(root)


def test_a_renamed_file_keeps_its_name_and_its_facts(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    sample = pixtrawl.open(root)[0]
    (root / sample.file_name).rename(root / "cat/the best.png")
    ds = pixtrawl.open(root)
    assert len(ds) == 8
    found = next(one for one in ds if one.info.sha256 == sample.info.sha256)
    assert (found.file_name, found.url) == ("cat/the best.png", sample.url)
    assert_whole(root)
    assert labels(pets(tmp_path, host, limit=4)) == {"cat": 4, "dog": 4}


def test_a_renamed_folder_is_the_query_s_folder_from_then_on(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    content = set(on_disk(root).values())
    (root / "dog").rename(root / "hound")
    host.asked.clear()
    root = pets(tmp_path, host, limit=4)
    assert host.asked_files == []
    assert set(on_disk(root).values()) == content
    assert labels(root) == {"cat": 4, "hound": 4}
    assert labels(pets(tmp_path, host, limit=6)) == {"cat": 6, "hound": 6}
    assert_whole(root)
    assert {q["query"]: q["label"] for q in pixtrawl.open(root).report["queries"]} == {
        "cat": "cat", "dog": "hound",
    }  # fmt: skip
    (root / "hound").rename(root / "dog")
    assert labels(pets(tmp_path, host, limit=6)) == {"cat": 6, "dog": 6}
    assert_whole(root)


def test_files_in_a_folder_of_a_person_s_own_have_that_label(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    (root / "kitten").mkdir()
    for name in sorted((root / "cat").iterdir())[:2]:
        shutil.move(name, root / "kitten")
    ds = pixtrawl.open(root)
    assert ds.labels == ["cat", "dog", "kitten"]
    assert_whole(root)
    assert labels(pets(tmp_path, host, limit=4)) == {"cat": 4, "dog": 4, "kitten": 2}
    assert main(["lock", str(root), "-o", str(tmp_path / "set.lock"), "-q"]) == 0


def test_a_file_that_was_put_away_and_comes_back_is_known(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    sample = pixtrawl.open(root)[0]
    (root / sample.file_name).rename(tmp_path / "away.png")
    assert len(pixtrawl.open(root)) == 7
    (root / "cat").mkdir(exist_ok=True)
    (tmp_path / "away.png").rename(root / "cat/back.png")
    ds = pixtrawl.open(root)
    assert len(ds) == 8
    assert ds.report["totals"]["saved"] == 8
    assert_whole(root)


def test_a_move_over_another_file_of_an_older_set_loses_only_what_was_overwritten(
    tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=4)
    cat, dog = next(iter((root / "cat").iterdir())), next(iter((root / "dog").iterdir()))
    content = set(on_disk(root).values()) - {on_disk(root)[f"dog/{dog.name}"]}
    cat.replace(dog)
    ds = pixtrawl.open(root)
    assert {sample.info.sha256 for sample in ds} == content
    assert_whole(root)


def test_what_a_person_adds_or_edits_is_left_alone(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    (root / "cat/notes.txt").write_text("mine")
    edited, copied = list(pixtrawl.open(root))[:2]  # of one picture it would be a move
    shutil.copy(copied.path, root / "dog/copy.png")
    with edited.path.open("ab") as file:
        file.write(b"more")
    root = pets(tmp_path, host, limit=4)
    assert (root / "cat/notes.txt").exists()
    assert (root / "dog/copy.png").exists()
    assert edited.file_name in listed(root)
    assert len(pixtrawl.open(root)) == 8


def test_the_same_is_done_in_python(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    ds = pixtrawl.open(root)
    cats = [sample for sample in ds if sample.label == "cat"]
    assert ds.label("lynx", cats[:2]) == 2
    assert ds.filter(label="dog").label("hound") == 4
    assert ds.labels == ["cat", "hound", "lynx"]
    assert ds.undo_label() == 4
    assert ds.verify().ok
    cats[3].path.unlink()
    assert [one.state for one in ds.verify().troubles] == ["missing"]
    assert len(ds) == 7
    assert [one.file_name for one in ds.restore().to_fetch] == [cats[3].file_name]
    other = pixtrawl.merge(root, output=tmp_path / "other")
    assert len(other) == 7
    assert_whole(root)
    assert_whole(other.root)
