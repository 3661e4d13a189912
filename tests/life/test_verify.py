"""The command `verify`: what is missing, altered or foreign, without touching anything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_SHORT, EXIT_USAGE
from tests.life.sets import on_disk, pets
from tests.pipeline.pictures import Host


def states(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    capsys.readouterr()
    code = main(["verify", str(root), "--json", *words])
    found = json.loads(capsys.readouterr().out)
    assert code == (EXIT_OK if found["ok"] else EXIT_SHORT)
    return {one["file_name"]: one["state"] for one in found["troubles"]}


def test_each_trouble_is_named_and_nothing_is_touched(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    assert states(root, capsys) == {}
    first, second, third, fourth = [s.file_name for s in pixtrawl.open(root)][:4]
    (root / first).unlink()
    with (root / second).open("ab") as file:
        file.write(b"more")
    content = bytearray((root / third).read_bytes())
    content[-20] ^= 1
    (root / third).write_bytes(content)
    (root / "cat/notes.txt").write_text("mine")
    (root / "list.csv").write_text("mine")
    before = on_disk(root)
    expected = {
        first: "missing", second: "altered", third: "altered", "cat/notes.txt": "foreign",
        "list.csv": "foreign",
    }  # fmt: skip
    assert states(root, capsys) == expected
    del expected[third]  # names and sizes do not tell other bytes of the same length
    assert states(root, capsys, "--quick") == expected
    assert main(["verify", str(root)]) == EXIT_SHORT
    shown = capsys.readouterr().out
    assert f"missing  {first}" in shown
    assert "next:" in shown
    assert on_disk(root) == before
    # A file under another name is missing there and foreign here, until a command takes note.
    (root / fourth).rename(root / "dog/moved.png")
    assert states(root, capsys)["dog/moved.png"] == "foreign"
    pixtrawl.open(root)
    assert "dog/moved.png" not in states(root, capsys)


def test_a_copy_without_its_hidden_files_is_checked_too(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=3)
    copy = tmp_path / "copy"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".pixtrawl*"))
    assert states(copy, capsys) == {}
    name = next(iter(on_disk(copy)))
    (copy / name).unlink()
    assert states(copy, capsys) == {name: "missing"}
    assert not list(copy.glob(".*"))


def test_metadata_that_lists_something_else_is_reported(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=3)
    lines = (root / "metadata.jsonl").read_text().splitlines(keepends=True)
    (root / "metadata.jsonl").write_text("".join(lines[1:]))
    assert states(root, capsys) == {"metadata.jsonl": "stale"}
    assert main(["verify", str(tmp_path / "nowhere")]) == EXIT_USAGE
