"""Trials of a download of five images: each of its calls on the disk fails."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.diskfaults.trials import Fault, Server, faults_of, server, state_of
from tests.pipeline.pictures import Host, manifest, saved, scene, serving

IMAGES: Final = 5
KINDS: Final = (
    (errno.EIO, False, False),
    (errno.EIO, True, False),
    (errno.ENOSPC, False, False),
    (errno.ENOSPC, True, False),
    (errno.EROFS, True, False),
    (errno.EDQUOT, True, False),
    (errno.EIO, False, True),
)  # error, for ever, short write


def faults(calls: int) -> list[Fault]:
    """Return every fault of every call of a command."""
    return [Fault(at, *kind) for kind in KINDS for at in range(1, calls + 1)]


class Trials:
    """Downloads five images under a fault, then again without."""

    def __init__(self, server_: Server, host: Host, folder: Path) -> None:
        self._server = server_
        self._folder = folder
        rows = [("cat", f"{host.url}/{n}.png") for n in range(IMAGES)]
        self._list = manifest(folder / "list.jsonl", rows)

    def words(self, root: Path) -> list[str]:
        """Return the command."""
        return [
            "download", str(self._list), "-o", str(root), "--allow-address", "127.0.0.0/8",
            "--set", "images.decoders=1", "-q", "--no-progress",
        ]  # fmt: skip

    def undisturbed(self) -> tuple[int, set[str]]:
        """Return the number of calls, and the images."""
        root = self._folder / "undisturbed"
        answer = self._server.run(self.words(root), root)
        assert answer.code == 0, answer.said
        found, wrong = state_of(root)
        assert not wrong, wrong
        assert len(found) == IMAGES
        return answer.calls, set(found.values())

    def wrong(self, fault: Fault, images: set[str]) -> str:
        """Return what went wrong with a fault; "" if nothing."""
        root = self._folder / "trial"
        shutil.rmtree(root, ignore_errors=True)
        answer = self._server.run(self.words(root), root, fault)
        if wrong := faults_of(answer):
            return f"{fault} ({answer.failed}): {wrong}"
        again = self._server.run(self.words(root), root)
        if again.code != 0:
            return f"{fault} ({answer.failed}): again exit code {again.code}: {again.said[-300:]}"
        found, wrong = state_of(root)
        if set(found.values()) != images:
            wrong = f"{len(found)} images of {len(images)}; {wrong}"
        return f"{fault} ({answer.failed}): {wrong}" if wrong else ""


@contextmanager
def trials(folder: Path) -> Iterator[Trials]:
    """Set up a host of five pictures and a server of commands."""
    with serving(saved(scene, IMAGES)) as host, server(folder) as running:
        yield Trials(running, host, folder)
