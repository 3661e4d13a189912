"""Decisions on a data set that no run is at work on."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

import pixtrawl
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE, UsageError
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.applying import take_in
from pixtrawl.pipeline.report import report
from tests.life.sets import assert_whole, labels, on_disk, pets
from tests.pipeline.pictures import Host, fetch, jpeg, manifest

DECISIONS = journal.ACTIONS - journal.FACTS


def reasons(root: Path) -> dict[str, int]:
    found = report(root)
    totals = found["totals"]
    assert sum(n for key, n in totals.items() if key != "candidates") == totals["candidates"]
    return {str(key): int(count) for key, count in found["reasons"].items()}


def pictures(host: Host) -> int:
    return sum(path.endswith(".png") for path in host.asked)


def names(root: Path, label: str) -> list[str]:
    return [one.file_name for one in pixtrawl.open(root) if one.label == label]


def test_what_is_refused_is_replaced_and_never_comes_back(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    first, second, *_ = names(root, "cat")
    refused = {on_disk(root)[first], on_disk(root)[second]}
    assert main(["reject", str(root), first, second, "--reason", "no cats"]) == EXIT_OK
    assert labels(root) == {"cat": 2, "dog": 4}
    assert reasons(root)["refused_by_person"] == 2
    assert reasons(root)["saved"] == 6
    asked = pictures(host)
    pets(tmp_path, host, limit=4)
    assert labels(root) == {"cat": 4, "dog": 4}
    assert not refused & set(on_disk(root).values())
    assert pictures(host) == asked + 2, "only what fills the places"
    assert first not in on_disk(root), "its number stays taken"
    assert_whole(root)


def test_without_refill_the_place_stays_empty_and_the_run_is_complete(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    assert main(["reject", str(root / names(root, "cat")[0]), "--no-refill", "--json"]) == EXIT_OK
    told = json.loads(capsys.readouterr().out)
    assert not told["by_run"]
    assert told["changed"] == [{"from": told["files"][0], "to": None}]
    asked = len(host.asked)
    pets(tmp_path, host, limit=4)
    assert len(host.asked) == asked
    assert labels(root) == {"cat": 3, "dog": 4}
    assert main(["report", str(root), "--json"]) == EXIT_OK
    cats = json.loads(capsys.readouterr().out)["queries"][0]
    assert (cats["wanted"], cats["saved"]) == (3, 3)
    pets(tmp_path, host, limit=6)
    assert labels(root) == {"cat": 5, "dog": 6}


def test_undo_and_redo_go_back_and_forth_without_limit(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    whole = on_disk(root)
    data = pixtrawl.open(root)
    first, second, third, _ = names(root, "cat")
    data.reject([first, second])
    data.label("dog", [third])
    data.reject(names(root, "dog"))
    assert labels(root) == {"cat": 1}
    data.undo()
    assert labels(root) == {"cat": 1, "dog": 5}
    data.undo()
    assert labels(root) == {"cat": 2, "dog": 4}
    data.undo()
    assert on_disk(root) == whole
    with pytest.raises(UsageError, match="no decision to undo"):
        data.undo()
    data.undo(redo=True)
    assert labels(root) == {"cat": 2, "dog": 4}
    data.undo(redo=True)
    data.undo(redo=True)
    assert labels(root) == {"cat": 1}
    with pytest.raises(UsageError, match="no decision to redo"):
        data.undo(redo=True)
    for _ in range(3):
        data.undo()
    assert on_disk(root) == whole
    assert reasons(root)["saved"] == 8
    assert_whole(root)


def test_restore_and_keep_bring_a_refused_image_back_under_its_number(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    whole = on_disk(root)
    first, second, *_ = names(root, "cat")
    assert main(["reject", str(root), first, second]) == EXIT_OK
    capsys.readouterr()
    assert main(["restore", str(root), "--list"]) == EXIT_OK
    assert f"{first}  refused" in capsys.readouterr().out
    assert main(["restore", str(root), first]) == EXIT_OK
    assert "1 image brought back" in capsys.readouterr().out
    pixtrawl.open(root).keep([second])
    assert on_disk(root) == whole
    assert reasons(root)["saved"] == 8
    pixtrawl.open(root).undo()
    assert second not in on_disk(root)


def test_a_refused_image_whose_file_is_gone_is_fetched_again(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    whole = on_disk(root)
    first = names(root, "cat")[0]
    data = pixtrawl.open(root)
    data.reject([first])
    for aside in root.glob(".pixtrawl-quarantine-*"):
        aside.unlink()
    data.undo()
    assert first not in on_disk(root)
    pets(tmp_path, host, limit=4)
    assert on_disk(root) == whole


def test_takedown_is_recorded_and_undone_as_one(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    whole = on_disk(root)
    first, second, *_ = names(root, "cat")
    command = ["takedown", str(root), first, "--sha256", whole[second]]
    assert main(command) == EXIT_OK
    assert labels(root) == {"cat": 2, "dog": 4}
    assert main(["undo", str(root)]) == EXIT_OK
    pets(tmp_path, host, limit=4)
    assert on_disk(root) == whole
    found = [r.action for r in journal.read(Folder(root)).records if r.action in DECISIONS]
    assert found == ["takedown", "takedown", "undo"]


def test_a_decision_that_was_only_recorded_is_honoured_by_whatever_reads_the_set_next(
    tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=4)
    first = names(root, "cat")[0]
    one = journal.record("web", "reject", "b", sha256=on_disk(root)[first], file_name=first)
    journal.append(Folder(root), [one])
    assert first not in names(root, "cat")
    assert first not in on_disk(root)
    assert reasons(root)["refused_by_person"] == 1
    journal.append(Folder(root), [one])  # the same id again changes nothing
    pixtrawl.open(root).undo()
    journal.append(Folder(root), [one])
    assert first in names(root, "cat")


def test_a_kill_between_a_decision_and_its_file_is_mended_by_whatever_reads_next(
    tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=4)
    first = names(root, "cat")[0]
    folder = Folder(root)
    one = journal.record("web", "reject", "b", sha256=on_disk(root)[first], file_name=first)
    journal.append(folder, [one])
    with DatasetLock(folder), closing(Catalog(folder.catalog)) as catalog:
        catalog.write_now(lambda db: take_in(db, folder))
    assert first in on_disk(root)
    assert first not in names(root, "cat")
    assert first not in on_disk(root)
    assert_whole(root)


@pytest.mark.parametrize(
    "given",
    [
        {"action": "reject", "sha256": "zz", "file_name": "cat/000001.jpg"},
        {"action": "reject"},
        {"action": "label", "sha256": "00" * 32, "label": "a/b", "file_name": "cat/1.jpg"},
        {"action": "label", "label": "..", "file_name": "cat"},
        {"action": "takedown", "kind": "phash", "value": "nonsense"},
        {"action": "takedown", "kind": "weather", "value": "rain"},
        {"action": "undo", "undoes": "nothing"},
        {"action": "forget", "kind": "url", "value": "http://a.example/"},
        {"action": "pause"},
        {"action": "restore", "sha256": "00" * 32, "file_name": "../../etc/passwd"},
    ],
)
def test_a_line_that_fits_nothing_changes_nothing_and_stops_nobody(
    given: dict[str, str], tmp_path: Path, host: Host
) -> None:
    root = pets(tmp_path, host, limit=2)
    whole = on_disk(root)
    action = given.pop("action")
    journal.append(Folder(root), [journal.record("web", action, "b", **given)])
    assert len(list(pixtrawl.open(root))) == 4
    assert on_disk(root) == whole
    assert reasons(root)["saved"] == 4


def test_nothing_at_work_cannot_be_steered(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=2)
    assert main(["steer", str(root), "pause"]) == EXIT_USAGE
    assert "no run is at work" in capsys.readouterr().err
    assert main(["reject", str(root), "cat/nosuch.jpg"]) == EXIT_USAGE
    assert main(["reject", str(root)]) == EXIT_USAGE


def test_a_near_copy_of_a_refused_image_is_refused(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=1)
    (first,) = names(root, "cat")
    with Image.open(root / first) as image:
        host.answers["/copy.jpg"] = jpeg(image.convert("RGB"), quality=80)
    pixtrawl.open(root).reject([first])
    fetch(manifest(tmp_path / "copy.jsonl", [("cat", f"{host.url}/copy.jpg")]), root)
    assert labels(root)["cat"] == 9, "all others of the list, and no copy of the refused one"
    assert reasons(root)["refused_by_person"] == 2


def test_merging_keeps_what_was_refused_out(tmp_path: Path, host: Host) -> None:
    one = pets(tmp_path, host, limit=4)
    two = tmp_path / "two"
    shutil.copytree(one, two)
    first = names(one, "cat")[0]
    pixtrawl.open(one).reject([first], refill=False)
    pixtrawl.merge(one, tmp_path / "two", output=tmp_path / "both")
    merged = tmp_path / "both"
    with closing(connect(Folder(merged).catalog, read_only=True)) as db:
        (count,) = db.execute("SELECT count(*) FROM refused WHERE NOT refill").fetchone()
    assert count == 1
    assert labels(merged) == {"cat": 3, "dog": 4}
    pixtrawl.merge(one, output=two)
    assert labels(two) == {"cat": 3, "dog": 4}
    assert reasons(two)["refused_by_person"] == 1
    assert main(["restore", str(two), first]) == EXIT_OK
    assert labels(two) == {"cat": 4, "dog": 4}
