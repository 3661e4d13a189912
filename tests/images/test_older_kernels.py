"""A decoder that a file has taken over, in the real sandbox, also as on older kernels."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.matrices import slow

from pixtrawl.config.groups import Images
from pixtrawl.images.decoders import containment_report, sandbox
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Reason

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containment is Linux's")
Jpegs = Callable[[int], list[str]]

# tests/images/test_pool_containment.py attacks decoders on this kernel.
KERNELS = [slow("this"), slow("no-scopes"), "no-landlock"]
ON_A_PROCESS = ["fcntl", "killer", "queue", "pidfd", "ptrace", "setown"]
ON_A_FILE = ["read", "write", "stat", "exists", "link", "list", "unix"]
ALONE = [
    "socket", "exec", "fork", "executable", "memfd", "pair", "mount", "namespace", "cwd", "limit",
]  # fmt: skip


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest, tmp_path: Path) -> type[DecoderPool]:
    """A pool whose decoders can be attacked, on this kernel or one that lacks something."""
    name = f"attacking_worker_{request.param}.py"
    copy = shutil.copyfile(Path(__file__).with_name("attacking_worker.py"), tmp_path / name)
    return type("Pool", (DecoderPool,), {"program": copy})


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    yield process
    process.kill()
    process.wait()


def attacked(
    kind: type[DecoderPool], folder: Path, good: list[str], *attacks: str
) -> list[Verdict]:
    """Attack one decoder after the other, with good files behind each. Return the verdicts."""

    async def ask() -> list[Verdict]:
        pool = kind(Images(decoders=1, decoder_stall_s=5), folder)
        try:
            found = []
            for attack in attacks:
                (folder / "bad").write_bytes(b"ATTACK:" + attack.encode())
                names = ("bad", *good)
                sizes = ((folder / name).stat().st_size for name in names)
                asked = (pool.inspect(*one) for one in zip(names, sizes, strict=True))
                verdict, *others = await asyncio.gather(*asked)
                assert [other.reason for other in others] == [None] * len(good)
                found.append(verdict)
            return found
        finally:
            await pool.aclose()

    return asyncio.run(ask())


def refused(verdict: Verdict) -> bool:
    assert verdict.info is None
    assert "survived" not in verdict.detail, verdict
    return verdict.reason in (Reason.CORRUPT, Reason.DECODER_CRASHED)


def test_no_process_of_the_user_can_be_ended(
    kernel: type[DecoderPool], tmp_path: Path, jpegs: Jpegs, victim: subprocess.Popen[bytes]
) -> None:
    attacks = [f"{verb} {victim.pid}" for verb in ON_A_PROCESS]
    verdicts = attacked(kernel, tmp_path, jpegs(4), *attacks)
    assert [refused(verdict) for verdict in verdicts] == [True] * len(attacks)
    assert victim.poll() is None
    assert "SIGSYS" in verdicts[0].detail


def test_no_file_can_be_read_or_looked_for(
    kernel: type[DecoderPool], tmp_path: Path, jpegs: Jpegs
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not for decoders")
    (tmp_path / "place").symlink_to(secret)
    paths = {"link": tmp_path / "place", "list": tmp_path, "write": tmp_path / "new"}
    attacks = [f"{verb} {paths.get(verb, secret)}" for verb in ON_A_FILE]
    attacks += ["read /etc/passwd", "read /proc/self/environ", "stat /etc/passwd"]
    verdicts = attacked(kernel, tmp_path, jpegs(1), *attacks)
    assert [refused(verdict) for verdict in verdicts] == [True] * len(attacks)
    assert not (tmp_path / "new").exists()


def test_nothing_else_can_be_had_of_the_system(
    kernel: type[DecoderPool], tmp_path: Path, jpegs: Jpegs
) -> None:
    verdicts = attacked(kernel, tmp_path, jpegs(1), *ALONE)
    assert [refused(verdict) for verdict in verdicts] == [True] * len(ALONE)


def held_by(kind: type[DecoderPool], folder: Path) -> int:
    async def start() -> int:
        pool = kind(Images(decoders=1), folder)
        try:
            await pool.prepare()
            return pool.held or 0
        finally:
            await pool.aclose()

    return asyncio.run(start())


def test_the_report_says_what_holds(kernel: type[DecoderPool], tmp_path: Path) -> None:
    held = held_by(kernel, tmp_path)
    if not held & sandbox.SECCOMP:
        pytest.skip("no system call filter on this system")
    lines = {one.topic: one for one in containment_report.report(held)}
    assert all(lines[topic].holds for topic in ("files", "network", "processes"))
    without = "no-landlock" in kernel.program.name
    assert ("no Landlock" in lines["files"].sentence) == (without or not sandbox.landlock_abi(held))


@pytest.mark.parametrize(
    ("held", "broken"),
    [
        (0, {"files", "network", "processes", "resources", "end"}),
        (sandbox.RLIMITS | sandbox.PARENT_DEATH, {"files", "network", "processes"}),
        (15 & ~sandbox.SECCOMP | 3 << 24, {"network", "processes"}),
        (15 & ~sandbox.LANDLOCK, set()),
        (15 | 7 << 24, set()),
    ],
)
def test_what_does_not_hold_is_said(held: int, broken: set[str]) -> None:
    lines = list(containment_report.report(held))
    assert {one.topic for one in lines if not one.holds} == broken
    assert all("may" in o.sentence for o in lines if o.topic in broken - {"resources", "end"})


def test_the_commands_of_fcntl_are_those_of_this_system() -> None:
    fcntl = pytest.importorskip("fcntl")
    assert {name: getattr(fcntl, name) for name in sandbox._FCNTL_COMMANDS} == dict(
        sandbox._FCNTL_COMMANDS
    )
    assert os.O_ASYNC  # which F_SETFL would set: not among them
