"""Completion in a shell, typed into a real bash."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pixtrawl.cli.completion import commands
from pixtrawl.cli.main import COMMANDS, main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this system")


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == EXIT_OK
    file = tmp_path / "pixtrawl.bash"
    file.write_text(capsys.readouterr().out)
    return file


def completed(script: Path, *words: str) -> list[str]:
    """The words that bash offers for the last one."""
    typed = " ".join(f"'{word}'" for word in words)
    program = (
        f"source '{script}'; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _pixtrawl; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@needs_bash
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ru"], ["run"]),
        (["run", "--min"], ["--min-size"]),
        (["run", "cat", "--lic"], ["--license"]),
        (["run", "--dedup", "st"], ["strict"]),
        (["run", "-s", "wikim"], ["wikimedia"]),
        (["export", "images", "--to", "web"], ["webdataset"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["run", "-o", ""], []),  # files: bash's own completion
        (["run", "ca"], []),
        (["run", "-o", "--"], []),
    ],
)
def test_bash_offers_what_fits(script: Path, words: list[str], offered: list[str]) -> None:
    assert completed(script, "pixtrawl", *words) == offered


@needs_bash
def test_bash_knows_every_command_and_each_of_its_options(script: Path) -> None:
    assert set(COMMANDS) <= set(completed(script, "pixtrawl", ""))
    for name, command in commands().items():
        long = [one for option in command.options for one in option.names if one.startswith("--")]
        assert sorted(completed(script, "pixtrawl", name, "--")) == sorted(long)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_command_and_option(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == EXIT_OK
    text = capsys.readouterr().out
    for name, command in commands().items():
        assert name in text
        for option in command.options:
            assert all(one.lstrip("-") in text for one in option.names)
    if program := shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(text)
        subprocess.run([program, "-n", file], check=True, timeout=30)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == EXIT_USAGE
    assert "csh" in capsys.readouterr().err
