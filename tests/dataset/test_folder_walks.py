"""Loaders read the folder as it lies, at every moment: the labels are the classes, nothing else.

The run has labels that loaders stumble over, drops copies, keeps evidence, and is looked at all the
while; then it is killed, and ended.
"""

from __future__ import annotations

import itertools
import mimetypes
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.playground import Playground
from tests import warm_command

from .walks import WALKS, Found, timm, torchvision

pytestmark = pytest.mark.timeout(180)

QUERIES = ["cat", "steam train", "test tube", "val", "README", ".hidden"]
LABELS = {"cat", "steam train", "test tube", "val", "README", "_hidden"}


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    mix = {"near_duplicate": 0.3, "exact_duplicate": 0.1}
    with Playground(supply=24, hosts=1, latency_s=0.02, mix=mix) as running:
        yield running


def command(site: Playground, output: Path) -> list[str]:
    return [
        "run", *QUERIES, "-n", "4", "-s", "bing", "--set", f"bing.base_url={site.url}",
        "--allow-address", "127.0.0.0/8", "-o", str(output), "-q", "--set", "images.decoders=1",
    ]  # fmt: skip


def assert_only_labels(root: Path) -> None:
    """What holds at every moment, for every loader."""
    names = [path.name for path in root.iterdir()]
    Image.init()
    pictures = set(Image.registered_extensions())
    for name in names:
        if (root / name).is_dir():
            assert name in LABELS
            continue
        assert Path(name.lower()).suffix not in pictures
        assert not (mimetypes.guess_type(name)[0] or "").startswith("image/")
    for walk in WALKS:
        assert walk(root).keys() <= LABELS


def assert_all_read(root: Path) -> None:
    """Each loader finds each label, and the kept images whose endings it knows."""
    kept = {sample.file_name for sample in pixtrawl.open(root)}
    for walk in WALKS:
        found = walk(root)
        files = set().union(*found.values())
        assert found.keys() == LABELS
        assert files <= kept
        assert {name for name in kept if name.endswith((".jpg", ".png"))} <= files


def test_at_every_moment_of_a_run_and_after_a_kill(site: Playground, tmp_path: Path) -> None:
    root = tmp_path / "images"
    words = [sys.executable, "-m", "pixtrawl", *command(site, root)]
    moments = 0
    for kill_at in (6, None):
        with warm_command.Popen(words) as run:
            while run.poll() is None:
                if root.exists():
                    assert_only_labels(root)
                    moments += 1
                if kill_at and sum(1 for _ in root.glob("*/0*")) >= kill_at:
                    run.send_signal(signal.SIGKILL)
                time.sleep(0.02)
        assert_only_labels(root)
    assert moments > 20
    assert list(root.glob(".pixtrawl-quarantine-*")), "copies were set aside"
    store = EvidenceStore(Folder(root))
    paths = [store.save(f"google-blocked.{end}", b"\x89PNG") for end in ("png", "html", "svg")]
    assert all((root / path).is_file() for path in paths)
    assert_only_labels(root)
    assert_all_read(root)

    out = tmp_path / "evidence"
    assert main(["report", str(root), "--evidence", str(out)]) == 0
    ends = ("html", "png", "svg.txt")  # SVG is markup that acts: a viewer is to take it for text
    assert sorted(path.name for path in out.iterdir()) == [f"google-blocked.{end}" for end in ends]


def test_a_label_that_lost_all_its_images_is_no_class(site: Playground, tmp_path: Path) -> None:
    root = tmp_path / "images"
    assert main(command(site, root)) == 0
    names = [str(path) for path in (root / "cat").iterdir()]
    assert main(["takedown", str(root), *names]) == 0
    assert torchvision(root).keys() == LABELS - {"cat"}
    for path in (root / "val").iterdir():
        path.unlink()
    assert main(["takedown", str(root), "--sha256", "00" * 32]) == 0
    assert torchvision(root).keys() == LABELS - {"cat", "val"}


@pytest.mark.parametrize(
    ("walk", "place"),
    [(torchvision, ".pixtrawl/staging/1-0"), (timm, ".pixtrawl/quarantine/ab.jpg")],
)
def test_the_rules_notice_what_the_older_layout_did(
    tmp_path: Path, walk: Callable[[Path], Found], place: str
) -> None:
    for name in itertools.chain(["cat/000001.jpg"], [place]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert len(walk(tmp_path)) == 2
