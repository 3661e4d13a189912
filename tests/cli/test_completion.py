"""Completion in a shell, typed into a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from pixtrawl.cli.commands.completion import commands
from pixtrawl.cli.main import COMMANDS, main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE

described = cache(commands)  # makes all parsers
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
        ["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=60, check=True
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
        (["run", "--dedup", "=", "st"], ["strict"]),
        (["run", "--dedup", "="], ["exact", "near", "off", "strict", "wide"]),
        (["run", "-s", "wikim"], ["wikimedia"]),
        (["export", "images", "--to", "web"], ["webdataset"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["run", "-o", ""], []),  # files: bash's own completion
        (["run", "ca"], []),
        (["run", "-o", "--"], []),
    ],
)
def test_bash_offers_what_fits(script: Path, words: list[str], offered: list[str]) -> None:
    assert sorted(completed(script, "pixtrawl", *words)) == offered


@needs_bash
def test_bash_knows_every_command_and_each_of_its_options(script: Path) -> None:
    assert set(COMMANDS) <= set(completed(script, "pixtrawl", ""))
    for name in COMMANDS:
        assert sorted(completed(script, "pixtrawl", name, "--")) == long_options(name)


def long_options(command: str) -> list[str]:
    names = (one for option in described()[command].options for one in option.names)
    return sorted(one for one in names if one.startswith("--"))


# Answers of zsh and fish to the line typed so far; these shells offer files, too, where words fit.
OFFERED = [
    ("pixtrawl ru", ["run"]),
    ("pixtrawl run --min", ["--min-size"]),
    ("pixtrawl run cat --lic", ["--license"]),
    ("pixtrawl run --dedup st", ["strict"]),
    ("pixtrawl run --dedup=st", ["strict"]),
    ("pixtrawl run -s wikim", ["wikimedia"]),
    ("pixtrawl export images --to web", ["webdataset"]),
    ("pixtrawl steer images p", ["pause"]),
    ("pixtrawl completion ", ["bash", "fish", "zsh"]),
    ("pixtrawl run -o ", ["a file"]),
    ("pixtrawl run xyz", []),
    ("pixtrawl run label --und", []),  # `label` is a query here
    ("pixtrawl ", sorted(COMMANDS)),
    ("pixtrawl verify --", long_options("verify")),
]


@pytest.fixture
def typing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with one file to offer, the scripts beside it."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/a file").touch()
    for shell in ("zsh", "fish"):
        assert main(["completion", shell]) == EXIT_OK
        (tmp_path / shell).write_text(capsys.readouterr().out)
    return tmp_path / "here"


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this system")
def test_fish_offers_what_fits(typing: Path) -> None:
    asked = "\n".join(f"echo '== {line}'; complete -C '{line}'" for line, _ in OFFERED)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source '{typing.parent}/fish'\n{asked}"],
        cwd=typing, capture_output=True, text=True, timeout=50, check=True,
        env={**os.environ, "HOME": str(typing.parent)},
    )  # fmt: skip
    assert done.stderr == ""
    # a word, a tab, its description
    words = [line.partition("\t")[0].removeprefix("--dedup=") for line in done.stdout.splitlines()]
    assert answers(words) == dict(OFFERED)


ZSH_SHELL = r"""
PS1=; LISTMAX=999; autoload -Uz compinit; compinit -D -u; source ../zsh
compadd () {  # writes down what is offered
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  builtin compadd -A hits "$@"
  [[ $#hits = 0 ]] || print -rl -- $hits >> ../offered
  builtin compadd "$@"
}
finish () { BUFFER=; print DONE; }
zle -N finish; bindkey '^X' finish
print READY
"""
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source ../shell'
zpty -r shell seen '*READY*'
for line in "${(@f)$(<../lines)}"; do
  print -r -- "== $line" >> ../offered
  zpty -w -n shell "$line"$'\t\C-x'
  zpty -r shell seen '*DONE*'
done
zpty -d shell
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this system")
def test_zsh_offers_what_fits(typing: Path) -> None:
    """A zsh with a terminal of its own gets each line and a tab."""
    (typing.parent / "shell").write_text(ZSH_SHELL)
    (typing.parent / "lines").write_text("".join(f"{line}\n" for line, _ in OFFERED))
    subprocess.run(
        ["zsh", "-f", "-c", ZSH], cwd=typing, stdin=subprocess.DEVNULL, timeout=50, check=True
    )
    words = (typing.parent / "offered").read_text().splitlines()
    assert answers(words) == dict(OFFERED)


def answers(words: list[str]) -> dict[str, list[str]]:
    """Words offered for each line, from the output of a shell where `== LINE` precedes them."""
    found: dict[str, list[str]] = {}
    line = ""
    for word in words:
        if word.startswith("== "):
            line = word.removeprefix("== ")
            found[line] = []
        else:
            found[line] = sorted({*found[line], word.replace("\\ ", " ")})  # as it is typed
    return found


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_command_and_option(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == EXIT_OK
    text = capsys.readouterr().out
    for name, command in described().items():
        assert name in text
        for option in command.options:
            assert all(one.lstrip("-") in text for one in option.names)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == EXIT_USAGE
    assert "csh" in capsys.readouterr().err
