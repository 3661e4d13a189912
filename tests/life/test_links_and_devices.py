"""Folders that lead out of the data set are refused before the first request, with the next step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.own_folders import require_own_folders
from tests.life.sets import on_disk, pets
from tests.pipeline.pictures import Host


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege there")
@pytest.mark.parametrize("before", [True, False])
def test_a_label_folder_that_is_a_link_is_not_written_through(
    tmp_path: Path, host: Host, before: bool
) -> None:
    outside, root = tmp_path / "outside", tmp_path / "set"
    if before:
        pets(tmp_path, host, limit=2)
        (root / "cat").rename(outside)
    else:
        outside.mkdir()
        root.mkdir()
    (root / "cat").symlink_to(outside)
    content, asked = sorted(outside.iterdir()), len(host.asked)
    with pytest.raises(StorageError, match="symbolic link"):
        pets(tmp_path, host, limit=4)
    assert sorted(outside.iterdir()) == content
    assert len(host.asked) == asked
    (root / "cat").unlink()
    if before:
        outside.rename(root / "cat")
    pets(tmp_path, host, limit=4)
    assert len(on_disk(root)) == 8


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_label_folder_on_another_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mounting needs a privilege, so the folder's own device is said to be another."""
    (tmp_path / "cat").mkdir()
    require_own_folders(Folder(tmp_path))
    real = Path.stat
    others = (real(Path(place)) for place in ("/dev/shm", "/"))  # it cannot lie on both
    other = next(found for found in others if found.st_dev != real(tmp_path).st_dev)

    def stat(path: Path, **options: bool) -> os.stat_result:
        return other if path == tmp_path else real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(StorageError, match="another file system"):
        require_own_folders(Folder(tmp_path))


def test_a_lock_that_is_a_folder_is_reported_with_the_next_step(tmp_path: Path, host: Host) -> None:
    (tmp_path / "set/.pixtrawl-lock").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"Is a directory: .*\.pixtrawl-lock.*move that folder"):
        pets(tmp_path, host, limit=2)
    (tmp_path / "set/.pixtrawl-lock").rmdir()
    pets(tmp_path, host, limit=2)
