"""Known models are fetched with consent, go on after a break, and are checked ever after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.scoring.models import fetching
from pixtrawl.scoring.models.description import Description
from pixtrawl.scoring.models.known_models import KNOWN, KnownModel
from tests.scoring.local_hub import LocalHub, serving
from tests.scoring.tiny_models import write_image_model

TONE = KnownModel(
    name="tone", what="the colour of pictures", repository="someone/tone", licence="MIT",
    files={"model.onnx": "onnx/model.onnx"},
    description=Description(
        kind="classifier", labels=("red", "green", "blue"), activation="softmax"
    ),
)  # fmt: skip
PATH = "someone/tone/resolve/main/onnx/model.onnx"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.setitem(KNOWN, "tone", TONE)
    monkeypatch.setattr(fetching, "_PIECE_BYTES", 100)
    model = write_image_model(tmp_path / "hub" / "model.onnx", None)
    with serving({PATH: model.read_bytes()}) as hub:
        yield hub


def score(hub: LocalHub, folder: Folder, models: Path, *more: str) -> int:
    return main([
        "score", str(folder.root), "--model", "tone", "--as", "tone", "--models-dir", str(models),
        "--set", f"models.base_url={hub.url}", "--set", "fetch.allow_address=127.0.0.0/8", *more,
    ])  # fmt: skip


def test_nothing_is_fetched_without_consent(
    hub: LocalHub, colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(hub, colours, tmp_path / "models") == 2
    error = capsys.readouterr().err
    assert "--yes fetches it from" in error
    assert "licence: MIT" in error
    assert hub.asked == []


@pytest.mark.parametrize("redirect", [False, True])
@pytest.mark.parametrize("ranges", [False, True])
def test_with_consent_it_is_fetched_once_and_its_hash_recorded(
    hub: LocalHub, colours: Folder, tmp_path: Path, ranges: bool, redirect: bool
) -> None:
    hub.ranges, hub.redirect = ranges, redirect
    models = tmp_path / "models"
    assert score(hub, colours, models, "--yes") == 0
    asked = len(hub.asked)
    assert score(hub, colours, models) == 0
    assert len(hub.asked) == asked
    sha256 = hashlib.sha256(hub.files[PATH]).hexdigest()
    record = json.loads((models / "models.lock.json").read_text())["tone"]
    assert record["files"]["model.onnx"]["sha256"] == sha256
    assert record["files"]["model.onnx"]["size_bytes"] == len(hub.files[PATH])
    lock = tmp_path / "set.lock"
    assert main(["lock", str(colours.root), "-o", str(lock)]) == 0
    (row,) = json.loads(lock.read_text())["models"]
    assert row["files"]["model.onnx"]["sha256"] == sha256
    assert row["repository"] == "someone/tone"


def test_revision_and_licence_are_what_the_repository_states_at_the_first_fetch(
    hub: LocalHub, colours: Folder, tmp_path: Path
) -> None:
    hub.revision = "5f" * 20
    hub.files["someone/tone/resolve/main/README.md"] = b"---\nlicense: cc-by-4.0\n---\n# Tone\n"
    models = tmp_path / "models"
    assert score(hub, colours, models, "--yes") == 0
    record = json.loads((models / "models.lock.json").read_text())["tone"]
    assert (record["revision"], record["licence"]) == (hub.revision, "cc-by-4.0")
    assert any(f"/resolve/{hub.revision}/onnx/model.onnx" in path for path, _ in hub.asked)
    lock = tmp_path / "set.lock"
    assert main(["lock", str(colours.root), "-o", str(lock)]) == 0
    assert json.loads(lock.read_text())["models"][0]["revision"] == hub.revision
    (models / "tone" / "model.onnx").unlink()
    hub.asked.clear()
    assert score(hub, colours, models, "--yes") == 0
    assert {path for path, _ in hub.asked} == {
        f"/someone/tone/resolve/{hub.revision}/onnx/model.onnx"
    }, "the recorded revision is fetched again, whatever the branch holds by then"


def test_a_repository_that_states_neither_has_neither_in_the_record(
    hub: LocalHub, colours: Folder, tmp_path: Path
) -> None:
    assert score(hub, colours, tmp_path / "models", "--yes") == 0
    record = json.loads((tmp_path / "models" / "models.lock.json").read_text())["tone"]
    assert (record["revision"], record["licence"]) == ("", "")


def test_a_fetch_that_is_cut_off_goes_on_where_it_was(
    hub: LocalHub, colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    part = models / "tone" / "model.onnx.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.files[PATH][:100])
    hub.cut_after = 10
    assert score(hub, colours, models, "--yes") == 5
    assert "goes on where it was" in capsys.readouterr().err
    assert part.read_bytes() == hub.files[PATH][:100]
    assert not part.with_name("model.onnx").exists()
    hub.cut_after = None
    hub.asked.clear()
    assert score(hub, colours, models, "--yes") == 0
    assert hub.asked[0][1] == "bytes=100-199"
    assert part.with_name("model.onnx").read_bytes() == hub.files[PATH]


def test_another_content_than_the_recorded_one_is_refused(
    hub: LocalHub, colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    assert score(hub, colours, models, "--yes") == 0
    (models / "tone" / "model.onnx").unlink()
    hub.files[PATH] += b"\0"
    assert score(hub, colours, models, "--yes") == 2
    assert "is not the file that was recorded at the first fetch" in capsys.readouterr().err
    # Another computer, or an emptied cache: the data set still has the hash.
    assert score(hub, colours, tmp_path / "elsewhere", "--yes") == 2
    assert "is not the file that was recorded at the first fetch" in capsys.readouterr().err


def test_a_mirror_that_lacks_the_file_is_named(
    hub: LocalHub, colours: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.files.clear()
    assert score(hub, colours, tmp_path / "models", "--yes") == 5
    error = capsys.readouterr().err
    assert f"{hub.url}/{PATH}" in error
    assert "answers 404" in error
    assert "models.base_url" in error


def test_the_known_models_are_listed_with_their_licences(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["score", "--list"]) == 0
    shown = capsys.readouterr().out
    for one in KNOWN.values():
        assert one.repository in shown
        assert one.licence in shown
