"""As many cores are used as the process may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixtrawl import cores

MANY = 64


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "process_cpu_count", lambda: MANY, raising=False)


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2 = "sys/fs/cgroup"
V1 = "sys/fs/cgroup/cpu,cpuacct"
OWN_V1 = {"proc/self/cgroup": "7:memory:/m\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n"}
OWN_V2 = {"proc/self/cgroup": "0::/user.slice/job.scope\n"}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, MANY),
        ({**OWN_V2, f"{V2}/user.slice/job.scope/cpu.max": "max 100000\n"}, MANY),
        ({**OWN_V2, f"{V2}/user.slice/job.scope/cpu.max": "200000 100000\n"}, 2),
        ({**OWN_V2, f"{V2}/user.slice/job.scope/cpu.max": "150000 100000\n"}, 2),
        ({**OWN_V2, f"{V2}/user.slice/job.scope/cpu.max": "5000 100000\n"}, 1),
        ({**OWN_V2, f"{V2}/user.slice/job.scope/cpu.max": "nonsense\n"}, MANY),
        # The group above allows less than the own one.
        (
            {
                **OWN_V2,
                f"{V2}/user.slice/job.scope/cpu.max": "800000 100000",
                f"{V2}/user.slice/cpu.max": "300000 100000",
            },
            3,
        ),
        # A container: its own group is what is mounted.
        ({"proc/self/cgroup": "0::/\n", f"{V2}/cpu.max": "400000 100000\n"}, 4),
        ({"proc/self/cgroup": "0::/../../elsewhere\n", f"{V2}/cpu.max": "400000 100000\n"}, 4),
        (
            {
                **OWN_V1,
                f"{V1}/docker/abc/cpu.cfs_quota_us": "-1\n",
                f"{V1}/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            MANY,
        ),
        ({**OWN_V1, f"{V1}/cpu.cfs_quota_us": "250000", f"{V1}/cpu.cfs_period_us": "100000"}, 3),
        (
            {
                **OWN_V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            1,
        ),
        ({**OWN_V2, f"{V2}/user.slice/job.scope/cpu.max": "99999999 100000"}, MANY),
    ],
)
def test_quotas_of_control_groups_are_kept(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    assert cores._cores(system(tmp_path, files)) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_bound_to_one_core_counts_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);"
        "from pixtrawl.cores import usable_cores; print(usable_cores());"
        "from pixtrawl.config.groups import Images;"
        "from pixtrawl.images.decoders.pool import DecoderPool; from pathlib import Path;"
        "print(DecoderPool(Images(), Path('.'))._size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["1", "1"], done.stderr


def test_nothing_counts_the_machines_cores_by_itself() -> None:
    package = Path(cores.__file__).parent
    asking = [
        path.name
        for path in package.rglob("*.py")
        if "cpu_count" in path.read_text("utf-8") and path.name != "cores.py"
    ]
    assert asking == []
