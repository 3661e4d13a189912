"""The example files of docs/cluster are sound: they are parsed, and their commands carry a job out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pixtrawl.cli.commands import download, worker
from pixtrawl.cli.main import main
from pixtrawl.cli.parser import Parser
from pixtrawl.cluster.job.description import read_job
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import status

FOLDER = Path(__file__).parents[2] / "docs/cluster"


def options_of(command: str) -> set[str]:
    subparsers = Parser(prog="pixtrawl").add_subparsers()
    {"worker": worker, "download": download}[command].add_parser(subparsers)
    return set(subparsers.choices[command]._option_string_actions)


@pytest.mark.parametrize("name", ["workers.sbatch", "workers.sh", "ray-machines.sh"])
def test_shell_examples_parse(name: str) -> None:
    subprocess.run(["bash", "-n", str(FOLDER / name)], check=True)


def test_the_kubernetes_example_is_a_job_whose_workers_are_started_again() -> None:
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((FOLDER / "workers.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["backoffLimitPerIndex"] > 0
    pod = spec["template"]["spec"]
    mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_ray_example_is_a_job_with_one_worker_a_pod() -> None:
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((FOLDER / "ray-job.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert job["spec"]["shutdownAfterJobFinishes"]
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    group = cluster["workerGroupSpecs"][0]
    assert group["minReplicas"] == group["replicas"] == group["maxReplicas"]
    pod = group["template"]["spec"]
    container = pod["containers"][0]
    assert container["resources"]["requests"]["cpu"] == group["rayStartParams"]["num-cpus"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
    assert {"name": "TMPDIR", "value": mounts["scratch"]} in container["env"]


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_option_of_the_examples_exists(path: Path) -> None:
    lines = re.findall(r"pixtrawl (worker|download) ([^\n]*)", path.read_text())
    assert lines
    for command, words in lines:
        used = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", words))
        assert used <= options_of(command)


@pytest.fixture
def at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A job of four rows; `pixtrawl` and an `ssh` that stays on this machine are in PATH."""
    for name, line in (
        ("pixtrawl", f'exec {sys.executable} -m pixtrawl "$@"'),
        ("ssh", 'shift 3; exec sh -c "$*"'),  # -o BatchMode=yes HOST
    ):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    manifest = tmp_path / "urls.txt"
    manifest.write_text("\n".join(f"data:,{n}" for n in range(4)))
    place = tmp_path / "a set"
    words = ["cluster", "prepare", str(manifest), "-o", str(place), "--shard-rows", "1", "-q"]
    assert main(words) == 0
    monkeypatch.setenv("STORE", str(place))
    return Store(place)


@pytest.mark.slow  # two processes each
@pytest.mark.parametrize("name", ["workers.sbatch", "workers.sh", "workers.yaml"])
def test_the_workers_of_the_examples_carry_a_job_out(
    at_hand: Store, name: str, tmp_path: Path
) -> None:
    command = ["bash", str(FOLDER / name)]
    if name == "workers.sh":
        command += [at_hand.url, "one", "other"]
    if name == "workers.yaml":
        yaml = pytest.importorskip("yaml")
        pod = yaml.safe_load((FOLDER / name).read_text())["spec"]["template"]["spec"]
        command = [
            word.replace("/scratch", str(tmp_path)) for word in pod["containers"][0]["command"]
        ]
    subprocess.run(command, check=False, timeout=120)  # nothing is saved: exit code 4
    assert status(at_hand, read_job(at_hand)).is_complete
