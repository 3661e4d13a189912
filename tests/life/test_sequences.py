"""Whatever is done to data sets in whatever order: no picture is lost, doubled or told wrongly."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK
from tests.life.sets import assert_whole, listed, on_disk
from tests.matrices import matrix
from tests.pipeline.pictures import Host, fetch, manifest

LABELS = ("cat", "dog", "owl")


class Life:
    """One data set, what was done to it, and which pictures nobody has removed."""

    def __init__(self, tmp_path: Path, host: Host, seed: int) -> None:
        self.root = tmp_path / "set"
        self.tmp_path = tmp_path
        self.host = host
        self.chance = random.Random(seed)
        self.kept: set[str] = set()  # SHA-256 that must be there
        self.told: list[str] = []
        self.turn = 0

    def run(self) -> None:
        label = self.chance.choice(LABELS)
        at = LABELS.index(label) * 8
        rows = [(label, f"{self.host.url}/{n}.png") for n in range(at, at + 8)]
        limit = self.chance.randint(2, 5)
        file = manifest(self.tmp_path / f"m{self.turn}.jsonl", rows)
        fetch(file, self.root, limit=limit)

    def rm(self) -> None:
        if (file := self._file()) is not None:
            file.unlink()

    def mv(self) -> None:
        if (file := self._file()) is not None:
            target = self.root / self.chance.choice((*LABELS, "lynx"))
            target.mkdir(exist_ok=True)
            assert not (target / file.name).exists() or target == file.parent, "a number is taken"
            shutil.move(file, target / file.name)

    def rename_file(self) -> None:
        if (file := self._file()) is not None:
            file.rename(file.with_name(f"mine {self.turn}{file.suffix}"))

    def rename_folder(self) -> None:
        folders = [path for path in self.root.iterdir() if path.is_dir() and any(path.iterdir())]
        if folders:
            self.chance.choice(sorted(folders)).rename(self.root / f"folder {self.turn}")

    def label(self) -> None:
        if (file := self._file()) is not None:
            self._command("label", str(file), "--to", self.chance.choice((*LABELS, "lynx")))

    def undo(self) -> None:
        main(["label", str(self.root), "--undo"])

    def takedown(self) -> None:
        if (file := self._file()) is not None:
            self._command("takedown", str(self.root), str(file))

    def take_back(self) -> None:
        url = f"{self.host.url}/{self.chance.randrange(24)}.png"
        self._command("takedown", str(self.root), "--url", url)
        self._command("takedown", str(self.root), "--undo", "--url", url)

    def restore(self) -> None:
        self._command("restore", str(self.root))

    def merge(self) -> None:
        other = self.tmp_path / f"merged{self.turn}"
        before = set(on_disk(self.root).values())
        self._command("merge", str(self.root), "-o", str(other))
        assert set(on_disk(other).values()) == before
        assert_whole(other)
        self.root = other

    def _command(self, *words: str) -> None:
        assert main(list(words)) in {EXIT_OK, 4}, words

    def _file(self) -> Path | None:
        files = sorted(path for path in self.root.glob("*/*") if path.is_file())
        return self.chance.choice(files) if files else None

    def step(self) -> None:
        self.turn += 1
        name = self.chance.choice(
            ("run", "run", "rm", "mv", "mv", "rename_file", "rename_folder", "label", "undo",
             "takedown", "take_back", "restore", "merge")
        )  # fmt: skip
        self.told.append(name)
        before = set(on_disk(self.root).values())
        getattr(self, name)()
        after = set(on_disk(self.root).values())
        if name not in {"rm", "takedown", "take_back"}:
            assert before <= after, f"lost by {self.told}"
        assert len(before - after) <= 1, f"lost by {self.told}"
        pixtrawl.open(self.root)
        assert listed(self.root) == on_disk(self.root), self.told
        assert_whole(self.root)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", matrix(range(4), 0))
def test_no_order_of_steps_loses_or_doubles_a_picture(
    tmp_path: Path, host: Host, seed: int
) -> None:
    life = Life(tmp_path, host, seed)
    life.run()
    for _ in range(14):
        life.step()
    assert main(["verify", str(life.root)]) == EXIT_OK
    rows = [(label, f"{host.url}/{n}.png") for label in LABELS for n in range(24)]
    fetch(manifest(tmp_path / "last.jsonl", rows), life.root)
    assert_whole(life.root)
