"""Of all copies that a run was offered, the data set keeps the original, in any order."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

import pixtrawl
from pixtrawl.catalog import compared
from pixtrawl.catalog.schema.states import KEPT
from pixtrawl.pipeline import best_copies
from tests import warm_command
from tests.dedup.test_original import EDITS, encoded, scene
from tests.matrices import slow
from tests.pipeline.pictures import Answer, serving

pytestmark = pytest.mark.timeout(240)

OFFERED = ("border", "polaroid", "title bar", "enlarged 1.3", "half", "watermark", "caption")


def offered(seeds: range, names: tuple[str, ...] = OFFERED) -> dict[str, bytes]:
    pictures = {}
    for seed in seeds:
        picture = scene(seed)
        pictures[f"/{seed}-original.jpg"] = encoded(picture, 92)
        for name in names:
            path = f"/{seed}-{name.replace(' ', '-')}.jpg"
            pictures[path] = encoded(EDITS[name](picture), 85)
    return pictures


def download(folder: Path, base: str, paths: list[str]) -> pixtrawl.Dataset:
    (folder / "list.txt").write_text("".join(f"{base}{path}\n" for path in paths))
    return pixtrawl.download(
        folder / "list.txt", output=folder / "set", allow_address="127.0.0.0/8"
    )


def rows(folder: Path) -> list[dict[str, object]]:
    text = (folder / "set/metadata.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("order", "scenes", "names"),
    [
        ("mixed", 1, OFFERED[::2]),  # tests/dedup/test_original.py compares each edit
        *(slow(order, 2, OFFERED) for order in ("first", "last", "mixed")),
    ],
    ids=["few", "first", "last", "mixed"],
)
def test_the_original_stays_whatever_came_when(
    tmp_path: Path, order: str, scenes: int, names: tuple[str, ...]
) -> None:
    pictures = offered(range(scenes), names)
    paths = sorted(pictures, key=lambda path: ("original" in path) == (order == "last"))
    if order == "mixed":
        random.Random(4).shuffle(paths)
    answers: dict[str, Answer] = dict(pictures)
    with serving(answers) as host:
        download(tmp_path, host.url, paths)
    kept = {str(row["url"]).rsplit("/", 1)[1]: row for row in rows(tmp_path)}
    assert {f"{seed}-original.jpg" for seed in range(scenes)} <= set(kept)
    for row in kept.values():
        data = (tmp_path / "set" / str(row["file_name"])).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
    assert sorted(int(str(row["number"])) for row in kept.values()) == list(range(1, len(kept) + 1))


def test_a_replaced_image_waits_aside_and_pairs_are_compared_once(tmp_path: Path) -> None:
    picture = scene(9)
    framed, original = encoded(EDITS["polaroid"](picture)), encoded(picture, 92)
    with serving({"/framed.jpg": framed, "/original.jpg": original}) as host:
        download(tmp_path, host.url, ["/framed.jpg"])
        assert [row["sha256"] for row in rows(tmp_path)] == [hashlib.sha256(framed).hexdigest()]
        download(tmp_path, host.url, ["/framed.jpg", "/original.jpg"])
        assert [row["sha256"] for row in rows(tmp_path)] == [hashlib.sha256(original).hexdigest()]
        with sqlite3.connect(tmp_path / "set/.pixtrawl-catalog.sqlite3") as db:
            pairs = db.execute("SELECT lower(hex(kept)), why FROM compared").fetchall()
        db.close()
        assert pairs == [(hashlib.sha256(original).hexdigest(), "has no frame")]
        download(tmp_path, host.url, ["/framed.jpg", "/original.jpg"])
        assert [row["sha256"] for row in rows(tmp_path)] == [hashlib.sha256(original).hexdigest()]
    aside = list((tmp_path / "set").glob(".pixtrawl-quarantine-*"))
    assert [path.read_bytes() for path in aside] == [framed]


def test_a_copy_of_a_later_run_is_compared_together_with_those_before(tmp_path: Path) -> None:
    pictures = offered(range(1), ("border", "half", "watermark"))
    answers: dict[str, Answer] = dict(pictures)
    digest = {path: hashlib.sha256(data).hexdigest() for path, data in pictures.items()}
    *early, late = sorted(pictures)
    with serving(answers) as host:
        download(tmp_path, host.url, early)
        with sqlite3.connect(tmp_path / "set/.pixtrawl-catalog.sqlite3") as db:
            assert compared.to_compare(db, 0, 9) == []
            (kept,) = db.execute(
                f"SELECT lower(hex(sha256)) FROM sample WHERE state IN {KEPT}"
            ).fetchone()
            db.execute("DELETE FROM compared WHERE other = ?", (bytes.fromhex(digest[early[0]]),))
            again = {row.sha256 for row in compared.to_compare(db, 0, 9)}
            assert again == {digest[path] for path in early} - {kept}
        db.close()
        download(tmp_path, host.url, [*early, late])
    assert compared_pairs(tmp_path) == 3
    assert [row["sha256"] for row in rows(tmp_path)] == [digest["/0-original.jpg"]]


def test_an_end_between_two_notes_leaves_the_whole_group_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = offered(range(1), ("border", "half", "watermark"))
    noted: list[str] = []

    def note(db: sqlite3.Connection, kept: str, other: str, why: str) -> None:
        if noted:
            raise RuntimeError("killed here")
        noted.append(other)
        compared.note(db, kept, other, why)

    answers: dict[str, Answer] = dict(pictures)
    with serving(answers) as host:
        with monkeypatch.context() as patched:
            patched.setattr(best_copies, "compared", SimpleNamespace(
                note=note, to_compare=compared.to_compare
            ))  # fmt: skip
            with pytest.raises(RuntimeError, match="killed here"):
                download(tmp_path, host.url, sorted(pictures))
        assert compared_pairs(tmp_path) == 0
        download(tmp_path, host.url, sorted(pictures))
    assert compared_pairs(tmp_path) == 3
    assert [str(row["url"]).rsplit("/", 1)[1] for row in rows(tmp_path)] == ["0-original.jpg"]


def test_exact_compares_bytes_only(tmp_path: Path) -> None:
    picture: Image.Image = scene(3)
    answers: dict[str, Answer] = {
        "/a.jpg": encoded(picture, 92), "/b.jpg": encoded(EDITS["border"](picture)),
    }  # fmt: skip
    with serving(answers) as host:
        (tmp_path / "list.txt").write_text(f"{host.url}/a.jpg\n{host.url}/b.jpg\n")
        pixtrawl.download(
            tmp_path / "list.txt", output=tmp_path / "set", allow_address="127.0.0.0/8",
            dedup="exact",
        )  # fmt: skip
    assert len(rows(tmp_path)) == 2


def command(folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "pixtrawl", "download", str(folder / "list.txt"),
        "-o", str(folder / "set"), "--allow-address", "127.0.0.0/8", "--per-host", "2", "-q",
        "--set", "images.decoders=1",
    ]  # fmt: skip


def compared_pairs(folder: Path) -> int:
    """How many pairs of copies the catalog says were compared; 0 while there is none."""
    catalog = folder / "set/.pixtrawl-catalog.sqlite3"
    if not catalog.exists():
        return 0
    with closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True, timeout=60)) as db:
        try:
            count: int = db.execute("SELECT count(*) FROM compared").fetchone()[0]
        except sqlite3.OperationalError:  # no table yet
            return 0
    return count


def kill_when(folder: Path, count: Callable[[], int], least: int) -> None:
    """Run the command, and kill -9 it as soon as there are so many."""
    running = warm_command.Popen(
        command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        while count() < least:
            assert running.poll() is None, "the run was over before it could be killed"
            time.sleep(0.005)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=60)


@pytest.mark.slow  # tests/resume/test_kill.py kills the same run
@pytest.mark.parametrize(("seed", "scenes", "kills"), [(1, 1, 1), slow(2, 3, 3), slow(3, 3, 3)])
def test_kills_between_copies_and_between_comparisons_change_nothing(
    tmp_path: Path, seed: int, scenes: int, kills: int
) -> None:
    pictures = offered(range(scenes))
    paths = random.Random(seed).sample(sorted(pictures), len(pictures))
    answers: dict[str, Answer] = dict(pictures)
    with serving(answers) as host:
        (tmp_path / "list.txt").write_text("".join(f"{host.url}{path}\n" for path in paths))
        for turn in range(kills):
            kill_when(tmp_path, lambda: len(set(host.asked_files)), 4 * (turn + 1))
        for _ in range(kills):
            kill_when(tmp_path, lambda: compared_pairs(tmp_path), compared_pairs(tmp_path) + 1)
        warm_command.run(command(tmp_path), check=True, timeout=120, capture_output=True)
    kept = rows(tmp_path)
    assert {f"{seed}-original.jpg" for seed in range(scenes)} <= {
        str(row["url"]).rsplit("/", 1)[1] for row in kept
    }
    files = sorted(
        path for path in (tmp_path / "set").rglob("*.jpg") if ".pixtrawl" not in str(path)
    )
    assert len(files) == len(kept)
    for row in kept:
        data = (tmp_path / "set" / str(row["file_name"])).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
    assert sorted(int(str(row["number"])) for row in kept) == list(range(1, len(kept) + 1))
