"""An export that a run ends with: the same as one made afterwards, also after a kill."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests import warm_command

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE, UsageError
from pixtrawl.events import Event, Exporting
from pixtrawl.folder.layout import renditions_name
from pixtrawl.playground import Playground

pytestmark = pytest.mark.timeout(120)

QUERY = "tabby cat"
FIT = ("--to", "webdataset", "--resize", "border:64", "--encode", "jpg", "--quality", "95")


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=24, hosts=1, latency_s=0.03, mix={"exact_duplicate": 0.1}) as running:
        for entry in running.expected(QUERY):
            assert entry.file or entry.role  # drawn beforehand
        yield running
        assert running.errors == []


def command(site: Playground, output: Path, *more: str) -> list[str]:
    return [
        "run", QUERY, "-s", "bing", "--set", f"bing.base_url={site.url}", "-n", "12",
        "--allow-address", "127.0.0.0/24", "--set", "images.decoders=1", "-o", str(output), *more,
    ]  # fmt: skip


def keywords(site: Playground, output: Path, **more: Any) -> dict[str, Any]:
    return {
        "source": "bing", "settings": {"bing": {"base_url": site.url}}, "output": output,
        "allow_address": "127.0.0.0/24", "limit": 12, **more,
    }  # fmt: skip


def content(folder: Path) -> dict[str, bytes]:
    """The shards and what describes them; the card names the folder."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix in {".tar", ".json"}
    }


def exported(images: Path, folder: Path) -> dict[str, bytes]:
    """What a later export of the same images gives."""
    assert main(["export", str(images), "-o", str(folder), "-q", *FIT]) == EXIT_OK
    return content(folder)


def test_a_run_ends_with_the_shards_that_a_later_export_would_give(
    site: Playground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    assert main(command(site, images, *FIT)) == EXIT_OK
    shards = tmp_path / "images-webdataset"
    assert f"export: 12 images as webdataset in {shards}" in capsys.readouterr().out
    assert not list(images.glob(".pixtrawl-renditions-*"))
    assert content(shards) == exported(images, tmp_path / "later")
    with tarfile.open(shards / "train-000000.tar") as tar:
        pictures = [name for name in tar.getnames() if name.endswith(".jpg")]
        assert len(pictures) == 12
        for name in pictures:
            member = tar.extractfile(name)
            assert member is not None
            assert Image.open(io.BytesIO(member.read())).size == (64, 64)


def test_the_shards_are_made_of_the_pictures_of_the_check(
    site: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded_again(*_: object) -> None:
        raise AssertionError("the export decodes a file that the check had decoded")

    monkeypatch.setattr("pixtrawl.images.fit.fit", decoded_again)
    assert main(command(site, tmp_path / "images", "-q", *FIT)) == EXIT_OK


def test_a_killed_run_goes_on_to_the_same_shards(site: Playground, tmp_path: Path) -> None:
    images = tmp_path / "images"
    program = [sys.executable, "-m", "pixtrawl", *command(site, images, "-q", "--json", *FIT)]
    process = warm_command.Popen([*program, "--per-host", "1"], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if sum(1 for _ in (images / QUERY).glob("0*")) >= 3:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    done = warm_command.run(program, capture_output=True, text=True, timeout=50)
    assert done.returncode == EXIT_OK, done.stderr
    report = json.loads(done.stdout)["export"]
    assert (report["images"], report["to"]) == (12, "webdataset")
    assert content(Path(report["output"])) == exported(images, tmp_path / "later")


def test_a_run_that_is_cancelled_while_it_exports_can_be_repeated(
    site: Playground, tmp_path: Path
) -> None:
    wanted = keywords(
        site, tmp_path / "images", to="imagefolder", export_to=str(tmp_path / "out"),
        resize=48, encode="png", split="train=0.5,val=0.5",
    )  # fmt: skip

    async def cancelled() -> bool:
        task = asyncio.current_task()
        assert task is not None

        def listen(event: Event) -> None:
            if isinstance(event, Exporting):
                task.cancel()

        try:
            await pixtrawl.run_async(QUERY, listener=listen, **wanted)
        except asyncio.CancelledError:
            return True
        return False

    assert asyncio.run(cancelled())
    data = pixtrawl.run(QUERY, **wanted)
    assert data.report["export"]["splits"] == {"train": 6, "val": 6}
    again = pixtrawl.open(tmp_path / "images")
    again.export("imagefolder", tmp_path / "later", resize=48, encode="png",
                 split="train=0.5,val=0.5")  # fmt: skip
    found = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.png")}
        for root in (tmp_path / "out", tmp_path / "later")
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 12


def test_taking_a_picture_down_forgets_all_renditions(site: Playground, tmp_path: Path) -> None:
    images = tmp_path / "images"
    data = pixtrawl.run(QUERY, **keywords(site, images))
    pack = images / renditions_name("some")
    pack.write_bytes(b"pictures")
    assert main(["takedown", str(images), "--sha256", data[0].info.sha256]) == EXIT_OK
    assert not pack.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--resize", "64"], "--resize needs --to FORMAT"),
        (["--export-to", "x"], "--export-to needs --to FORMAT"),
        (["--to", "webdatset"], "did you mean webdataset?"),
        (["--to", "csv", "--resize", "64"], "--to csv writes no images"),
        (["--to", "webdataset", "--resize", "box:64"], "unknown resize mode 'box'"),
        (["--to", "webdataset", "--resize", "large"], "'large' is not a whole number"),
        (["--to", "webdataset", "--encode", "gif"], "unknown encoding 'gif'"),
        (["--to", "webdataset", "--quality", "0"], "--quality"),
        (["--to", "webdataset", "--split", "train=2"], "split"),
        (["--to", "webdataset", "--export-to", "{images}/out"], "lies in the data set"),
    ],
)
def test_an_export_that_cannot_be_is_reported_before_anything_is_fetched(
    tmp_path: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    (tmp_path / "list.txt").write_text("http://127.0.0.1:9/a.jpg\n")
    given = [option.format(images=images) for option in options]
    assert main(["download", str(tmp_path / "list.txt"), "-o", str(images), *given]) == EXIT_USAGE
    error = capsys.readouterr().err.strip()
    assert words in error
    assert len(error.splitlines()) == 1
    assert not images.exists()


def test_python_is_told_the_same(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs --to FORMAT"):
        pixtrawl.run(QUERY, output=tmp_path / "images", source="bing", resize=64)
