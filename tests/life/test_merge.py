"""Data sets joined without a download, killed anywhere, and again."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_ENVIRONMENT, EXIT_OK, EXIT_USAGE
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from tests import warm_command
from tests.life.sets import assert_whole, labels, on_disk
from tests.matrices import slow
from tests.pipeline.pictures import Host, fetch, jpeg, manifest, scene


def cats(tmp_path: Path, host: Host, name: str, numbers: range, label: str = "cat") -> Path:
    rows = [(label, f"{host.url}/{n}.png") for n in numbers]
    return fetch(manifest(tmp_path / f"{name}.jsonl", rows), tmp_path / name).root


def test_labels_come_together_and_the_same_bytes_stand_once(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    a = cats(tmp_path, host, "a", range(4))
    b = cats(tmp_path, host, "b", range(2, 6))
    c = cats(tmp_path, host, "c", range(10, 13), "dog")
    host.answers["/near.jpg"] = jpeg(scene(0), quality=60)
    fetch(manifest(tmp_path / "near.jsonl", [("cat", f"{host.url}/near.jpg")]), b)
    sources = {root: on_disk(root) for root in (a, b, c)}
    facts = {s.info.sha256: (s.url, s.fetched_at, s.candidate.query) for s in pixtrawl.open(a)}
    host.asked.clear()
    capsys.readouterr()
    words = ["merge", str(a), str(b), str(c), "-o", str(tmp_path / "all"), "--json"]
    assert main(words) == EXIT_OK
    done = json.loads(capsys.readouterr().out)
    assert (done["images"], done["reasons"]["saved"]) == (9, 9)
    assert done["reasons"]["same_picture"] == 1
    assert not host.asked
    root = tmp_path / "all"
    assert labels(root) == {"cat": 6, "dog": 3}
    assert_whole(root)
    assert {source: on_disk(source) for source in sources} == sources
    merged = {s.info.sha256: (s.url, s.fetched_at, s.candidate.query) for s in pixtrawl.open(root)}
    assert merged | facts == merged
    assert sum(q["saved"] for q in pixtrawl.open(root).report["queries"]) == 9
    # Once more, and into a set that is there: nothing is doubled.
    before = on_disk(root)
    assert main(words) == EXIT_OK
    assert on_disk(root) == before
    d = cats(tmp_path, host, "d", range(14, 16), "dog")
    assert main(["merge", str(d), "-o", str(root)]) == EXIT_OK
    assert labels(root) == {"cat": 6, "dog": 5}
    assert_whole(root)
    assert main(["verify", str(root)]) == EXIT_OK
    # What is finished is not asked for again.
    host.asked.clear()
    rows = [("cat", f"{host.url}/{n}.png") for n in range(6)]
    assert len(fetch(manifest(tmp_path / "again.jsonl", rows), root)) >= 6
    assert not host.asked


def test_a_merge_keeps_variants_in_other_colours_and_drops_smaller_copies(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    red = scene(3)
    turned = red.convert("HSV").point([(v + 85) % 256 for v in range(256)] + list(range(256)) * 2)
    host.answers["/red.jpg"] = jpeg(red, quality=92)
    host.answers["/turned.jpg"] = jpeg(turned.convert("RGB"), quality=92)
    host.answers["/small.jpg"] = jpeg(red.resize((red.width // 2, red.height // 2)), quality=92)
    sets = []
    for name, files in (("a", ["red"]), ("b", ["turned", "small"])):
        rows = [("cat", f"{host.url}/{file}.jpg") for file in files]
        options = {} if name == "a" else {"dedup": "exact"}
        listed = manifest(tmp_path / f"{name}.jsonl", rows)
        sets.append(str(fetch(listed, tmp_path / name, **options).root))
    capsys.readouterr()
    assert main(["merge", *sets, "-o", str(tmp_path / "all"), "--json"]) == EXIT_OK
    done = json.loads(capsys.readouterr().out)
    assert (done["reasons"]["saved"], done["reasons"]["same_picture"]) == (2, 1), done["reasons"]
    kept = {sample.url.rpartition("/")[2] for sample in pixtrawl.open(tmp_path / "all")}
    assert kept == {"red.jpg", "turned.jpg"}


def test_decisions_of_a_person_hold_in_the_whole(tmp_path: Path, host: Host) -> None:
    a, b = cats(tmp_path, host, "a", range(4)), cats(tmp_path, host, "b", range(4))
    samples = list(pixtrawl.open(a))
    samples[0].path.unlink()
    assert main(["label", str(samples[1].path), "--to", "lynx"]) == EXIT_OK
    assert main(["takedown", str(a), "--sha256", samples[2].info.sha256]) == EXIT_OK
    for order in ([a, b], [b, a]):
        root = tmp_path / f"from-{order[0].name}"
        assert main(["merge", *map(str, order), "-o", str(root)]) == EXIT_OK
        found = {(s.label, s.info.sha256) for s in pixtrawl.open(root)}
        assert found == {("lynx", samples[1].info.sha256), ("cat", samples[3].info.sha256)}
        assert_whole(root)


def test_mistakes_are_reported_in_a_line(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = cats(tmp_path, host, "a", range(2)), cats(tmp_path, host, "b", range(2, 4))
    out = str(tmp_path / "out")
    assert main(["merge", str(a), str(tmp_path / "none"), "-o", out]) == EXIT_USAGE
    assert main(["merge", str(a), str(b)]) == EXIT_USAGE
    assert main(["merge", str(a), str(b), "-o", out, "--dedup", "much"]) == EXIT_USAGE
    with DatasetLock(Folder(b)):
        assert main(["merge", str(a), str(b), "-o", out]) == EXIT_ENVIRONMENT
    bare = tmp_path / "bare"
    shutil.copytree(a, bare, ignore=shutil.ignore_patterns(".pixtrawl*"))
    assert main(["merge", str(bare), str(b), "-o", out]) == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 5
    assert main(["merge", str(a), str(b), "-o", str(a), "--copy"]) == EXIT_OK
    assert labels(a) == {"cat": 4}
    assert_whole(a)


KILLED = """
import os, signal, sys
left = int(sys.argv[1])
from pixtrawl.folder import files
from pixtrawl.catalog.database import Catalog
from pixtrawl.cli.main import main
def dying(function):
    def call(*a, **k):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*a, **k)
    return call
files.move_new = dying(files.move_new)
Catalog.write_now = dying(Catalog.write_now)
main(sys.argv[2:])
"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("every", [11, slow(3)])
def test_a_merge_that_is_killed_anywhere_goes_on(tmp_path: Path, host: Host, every: int) -> None:
    a, b = cats(tmp_path, host, "a", range(4)), cats(tmp_path, host, "b", range(2, 6))
    root = tmp_path / "all"
    words = ["merge", str(a), str(b), "-o", str(root)]
    for steps in range(1, 40, every):
        command = [sys.executable, "-c", KILLED, str(steps), *words]
        ended = warm_command.run(command, timeout=60, capture_output=True)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert len(set(on_disk(root).values())) == len(on_disk(root)), "nothing is doubled"
    assert steps > 3
    assert main(words) == EXIT_OK
    assert set(on_disk(root).values()) == {*on_disk(a).values(), *on_disk(b).values()}
    assert_whole(root)
    assert main(["verify", str(root)]) == EXIT_OK
