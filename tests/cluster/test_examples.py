"""The example files of docs/cluster are sound: shells parse them, and they use options that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pixtrawl.cli.commands import worker
from pixtrawl.cli.parser import Parser

FOLDER = Path(__file__).parents[2] / "docs/cluster"


def options_of_worker() -> set[str]:
    subparsers = Parser(prog="pixtrawl").add_subparsers()
    worker.add_parser(subparsers)
    return set(subparsers.choices["worker"]._option_string_actions)


@pytest.mark.parametrize("name", ["workers.sbatch", "workers.sh"])
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


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_option_of_the_examples_exists(path: Path) -> None:
    words = re.findall(r"pixtrawl worker ([^\n]*)", path.read_text())
    assert words
    used = {option for line in words for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)}
    assert used <= options_of_worker()
