"""The command `label`: images under another label, whole labels, and taking that back."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from tests import warm_command
from tests.life.sets import assert_whole, labels, listed, on_disk, pets
from tests.matrices import crossed
from tests.pipeline.pictures import Host


def test_images_go_to_a_label_that_is_there_or_new(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pets(tmp_path, host, limit=4)
    content = sorted(on_disk(root).values())
    first, second, third, _ = [s.file_name for s in pixtrawl.open(root) if s.label == "cat"]
    assert main(["label", str(root / first), "--to", "dog"]) == EXIT_OK
    assert "1 image moved" in capsys.readouterr().out
    assert main(["label", str(root), second, "--to", "lynx", "--json"]) == EXIT_OK
    (moved,) = json.loads(capsys.readouterr().out)["moved"]
    assert moved == {"from": second, "to": second.replace("cat/", "lynx/")}
    monkeypatch.chdir(root / "cat")
    assert main(["label", Path(third).name, "--to", "lynx"]) == EXIT_OK
    assert labels(root) == {"cat": 1, "dog": 5, "lynx": 2}
    assert sorted(on_disk(root).values()) == content
    assert_whole(root)
    assert main(["label", str(root / third), "--to", "cat"]) == EXIT_USAGE, "it is not there"
    assert main(["label", "--undo", str(root)]) == EXIT_OK
    assert main(["label", "--undo", str(root)]) == EXIT_OK
    assert main(["label", "--undo", str(root)]) == EXIT_OK
    assert main(["label", "--undo", str(root)]) == EXIT_USAGE
    assert sorted(listed(root)) == sorted(on_disk(root))
    assert labels(root) == {"cat": 4, "dog": 4}
    assert sorted(on_disk(root).values()) == content
    monkeypatch.chdir(tmp_path)
    assert labels(pets(tmp_path, host, limit=4)) == {"cat": 4, "dog": 4}


def test_a_whole_label_takes_its_query_along(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    assert main(["label", str(root / "cat"), "--to", "tabby"]) == EXIT_OK
    assert labels(root) == {"tabby": 4, "dog": 4}
    assert_whole(root)
    host.asked.clear()
    assert labels(pets(tmp_path, host, limit=4)) == {"tabby": 4, "dog": 4}
    assert not host.asked
    assert main(["label", str(root), "tabby", "--to", "dog"]) == EXIT_OK
    assert labels(root) == {"dog": 8}, "into a label that is there: each of its images"
    assert main(["label", str(root), "--undo"]) == EXIT_OK
    assert labels(root) == {"tabby": 4, "dog": 4}
    assert main(["label", str(root), "--undo"]) == EXIT_OK
    assert labels(root) == {"cat": 4, "dog": 4}
    assert_whole(root)


def test_the_same_bytes_stand_once_under_a_label(tmp_path: Path, host: Host) -> None:
    from tests.pipeline.pictures import fetch, manifest

    rows = [
        ("cat", f"{host.url}/1.png"),
        ("dog", f"{host.url}/1.png"),
        ("dog", f"{host.url}/2.png"),
    ]
    root = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set").root
    assert labels(root) == {"cat": 1, "dog": 2}
    assert main(["label", str(root / "cat"), "--to", "dog"]) == EXIT_OK
    assert labels(root) == {"dog": 2}
    assert_whole(root)


@pytest.mark.parametrize(
    "words",
    [["cat/999999.png", "--to", "dog"], ["cat", "--to", "a/b"], ["cat", "--to", " "], ["cat"],
     ["--to", "dog"], ["cat", "--to", "x", "--undo"], ["cat", "--undo"]],
)  # fmt: skip
def test_a_mistake_is_one_line_and_changes_nothing(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    root = pets(tmp_path, host, limit=2)
    before = on_disk(root)
    capsys.readouterr()
    assert main(["label", str(root), *words]) == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert on_disk(root) == before
    with DatasetLock(Folder(root)):  # recorded, and done by whoever comes next
        assert main(["label", str(root), "cat", "--to", "x"]) == EXIT_OK
        assert on_disk(root) == before
    assert len(list(pixtrawl.open(root))) == len(before)
    assert labels(root) == {"x": 2, "dog": 2}


KILLED = """
import os, signal, sys
from pixtrawl.folder import files
from pixtrawl.folder.derived import writing
from pixtrawl.cli.main import main
left = int(sys.argv[1])
def dying(function):
    def call(*a, **k):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*a, **k)
    return call
files.move_new = dying(files.move_new)
writing.write_all = dying(writing.write_all)
main(sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("steps", "words"),
    crossed([0, 1, 2, 4], [["cat", "--to", "dog"], ["cat", "--to", "lynx"]]),
)
def test_a_kill_between_any_two_renames_loses_and_doubles_nothing(
    tmp_path: Path, host: Host, steps: int, words: list[str]
) -> None:
    root = pets(tmp_path, host, limit=4)
    content = sorted(on_disk(root).values())
    command = [sys.executable, "-c", KILLED, str(steps), "label", str(root), *words]
    done = warm_command.run(command, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert sorted(on_disk(root).values()) == content
    # What was decided is done by the next start, and the command may be typed once more.
    assert main(["label", str(root), *words]) in {EXIT_OK, EXIT_USAGE}
    assert labels(root) == ({"dog": 8} if "dog" in words else {"lynx": 4, "dog": 4})
    assert sorted(on_disk(root).values()) == content
    assert main(["report", str(root), "--json"]) == EXIT_OK
    assert main(["verify", str(root)]) in {EXIT_OK, 3}
    pixtrawl.open(root)
    assert pets(tmp_path, host, limit=4) == root
    assert_whole(root)
