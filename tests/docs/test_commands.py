"""The commands of README and tutorial work as they stand there, one after the other.

They are typed into a folder with nothing in it, against the playground in place of the web; only the
numbers are smaller. Commands that set up the machine are left to `make` and CI.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.cli.main import COMMANDS, main
from pixtrawl.playground import Playground

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial.md", "docs/how-to.md", "docs/faq.md")
SHORT, SET_UP = 3, {"make", "python3", "pip", ".", "unset", "xvfb-run"}
ENDS = {"pixtrawl run 'rare bird'": SHORT}
NEEDS_A_BROWSER = re.compile(r"-s google\b")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """Command lines in their order, without comments."""
    lines = "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [
        " ".join(shlex.quote(w) for w in shlex.split(line, comments=True))
        if line.startswith("pixtrawl")
        else line
        for line in lines
        if line.strip()
    ]


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(faults="some", supply=40) as running:
        yield running


@pytest.fixture
def environment(site: Playground, tmp_path: Path) -> dict[str, str]:
    """The playground takes the place of the sources that `auto` asks."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIXTRAWL_") or name == "PIXTRAWL_CHROME"},
        "HOME": str(tmp_path), "PIXTRAWL_ALLOW_ADDRESS": "127.0.0.0/24",
        "PIXTRAWL_BING_BASE_URL": site.url, "PIXTRAWL_GOOGLE_BASE_URL": site.url,
        "PIXTRAWL_OPENVERSE_BASE_URL": site.url, "PIXTRAWL_WIKIMEDIA_BASE_URL": site.url,
        "PIXTRAWL_DECODERS": "1", "PIXTRAWL_ECOSIA_ENABLED": "false", "PIXTRAWL_DUCKDUCKGO_ENABLED": "false",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip


def smaller(line: str) -> str:
    """The same with a few images, so that the suite stays fast."""
    return re.sub(r"(?<= -n )\d+", lambda m: str(max(3, min(8, int(m[0]) // 6))), line)


# They serve until they are stopped, or look at the machine.
NOT_HERE = ("export", "pixtrawl playground", "pixtrawl studio", "pixtrawl mcp", "pixtrawl doctor")


def typed(line: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, text=True, capture_output=True,
        stdin=subprocess.DEVNULL, timeout=50,
    )  # fmt: skip


def follow(page: str, folder: Path, environment: dict[str, str], site: Playground) -> list[str]:
    """Types the commands of a page; returns those that were run."""
    done = []
    for line in commands(page):
        first = line.split()[0]
        if first in SET_UP or line.startswith(NOT_HERE):
            continue
        if NEEDS_A_BROWSER.search(line) or "-s open" in line:
            continue  # tests/playground/test_browser.py; sources with servers of their own
        ended = typed(smaller(line), folder, environment)
        expected = next((code for start, code in ENDS.items() if line.startswith(start)), 0)
        assert ended.returncode == expected, f"{line}\n{ended.stdout}\n{ended.stderr}"
        done.append(line)
    return done


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_readme_s_commands_do_what_it_says(
    tmp_path: Path, environment: dict[str, str], site: Playground
) -> None:
    (tmp_path / "queries.csv").write_text("steam train\n", encoding="utf-8")
    done = follow("README.md", tmp_path, environment, site)
    assert len(done) >= 7
    for name in ("steam train", "tabby cat", "metadata.jsonl", "keyword_urls.txt", "README.md"):
        assert (tmp_path / "images" / name).exists(), name
    assert list((tmp_path / "shards").glob("*.tar"))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_tutorial_s_commands_do_what_it_says(
    tmp_path: Path, environment: dict[str, str], site: Playground
) -> None:
    done = follow("docs/tutorial.md", tmp_path, environment, site)
    assert len(done) >= 10
    told = typed("pixtrawl report images --json", tmp_path, environment)
    assert json.loads(told.stdout)["reasons"]["removed_by_user"] == 1
    # 5, one of them removed, then as many as the last command asks for
    assert len(list((tmp_path / "images/tabby cat").iterdir())) == 8
    assert (tmp_path / "cats-and-trains/train/tabby cat").is_dir()
    assert len(list((tmp_path / "birds").glob("rare bird/*"))) <= 6
    for block in blocks("docs/tutorial.md", "python"):
        ended = subprocess.run(
            [sys.executable, "-c", block], cwd=tmp_path, env=environment, text=True,
            capture_output=True,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        assert "lighthouse" in ended.stdout or "tabby cat" in ended.stdout


@pytest.mark.slow
def test_the_readme_s_python_finds_the_same(
    tmp_path: Path, environment: dict[str, str], site: Playground
) -> None:
    code = re.sub(r"limit=\d+", "limit=3", "\n".join(blocks("README.md", "python")))
    code += "\nprint(len(ds))"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True, capture_output=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "6"


def test_settings_of_sources_may_be_written_as_on_the_command_line(
    tmp_path: Path, environment: dict[str, str], site: Playground
) -> None:
    import pixtrawl

    for settings in ({"bing.base_url": site.url}, {"bing": {"base_url": site.url}}):
        ds = pixtrawl.run(
            "red fox", limit=2, source="bing", settings=settings, output=tmp_path / "images",
            allow_address=["127.0.0.0/24"],
        )  # fmt: skip
        assert len(ds) == 2


@pytest.mark.slow
def test_the_tutorial_s_verdict_is_what_one_sees(tmp_path: Path) -> None:
    """Bytes and seconds aside, and how many more were found and fetched: another computer's."""
    page = (ROOT / "docs/tutorial.md").read_text("utf-8")
    printed = re.search(r"^```\n(complete: .*?)^```", page, re.MULTILINE | re.DOTALL)
    assert printed is not None
    with Playground() as practice:
        environment = {
            **os.environ, "PIXTRAWL_BING_BASE_URL": practice.url, "HOME": str(tmp_path),
            "PIXTRAWL_ALLOW_ADDRESS": "127.0.0.0/24",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        line = 'pixtrawl run "tabby cat" "steam train" -s bing -n 20'
        assert line in page
        seen = typed(line, tmp_path, environment)
    assert seen.returncode == 0, seen.stderr
    assert _bare(seen.stdout) == _bare(printed[1])


def _bare(verdict: str) -> list[str]:
    measured = r"[\d.]+ MiB, [\d.:]+ (s|min)"
    counted = r"\d+ +(?=rejected|not needed|animated|candidates)|(?<=bing ok )\d+"
    return re.sub(f"{measured}|{counted}", "", verdict).strip().splitlines()


@pytest.mark.parametrize("page", PAGES)
def test_every_option_of_a_page_is_known_to_its_command(page: str) -> None:
    for line in commands(page):
        for part in re.split(r"\s(?:\|\||&&|>)\s", line):
            words = part.split()
            if "pixtrawl" not in words or words[0] == "make":
                continue
            name, *rest = words[words.index("pixtrawl") + 1 :]
            assert name in COMMANDS, line
            known = _help(name)
            for option in (word for word in rest if re.match(r"--?[a-z]", word)):
                assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known), line


_HELP: dict[str, str] = {}


def _help(command: str) -> str:
    if command not in _HELP:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            assert main([command, "--help"]) == 0
        _HELP[command] = shown.getvalue()
    return _HELP[command]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", text):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, anchor
