"""Bodies beside the event loop: what whoever waits for one may rely on."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path

import pytest

from pixtrawl.net.body import StagedBody, Staging
from pixtrawl.net.writer import BodyWriter

BODY = b"0123456789abcdef" * 4096  # more than is done at once


class SlowBody(StagedBody):
    """A body whose disk takes its time."""

    def __init__(self, staging: Staging, name: str) -> None:
        super().__init__(staging, name)
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def finish(self) -> None:
        self.begun.set()
        self.go_on.wait(60)
        super().finish()


class FullDisk(StagedBody):
    def _flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path)


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_many_bodies_are_whole_and_hashed_when_they_are_given_back(
    staging: Staging, tmp_path: Path
) -> None:
    async def scene() -> None:
        writer = BodyWriter(asyncio.get_running_loop())
        bodies = [StagedBody(staging, f"b{n}") for n in range(50)]
        for number, body in enumerate(bodies):
            body.write(BODY[: 1 + number * 1000])
        await asyncio.gather(*(writer.finish(body) for body in bodies))
        for number, body in enumerate(bodies):
            wanted = BODY[: 1 + number * 1000]
            assert (tmp_path / f"b{number}").read_bytes() == wanted
            assert body.sha256 == hashlib.sha256(wanted).hexdigest()
            assert body.at_rest
        writer.close()

    asyncio.run(scene())


def test_a_full_disk_is_reported_to_whoever_waits_and_costs_no_descriptor(
    staging: Staging,
) -> None:
    async def scene() -> None:
        writer = BodyWriter(asyncio.get_running_loop())
        before = open_files()
        body = FullDisk(staging, "full")
        body.write(BODY)
        with pytest.raises(OSError, match="No space"):
            await writer.finish(body)
        body.discard()
        assert open_files() == before
        writer.close()

    asyncio.run(scene())


def test_a_caller_cancelled_again_and_again_leaves_only_when_the_file_is_at_rest(
    staging: Staging, tmp_path: Path
) -> None:
    async def scene() -> None:
        writer = BodyWriter(asyncio.get_running_loop())
        body = SlowBody(staging, "slow")
        body.write(BODY)
        waiting = asyncio.create_task(writer.finish(body))
        await asyncio.to_thread(body.begun.wait, 10)
        for _ in range(3):
            waiting.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not waiting.done()
        body.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert body.at_rest
        body.discard()
        assert not (tmp_path / "slow").exists()
        writer.close()

    asyncio.run(scene())
