"""Removed images brought back: by `restore`, and by `takedown --undo`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE
from pixtrawl.operations.advice import advise
from tests.life.sets import assert_whole, labels, on_disk, pets
from tests.pipeline.pictures import Answer, Host, fetch, jpeg, manifest, png, scene, serving


def test_a_file_deleted_by_hand_comes_back_under_its_name(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    before = on_disk(root)
    name = next(iter(before))
    (root / name).unlink()
    assert labels(pets(tmp_path, host, limit=4)) == {"cat": 4, "dog": 4}, "refilled"
    capsys.readouterr()
    assert main(["restore", str(root), "--list", "--json"]) == EXIT_OK
    assert [one["file_name"] for one in json.loads(capsys.readouterr().out)["removed"]] == [name]
    assert main(["restore", str(root), name]) == EXIT_OK
    assert "next run" in capsys.readouterr().out
    pets(tmp_path, host, limit=4)
    assert on_disk(root)[name] == before[name]
    assert len(on_disk(root)) == 9, "what took its place stays"
    assert_whole(root)
    host.asked.clear()
    pets(tmp_path, host, limit=4)
    assert not host.asked
    assert main(["restore", str(root), name]) == EXIT_USAGE, "it is there"


def test_a_class_deleted_by_hand_comes_back(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    before = on_disk(root)
    shutil.rmtree(root / "cat")
    report = pixtrawl.open(root).report.to_dict()
    cat = next(query for query in report["queries"] if query["query"] == "cat")
    assert "deleted by hand" in advise(cat, report).why
    assert "restore" in advise(cat | {"wanted": None, "untried": 0}, report).next_step
    assert main(["restore", str(root), "--label", "cat"]) == EXIT_OK
    pets(tmp_path, host, limit=4)
    assert on_disk(root) == before
    assert_whole(root)
    # All at once, too, where nothing is named.
    for name in before:
        (root / name).unlink()
    assert main(["restore", str(root)]) == EXIT_OK
    pets(tmp_path, host, limit=4)
    assert on_disk(root) == before


def test_what_cannot_be_had_any_more_is_not_waited_for(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {f"/{n}.png": png(scene(n)) for n in range(5)}
    with serving(answers) as own:
        rows = [("cat", f"{own.url}/{n}.png") for n in range(5)]
        file = manifest(tmp_path / "m.jsonl", rows)
        root = fetch(file, tmp_path / "set", limit=3).root
        first = pixtrawl.open(root)[0]
        first.path.unlink()
        assert main(["restore", str(root)]) == EXIT_OK
        del answers[first.url.removeprefix(own.url)]
        assert len(fetch(file, root, limit=3)) == 3
        own.asked.clear()
        assert len(fetch(file, root, limit=3)) == 3
        assert not own.asked
    assert_whole(root)


def test_a_takedown_is_undone_with_all_that_came_along(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    before = on_disk(root)
    first = pixtrawl.open(root)[0].file_name
    assert main(["takedown", str(root), first]) == EXIT_OK
    assert main(["takedown", str(root), "--domain", "127.0.0.1"]) == EXIT_OK
    assert on_disk(root) == {}
    capsys.readouterr()
    assert main(["takedown", str(root), "--list"]) == EXIT_OK
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2
    assert any("domain 127.0.0.1" in line and "7 images" in line for line in shown)
    assert any(f"file {first}" in line for line in shown)
    name = list(before)[3]
    assert main(["restore", str(root), name]) == EXIT_USAGE, "the domain still holds it"
    assert "--undo" in capsys.readouterr().err
    assert main(["takedown", str(root), "--undo", "--domain", "127.0.0.1"]) == EXIT_OK
    pets(tmp_path, host, limit=4)
    now = on_disk(root)
    assert first not in now
    assert {name: now[name] for name in before if name != first} == {
        name: sha for name, sha in before.items() if name != first
    }
    assert labels(root) == {"cat": 4, "dog": 4}
    assert main(["takedown", str(root), "--undo", first]) == EXIT_OK
    pets(tmp_path, host, limit=4)
    assert on_disk(root)[first] == before[first]
    assert_whole(root)
    assert main(["takedown", str(root), "--undo", "--domain", "other.example"]) == EXIT_USAGE
    capsys.readouterr()
    assert main(["takedown", str(root), "--domain", "other.example"]) == EXIT_OK
    told = capsys.readouterr().out
    assert "0 images removed" in told
    assert "the rule is kept" in told


def test_a_near_duplicate_comes_back_from_where_it_is_kept(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/a.png": png(scene(1)), "/b.jpg": jpeg(scene(1), quality=70)}
    with serving(answers) as own:
        rows = [("cat", own.url + path) for path in answers]
        root = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set").root
    assert len(on_disk(root)) == 1
    assert main(["restore", str(root), "--url", f"{own.url}/b.jpg"]) == EXIT_OK
    assert len(on_disk(root)) == 2
    assert_whole(root)
    assert main(["restore", str(root), "--url", "http://x.example/"]) == EXIT_USAGE
