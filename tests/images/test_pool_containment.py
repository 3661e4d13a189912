"""Real attacks in real decoders: each costs its own file and nothing else."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.matrices import crossed, slow

from pixtrawl.config.groups import Images
from pixtrawl.images.decoders import launch
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Reason

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containment is Linux's")

GOOD = 12
R = Reason
Jpegs = Callable[[int], list[str]]


class AttackedPool(DecoderPool):
    program = Path(__file__).with_name("attacking_worker.py")


class AttackedExecPool(AttackedPool):
    def make_launcher(self) -> launch.Launcher:
        ours = super().make_launcher()
        assert isinstance(ours, launch.ZygoteLauncher)
        return launch.ExecLauncher(self.program, ours.settings)


async def among_good_ones(
    pool: DecoderPool, folder: Path, names: list[str], bad: bytes
) -> tuple[Verdict, list[Verdict]]:
    """The bad file's verdict, and those of the good ones before and after it."""
    (folder / "bad").write_bytes(bad)
    names.insert(len(names) // 2, "bad")
    try:
        verdicts = await asyncio.gather(
            *(pool.inspect(name, (folder / name).stat().st_size) for name in names)
        )
    finally:
        await pool.aclose()
    return verdicts.pop(names.index("bad")), verdicts


@pytest.mark.parametrize("kind", [AttackedPool, slow(AttackedExecPool)])
@pytest.mark.parametrize(
    ("what", "reasons"),
    [
        ("segv", {R.DECODER_CRASHED}),
        ("sleep", {R.DECODER_LOST}),
        ("loop", {R.DECODER_TIMEOUT}),
        slow("socket", {R.DECODER_CRASHED}),  # the slow ones are in test_older_kernels.py, too
        slow("exec", {R.DECODER_CRASHED}),
        ("kill", {R.DECODER_CRASHED}),
        slow("exit", {R.DECODER_CRASHED}),
        ("forge", {R.DECODER_CRASHED}),
        slow("fork", {R.CORRUPT}),
        ("memory", {R.CORRUPT}),
        slow("read /etc/passwd", {R.CORRUPT}),
        ("write /tmp/never-there", {R.CORRUPT, R.DECODER_CRASHED}),
    ],
)
def test_an_attack_costs_its_own_file_and_no_other(
    tmp_path: Path, jpegs: Jpegs, kind: type[DecoderPool], what: str, reasons: set[Reason]
) -> None:
    # Only what is to be ended by a limit has a short one: on a loaded machine a decoder may be
    # without a processor for as long as that.
    images = Images(
        decoders=2,
        decoder_timeout_s=0.7 if what == "loop" else Images().decoder_timeout_s,
        decoder_stall_s=0.4 if what == "sleep" else Images().decoder_stall_s,
    )
    bad, good = asyncio.run(
        among_good_ones(kind(images, tmp_path), tmp_path, jpegs(GOOD), b"ATTACK:" + what.encode())
    )
    assert bad.info is None
    assert bad.reason in reasons, bad
    assert "survived" not in bad.detail
    assert [verdict.reason for verdict in good] == [None] * GOOD
    assert not Path("/tmp/never-there").exists()


@pytest.mark.parametrize(
    ("verb", "name"),
    crossed(["read", "write"], ["catalog.sqlite3", "new", "cat/000001.jpg", "good-0"]),
)
def test_files_beside_the_staged_one_are_out_of_reach(
    tmp_path: Path, jpegs: Jpegs, verb: str, name: str
) -> None:
    """Staged files lie among a data set's others: a decoder gets the one, open, and no name."""
    (tmp_path / "cat").mkdir()
    for other in ("catalog.sqlite3", "cat/000001.jpg", "good-0"):
        (tmp_path / other).write_bytes(b"not for decoders")
    what = f"ATTACK:{verb} {tmp_path}/{name}".encode()
    pool = AttackedPool(Images(decoders=1), tmp_path)
    bad, _ = asyncio.run(among_good_ones(pool, tmp_path, jpegs(1), what))
    assert (bad.info, bad.reason) == (None, R.CORRUPT)
    assert "PermissionError" in bad.detail
    assert (tmp_path / "catalog.sqlite3").read_bytes() == b"not for decoders"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", ["link", "pipe", "nothing"])
def test_what_was_put_in_the_place_of_a_staged_file_is_not_read(
    tmp_path: Path, jpegs: Jpegs, kind: str
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"ATTACK:exit")

    async def look() -> list[Verdict]:
        pool = AttackedPool(Images(decoders=1), tmp_path)
        try:
            if kind == "link":
                (tmp_path / "staged").symlink_to(tmp_path / "elsewhere")
            if kind == "pipe":
                os.mkfifo(tmp_path / "staged")
            return [await pool.inspect(name, 100) for name in ("staged", *jpegs(1))]
        finally:
            await pool.aclose()

    bad, good = asyncio.run(look())
    assert bad.reason in {R.STORE_FAILED, R.EMPTY_BODY, R.NOT_AN_IMAGE}
    assert good.reason is None


def test_the_reason_names_the_signal(tmp_path: Path, jpegs: Jpegs) -> None:
    pool = AttackedPool(Images(decoders=1), tmp_path)
    bad, _ = asyncio.run(among_good_ones(pool, tmp_path, jpegs(GOOD), b"ATTACK:segv"))
    assert "SIGSEGV" in bad.detail


def test_every_means_of_containment_holds_here(tmp_path: Path) -> None:
    async def started() -> dict[str, bool]:
        pool = DecoderPool(Images(decoders=1), tmp_path)
        assert not any(pool.containment().values())
        await pool.prepare()
        held = dict(pool.containment())
        await pool.aclose()
        return held

    held = asyncio.run(started())
    assert held["process of its own"]
    assert held["resource limits"]
    assert held["dies with its parent"]


def huge_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(width * 3 + 1) * 8)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_a_picture_of_400_megapixels_is_refused_undecoded(tmp_path: Path, jpegs: Jpegs) -> None:
    pool = DecoderPool(Images(decoders=1), tmp_path)
    bad, good = asyncio.run(among_good_ones(pool, tmp_path, jpegs(GOOD), huge_png(20_000, 20_000)))
    assert bad.reason is R.TOO_MANY_PIXELS
    assert all(verdict.info for verdict in good)


def test_more_memory_than_a_decoder_has_costs_one_file(tmp_path: Path, jpegs: Jpegs) -> None:
    images = Images(decoders=1, max_pixels=10**9)
    bad, good = asyncio.run(
        among_good_ones(
            DecoderPool(images, tmp_path), tmp_path, jpegs(GOOD), huge_png(20_000, 20_000)
        )
    )
    assert bad.reason is R.DECODER_MEMORY
    assert all(verdict.info for verdict in good)


def test_a_decoder_sees_neither_our_environment_nor_our_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)

    mark = f'"parent": {os.getpid()},'.encode()

    async def look() -> list[tuple[bytes, set[str]]]:
        pool = DecoderPool(Images(decoders=1), tmp_path)
        await pool.prepare()
        seen = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                line = (folder / "cmdline").read_bytes()
                if mark in line and b"/worker_main.py" in line:  # not the tests' own process
                    links = {str(link.readlink()) for link in (folder / "fd").iterdir()}
                    seen.append(((folder / "environ").read_bytes(), links))
            except OSError:
                continue
        await pool.aclose()
        return seen

    try:
        seen = asyncio.run(look())
    finally:
        os.close(lock)
    assert len(seen) == 2  # the zygote and its decoder
    for environ, links in seen:
        assert b"SOME_API_KEY" not in environ
        assert str(tmp_path / "lock") not in links
