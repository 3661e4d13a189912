"""Small data sets, and what holds for them after whatever a person or a command did."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from pixtrawl.catalog.database import connect
from pixtrawl.folder.dataset_folder import Folder
from tests.pipeline.pictures import Host, fetch, manifest, saved, scene

# By address and limit: a set that was downloaded, and the paths that were asked for.
_MADE: dict[tuple[str, int | None], tuple[Path, list[str]]] = {}


def pets(tmp_path: Path, host: Host, *, limit: int | None = None) -> Path:
    """Ten cats and ten dogs, or `limit` of each; numbered in the order in which they arrive.

    Downloaded once from each host; a copy of that where the host still has the same pictures.
    """
    goal, key = tmp_path / "set", (host.url, limit)
    if goal.exists() or host.more or not host.answers.items() >= saved(scene, 20).items():
        return _downloaded(tmp_path, host, limit)
    if key not in _MADE:
        before = len(host.asked)
        place = Path(tempfile.mkdtemp(prefix="pets-", dir=tmp_path.parent))
        _MADE[key] = _downloaded(place, host, limit), host.asked[before:]
        del host.asked[before:]
    made, asked = _MADE[key]
    host.asked += asked
    shutil.copy(made.parent / "pets.jsonl", tmp_path)
    return Path(shutil.copytree(made, goal))


def _downloaded(tmp_path: Path, host: Host, limit: int | None) -> Path:
    rows = [("cat", f"{host.url}/{n}.png") for n in range(10)]
    rows += [("dog", f"{host.url}/{n}.png") for n in range(10, 20)]
    given = {} if limit is None else {"limit": limit}
    return fetch(manifest(tmp_path / "pets.jsonl", rows), tmp_path / "set", **given).root


def labels(root: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in on_disk(root):
        label = name.partition("/")[0]
        found[label] = found.get(label, 0) + 1
    return found


def on_disk(root: Path) -> dict[str, str]:
    """SHA-256 by name of every file in a label's folder."""
    return {
        f"{file.parent.name}/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.glob("*/*")
        if file.is_file() and not file.parent.name.startswith(".")
    }


def listed(root: Path) -> dict[str, str]:
    """The same of metadata.jsonl."""
    lines = (root / "metadata.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert all(row["file_name"].startswith(f"{row['label']}/") for row in rows)
    found = {row["file_name"]: row["sha256"] for row in rows}
    assert len(found) == len(rows), "two rows for one file"
    return found


def assert_whole(root: Path) -> None:
    """Rows and files are the same, and no number stands for two images."""
    assert listed(root) == on_disk(root)
    with closing(connect(Folder(root).catalog, read_only=True)) as db:
        numbers = db.execute("SELECT number, sha256 FROM sample WHERE state IN (0, 1)").fetchall()
        assert max(Counter(number for number, _ in numbers).values(), default=1) == 1
        assert db.execute("SELECT count(*) FROM moving").fetchone() == (0,)
