from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from pixtrawl.browser import executable as browser_path
from pixtrawl.browser.executable import BrowserFound, find_browser, has_display, install_command


def program(folder: Path, name: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def nothing_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browser_path, "_LINUX", ())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def test_the_named_browser_comes_before_all_others(tmp_path: Path) -> None:
    mine, _ = program(tmp_path / "a", "mine"), program(tmp_path / "b", "google-chrome")
    env = {"PIXTRAWL_CHROME": mine, "PATH": str(tmp_path / "b")}
    assert find_browser(env, "linux") == BrowserFound(mine, "PIXTRAWL_CHROME")


def test_a_named_browser_that_is_not_there_is_not_replaced_by_another(tmp_path: Path) -> None:
    program(tmp_path, "chromium")
    env = {"PIXTRAWL_CHROME": "/nowhere/chrome", "PATH": str(tmp_path)}
    assert find_browser(env, "linux") is None
    assert "/nowhere/chrome" in browser_path.missing_message(env)


def test_chrome_in_path_comes_before_chromium(tmp_path: Path) -> None:
    program(tmp_path / "1", "chromium")
    chrome = program(tmp_path / "2", "google-chrome")
    found = find_browser({"PATH": f"{tmp_path / '1'}{os.pathsep}{tmp_path / '2'}"}, "linux")
    assert found == BrowserFound(chrome, "PATH")


def test_the_headless_shell_is_the_last_of_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, full = program(tmp_path, "chromium-headless-shell"), program(tmp_path, "x")
    monkeypatch.setattr(browser_path, "_LINUX", (full, shell))
    assert find_browser({}, "linux") == BrowserFound(full, "usual place")
    monkeypatch.setattr(browser_path, "_LINUX", (shell,))
    assert find_browser({}, "linux") == BrowserFound(shell, "usual place", headless_only=True)


def test_the_unpacked_browser_of_npm_comes_last_and_only_if_it_is_ours(tmp_path: Path) -> None:
    path = program(tmp_path / "temporary", "chromium")
    assert find_browser({}, "linux") == BrowserFound(path, "npm", headless_only=True)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
        assert find_browser({}, "linux") is None


def test_no_browser_gives_none_and_one_command_for_each_system() -> None:
    assert find_browser({}, "linux") is None
    for platform in ("linux", "darwin", "win32"):
        assert install_command(platform)


def test_a_display_is_told_by_the_environment_on_linux() -> None:
    assert not has_display({}, "linux")
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert has_display({}, "darwin")
