"""The commands takedown, dedup and lock on data sets made from a server of pictures."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.pipeline.pictures import (
    Answer,
    Host,
    card,
    fetch,
    jpeg,
    manifest,
    png,
    saved,
    scene,
    serving,
)

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_NOTHING, EXIT_OK, EXIT_SHORT, EXIT_USAGE
from pixtrawl.folder.dataset_folder import DatasetLock, Folder

LOOPBACK = ("--allow-address", "127.0.0.0/8")


def four(tmp_path: Path, host: Host) -> pixtrawl.Dataset:
    rows = [("cat", f"{host.url}/{n}.png") for n in range(4)]
    return fetch(manifest(tmp_path / "four.jsonl", rows), tmp_path / "set")


def names(root: Path) -> list[str]:
    return [sample.file_name for sample in pixtrawl.open(root)]


# -- takedown


def test_a_file_taken_down_is_gone_and_never_fetched_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = saved(scene, 4)
    with serving(answers) as host:
        ds = four(tmp_path, host)
        root = str(ds.root)
        assert main(["takedown", root, "cat/000002.png", "--url", f"{host.url}/2.png"]) == EXIT_OK
        assert "2 images removed" in capsys.readouterr().out
        assert names(ds.root) == ["cat/000001.png", "cat/000004.png"]
        assert sorted(p.name for p in (ds.root / "cat").iterdir()) == ["000001.png", "000004.png"]
        metadata = (ds.root / "metadata.jsonl").read_text()
        assert len(metadata.splitlines()) == 2
        assert "Taken down on request" in (ds.root / "README.md").read_text()

        # The same bytes under another URL and another label do not come back.
        answers["/again.png"] = answers["/1.png"]
        host.asked.clear()
        rows = [("dog", f"{host.url}{path}") for path in ("/again.png", "/2.png", "/3.png")]
        again = fetch(manifest(tmp_path / "again.jsonl", rows), ds.root)
        assert "/2.png" not in host.asked
        assert again.report["reasons"] == {"taken_down": 2, "saved": 1}
    assert main(["takedown", root, "--list", "--json"]) == EXIT_OK
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert sorted(rule["kind"] for rule in rules) == ["sha256", "sha256", "url"]


def test_a_domain_holds_for_images_pages_and_redirects(tmp_path: Path) -> None:
    answers = saved(scene, 2)
    with serving(answers, "127.0.0.2") as owner, serving({}) as other:
        for n in range(2, 5):
            other.answers[f"/{n}.png"] = png(scene(n))
        other.answers["/away.png"] = f"{owner.url}/1.png"
        rows = [("cat", f"{owner.url}/0.png"), ("cat", f"{other.url}/2.png")]
        ds = fetch(manifest(tmp_path / "a.jsonl", rows), tmp_path / "set")
        assert main(["takedown", str(ds.root), "--domain", "127.0.0.2"]) == EXIT_OK
        assert names(ds.root) == ["cat/000002.png"]
        owner.asked.clear()
        rows = [("cat", f"{owner.url}/1.png"), ("cat", f"{other.url}/away.png")]
        ds = fetch(manifest(tmp_path / "b.jsonl", rows), ds.root)
        page = [("cat", f"{other.url}/3.png")]
        ds = fetch(manifest(tmp_path / "c.jsonl", page, page_url=f"{owner.url}/gallery"), ds.root)
        assert "/3.png" not in other.asked
        assert len(ds) == 1
        assert "/1.png" in owner.asked, "a redirect is only known when it has been followed"


def test_a_look_that_was_taken_down_does_not_come_back_in_other_bytes(tmp_path: Path) -> None:
    answers = saved(scene, 4)
    with serving(answers) as host:
        ds = four(tmp_path, host)
        phash = ds[0].info.phash.hex()
        assert main(["takedown", str(ds.root), "--phash", f"{phash}:20"]) == EXIT_OK
        assert len(ds) == 3
        host.answers["/other.jpg"] = jpeg(scene(0), quality=60)
        rows = [("dog", f"{host.url}/other.jpg")]
        again = fetch(manifest(tmp_path / "again.jsonl", rows), ds.root)
    assert again.report["reasons"] == {"taken_down": 1}


def test_a_dry_run_changes_nothing_and_mistakes_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(saved(scene, 4)) as host:
        ds = four(tmp_path, host)
    root = str(ds.root)
    assert main(["takedown", root, "--domain", "127.0.0.1", "--dry-run"]) == EXIT_OK
    assert "4 images would be removed" in capsys.readouterr().out
    assert len(ds) == 4
    for arguments in (
        ["cat/000009.png"], ["--sha256", "abc"], ["--phash", "xyz"], ["--domain", "a/b"], [],
    ):  # fmt: skip
        assert main(["takedown", root, *arguments]) == EXIT_USAGE, arguments
    assert main(["takedown", str(tmp_path), "--domain", "x.example"]) == EXIT_USAGE
    assert len(ds) == 4
    with DatasetLock(Folder(ds.root)):  # recorded, and done by whoever comes next
        assert main(["takedown", root, "--domain", "127.0.0.1"]) == EXIT_OK
        assert len(list(Path(root).glob("cat/*"))) == 4
    assert main(["report", root]) == EXIT_OK
    assert not list(Path(root).glob("cat/*"))


def test_a_takedown_that_was_killed_before_its_files_went_is_finished_by_the_next_start(
    tmp_path: Path,
) -> None:
    from pixtrawl.catalog.database import Catalog
    from pixtrawl.catalog.decisions import takedown

    with serving(saved(scene, 4)) as host:
        ds = four(tmp_path, host)
        catalog = Catalog(ds._samples.folder.catalog)
        rule = takedown.parse_rule("sha256", ds[1].info.sha256)
        down = takedown.TakenDown([rule])
        catalog.write_now(lambda db: takedown.remove(db, list(takedown.matching(db, down))))
        catalog.close()
        assert (ds.root / "cat/000002.png").exists()
        four(tmp_path, host)
    assert not (ds.root / "cat/000002.png").exists()
    assert len(ds) == 3


# -- dedup


def test_a_near_duplicate_is_brought_back_and_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: dict[str, Answer] = {"/a.png": png(scene(1)), "/b.jpg": jpeg(scene(1), quality=70)}
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
        root = str(ds.root)
        assert names(ds.root) == ["cat/000001.png"]
        assert main(["dedup", root, "--json"]) == EXIT_OK
        (group,) = json.loads(capsys.readouterr().out)["groups"]
        (copy,) = group["copies"]
        assert group["file_name"] == "cat/000001.png"
        assert (copy["reason"], copy["label"]) == ("same_picture", "cat")
        assert isinstance(copy["distance"], int)

        assert main(["dedup", root, "--undo", copy["sha256"][:12]]) == EXIT_OK
        assert "cat/000002.jpg" in capsys.readouterr().out
        assert (ds.root / "cat/000002.jpg").read_bytes() == answers["/b.jpg"]
        assert [s.url for s in ds] == [host.url + path for path in answers]
        assert not list(ds.root.glob(".pixtrawl-quarantine-*"))
        assert main(["dedup", root, "--undo", copy["sha256"]]) == EXIT_OK  # as after a kill
        assert "brought back before" in capsys.readouterr().out
        kept = hashlib.sha256((ds.root / "cat/000001.png").read_bytes()).hexdigest()
        assert main(["dedup", root, "--undo", kept]) == EXIT_USAGE
        assert "no near duplicate" in capsys.readouterr().err

        # Another run on the set leaves it where it is, and finds its bytes again.
        answers["/c.jpg"] = answers["/b.jpg"]
        rows = [("cat", f"{host.url}/c.jpg")]
        again = fetch(manifest(tmp_path / "n.jsonl", rows), ds.root)
    assert again.report["reasons"] == {"saved": 2, "same_bytes": 1}


def test_a_kept_image_stands_for_all_that_was_dropped_for_it(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {
        "/a.png": png(scene(1)), "/b.jpg": jpeg(scene(1), quality=70),
        "/c.jpg": jpeg(scene(1), quality=50), "/d.png": png(scene(2)),
    }  # fmt: skip
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
    assert len(ds) == 2
    assert main(["dedup", str(ds.root), "--undo", str(ds.root / "cat/000001.png")]) == EXIT_OK
    assert sorted(s.number for s in ds) == [1, 2, 3, 4]
    assert main(["dedup", str(ds.root), "--undo", "cat/000002.png"]) == EXIT_USAGE


# -- lock


def test_a_set_is_rebuilt_from_its_lock_file_under_the_same_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(saved(scene, 4)) as host:
        ds = four(tmp_path, host)
        assert main(["takedown", str(ds.root), "cat/000002.png"]) == EXIT_OK
        capsys.readouterr()
        assert main(["lock", str(ds.root)]) == EXIT_OK
        shown = capsys.readouterr().out
        file = tmp_path / "set.lock"
        assert main(["lock", str(ds.root), "-o", str(file), "-q"]) == EXIT_OK
        assert file.read_text() == shown, "the same set gives the same file"
        assert not list(tmp_path.glob("*.tmp"))
        rebuilt = tmp_path / "rebuilt"
        code = main(["lock", "--rebuild", str(file), "-o", str(rebuilt), *LOOPBACK, "--json", "-q"])
        assert code == EXIT_OK
        report = json.loads(capsys.readouterr().out)
        assert report["totals"] == {"ok": 3, "moved": 0, "changed": 0, "gone": 0}
    content = {(s.file_name, s.info.sha256) for s in ds}
    assert {(s.file_name, s.info.sha256) for s in pixtrawl.open(rebuilt)} == content
    assert main(["lock", str(rebuilt)]) == EXIT_OK
    assert capsys.readouterr().out == shown, "what was rebuilt has the same recipe"


def test_drift_is_reported_image_by_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(saved(scene, 4) | {"/moved.png": png(scene(9))}) as host:
        rows = [("cat", f"{host.url}/{n}.png") for n in range(4)]
        rows.append(("cat", f"{host.url}/moved.png"))
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
        file = tmp_path / "set.lock"
        assert main(["lock", str(ds.root), "-o", str(file), "-q"]) == EXIT_OK
        host.answers["/elsewhere.png"] = host.answers["/moved.png"]
        host.answers["/moved.png"] = "/elsewhere.png"
        host.answers["/1.png"] = jpeg(scene(1), quality=60)
        host.answers["/2.png"] = png(card(1))
        del host.answers["/3.png"]
        rebuilt = str(tmp_path / "rebuilt")
        code = main(["lock", "--rebuild", str(file), "-o", rebuilt, *LOOPBACK, "--json", "-q"])
        assert code == EXIT_SHORT
        report = json.loads(capsys.readouterr().out)
        by_url = {row["url"].removeprefix(host.url): row for row in report["drift"]}
        assert report["totals"] == {"ok": 1, "moved": 1, "changed": 2, "gone": 1}
        assert by_url["/moved.png"]["final_url"] == f"{host.url}/elsewhere.png"
        assert (by_url["/1.png"]["same_look"], by_url["/1.png"]["kept"]) == (True, True)
        assert (by_url["/2.png"]["same_look"], by_url["/2.png"]["kept"]) == (False, False)
        assert (by_url["/3.png"]["state"], by_url["/3.png"]["reason"]) == ("gone", "not_found")
        assert names(Path(rebuilt)) == ["cat/000001.png", "cat/000002.jpg", "cat/000005.png"]
        assert main(["lock", "--rebuild", str(file), "-o", rebuilt, *LOOPBACK]) == EXIT_SHORT
        assert "3 of 5 images rebuilt" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"pixtrawl_lock": 99}', '{"pixtrawl_lock": 1, "queries": [], "images": []}',
     '{"pixtrawl_lock": 1, "queries": [{"text": "a", "label": "../a"}], "images": []}',
     '{"pixtrawl_lock": 1, "queries": [{"text": "a", "label": "a"}], "images": [{"query": 0}]}'],
)  # fmt: skip
def test_what_is_no_lock_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.lock"
    file.write_text(content)
    out = tmp_path / "out"
    assert main(["lock", "--rebuild", str(file), "-o", str(out)]) == EXIT_USAGE
    assert not out.exists()


def test_a_set_that_is_gone_altogether_ends_with_its_own_code(tmp_path: Path) -> None:
    with serving(saved(scene, 4)) as host:
        ds = four(tmp_path, host)
        file = tmp_path / "set.lock"
        assert main(["lock", str(ds.root), "-o", str(file), "-q"]) == EXIT_OK
        host.answers.clear()
        out = str(tmp_path / "out")
        code = main(["lock", "--rebuild", str(file), "-o", out, *LOOPBACK, "-q"])
        assert code == EXIT_NOTHING
    assert main(["lock"]) == EXIT_USAGE
    assert main(["lock", str(ds.root), "--rebuild", str(file)]) == EXIT_USAGE
