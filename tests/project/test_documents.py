"""What README, CONTRIBUTING, CHANGELOG and docs/ say is so."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import pixtrawl
from pixtrawl.cli.main import COMMANDS, main

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/design.md")


def read(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def shell_lines(text: str) -> list[str]:
    """Lines of the fenced sh blocks, comments and continued lines taken together."""
    blocks = re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [stripped for line in lines if (stripped := re.sub(r"(^|\s)#.*", "", line).strip())]


def help_of(command: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        assert main([command, "--help"]) == 0
    return shown.getvalue()


def options_by_command(text: str) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for line in shell_lines(text):
        for part in re.split(r"\s*(?:\||&&|;)\s*", line):
            words = part.split()
            if "pixtrawl" in words and words.index("pixtrawl") + 1 < len(words):
                command, *rest = words[words.index("pixtrawl") + 1 :]
                options = {word.partition("=")[0] for word in rest if word.startswith("-")}
                used.setdefault(command, set()).update(options - {"-"})
    return used


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_command_and_option_of_the_examples_exists(root: Path, name: str) -> None:
    for command, options in options_by_command(read(root, name)).items():
        if command.startswith("-"):
            continue
        assert command in COMMANDS, command
        text = help_of(command)
        missing = [o for o in options if not re.search(rf"(?<![\w-]){re.escape(o)}(?![\w-])", text)]
        assert missing == [], f"pixtrawl {command} does not know {missing}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_that_is_named_exists(root: Path, name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(root, "Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", read(root, name)))
    named |= {
        m[1] for line in shell_lines(read(root, name)) if (m := re.match(r"make (\S+)", line))
    }
    assert named <= targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_linked_to_is_there(root: Path, name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(root, name))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not ((root / name).parent / link).exists()] == []


def test_every_path_of_the_layout_in_the_design_exists(root: Path) -> None:
    layout = re.search(
        r"^## The layout$(.*?)^## ", read(root, "docs/design.md"), re.MULTILINE | re.DOTALL
    )
    assert layout, "docs/design.md has no section 'The layout'"
    paths = re.findall(r"`((?:src|tests|bench|docs|scripts|requirements)/[^`\s]*)`", layout[1])
    assert len(paths) > 10
    assert [path for path in paths if not (root / path).exists()] == []


def test_every_package_folder_stands_in_the_layout(root: Path) -> None:
    text = read(root, "docs/design.md")
    packages = sorted(path.parent for path in (root / "src/pixtrawl").glob("*/__init__.py"))
    missing = [p.name for p in packages if f"`src/pixtrawl/{p.name}/`" not in text]
    assert missing == []


def test_every_dependency_is_accounted_for_in_the_design(
    root: Path, pyproject: dict[str, Any]
) -> None:
    project = pyproject["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *pyproject["dependency-groups"].values(),
    ]
    names = {Requirement(row).name for rows in lists for row in rows if isinstance(row, str)}
    rows = set(re.findall(r"^\| `([\w.-]+)`", read(root, "docs/design.md"), re.MULTILINE))
    assert names - {"pixtrawl"} - rows == set()


def test_the_newest_section_of_the_changelog_is_the_package_s_version(
    root: Path, pyproject: dict[str, Any]
) -> None:
    sections = re.findall(r"^## \[?(\d+\.\d+\.\d+)\]?", read(root, "CHANGELOG.md"), re.MULTILINE)
    assert sections[0] == pyproject["project"]["version"] == pixtrawl.__version__


def test_the_readme_tells_every_exit_code(root: Path) -> None:
    text = read(root, "README.md")
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert re.search(rf"^\| {code} \|", text, re.MULTILINE), code


def test_pictures_of_the_documents_are_small(root: Path) -> None:
    for path in (root / "docs").rglob("*.png"):
        assert path.stat().st_size < 300 * 1024, path.name


def test_every_page_is_in_the_index_of_the_site(root: Path) -> None:
    pages = {path.stem for path in (root / "docs").glob("*.md")} - {"index"}
    listed = re.findall(r"^[a-z-]+$", read(root, "docs/index.md"), re.MULTILINE)
    assert sorted(pages) == sorted(set(listed) & pages)
    assert len(listed) == len(set(listed))
