"""A data set of coloured pictures, put down as a run leaves it."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from pixtrawl.catalog import frontier, run_log, samples
from pixtrawl.catalog.database import Catalog
from pixtrawl.cli.main import main
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived import writing
from pixtrawl.folder.layout import file_name
from pixtrawl.images.appearance.chroma import chroma_grid
from pixtrawl.model import Candidate, ImageInfo, Outcome, Query, Reason
from tests.scoring.tiny import write_model

Colour = tuple[int, int, int]


def png(colour: Colour, seed: int = 0, size: tuple[int, int] = (24, 16)) -> bytes:
    """A colour with some noise, so that no two pictures are alike."""
    noise = np.random.default_rng(seed).integers(-20, 21, (size[1], size[0], 3))
    pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def look(data: bytes) -> tuple[bytes, bytes]:
    """The thumbnail and the colours that inspection keeps; none of a file that does not decode."""
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except OSError:
        return b"", b""
    thumb = image.convert("L").resize((64, 64)).tobytes()
    return thumb, chroma_grid(np.asarray(image), image.size)


def write_dataset(root: Path, queries: Mapping[str, Sequence[bytes]]) -> Folder:
    """One label for each query, its pictures numbered from 1."""
    folder = Folder(root)
    folder.create()
    catalog = Catalog(folder.catalog)
    run_id = catalog.write_now(lambda db: run_log.begin_run(db, "test", {}))

    def put(db: sqlite3.Connection, text: str, pictures: Sequence[bytes]) -> None:
        row = frontier.ensure_query(db, Query(text, text, 100), run_id)
        found = [
            Candidate(url=f"http://a.test/{text}/{at}", query=text, label=text, source="t", rank=at)
            for at in range(1, len(pictures) + 1)
        ]
        frontier.add(db, row.id, found, thumbnails=False)
        tasks = frontier.claim(db, row, after=0, count=1000)
        for number, (task, data) in enumerate(zip(tasks, pictures, strict=True), 1):
            name = file_name(text, number, "png")
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            info = ImageInfo(
                format="png", width=24, height=16, size_bytes=len(data),
                sha256=files.sha256_of(path),
            )  # fmt: skip
            thumb, chroma = look(data)
            info = replace(info, thumb=thumb, chroma=chroma)
            outcome = Outcome(reason=Reason.SAVED, info=info, staged_name="s", url="u")
            sample_id = samples.accept(db, task, outcome, number, name)
            frontier.settle(db, task.id, outcome, run_id, sample_id=sample_id)
            samples.mark_placed(db, [sample_id], durable=True)

    for text, pictures in queries.items():
        catalog.write_now(lambda db, text=text, pictures=pictures: put(db, text, pictures))  # type: ignore[misc]
    catalog.write_now(lambda db: writing.write_all(db, folder))
    catalog.close()
    return folder


RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 210)


@pytest.fixture
def colours(tmp_path: Path) -> Folder:
    """Eight red pictures and a green one found for "red"; six blue ones for "blue"."""
    reds = [png((200 + 5 * n, 30 + 4 * n, 40), n) for n in range(8)]
    blues = [png((40, 30 + 5 * n, 200), 100 + n) for n in range(6)]
    return write_dataset(tmp_path / "images", {"red": [*reds, png(GREEN, 50)], "blue": blues})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where models were loaded from is noted in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def mixed(tmp_path: Path) -> Folder:
    """Found for "red": twelve red pictures with six green ones between; ten green for "green"."""
    found = [png(GREEN if at % 3 == 2 else RED, at) for at in range(18)]
    return write_dataset(
        tmp_path / "images", {"green": [png(GREEN, 100 + n) for n in range(10)], "red": found}
    )


def embed(folder: Folder, tmp_path: Path) -> None:
    model = str(write_model(tmp_path / "tiny"))
    assert main(["score", str(folder.root), "--model", model, "--as", "fit"]) == 0
