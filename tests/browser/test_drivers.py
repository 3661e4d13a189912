"""Two ways to drive a browser: they see the same, and neither leaves anything behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.sources.google.conftest import LOOPBACK

from pixtrawl.browser import devtools
from pixtrawl.browser.chrome import Chrome
from pixtrawl.browser.devtools import Browser
from pixtrawl.browser.executable import find_browser
from pixtrawl.browser.options import VIEWPORT_PX, ChromeOptions, arguments
from pixtrawl.browser.playwright_driver import PlaywrightDriver

if TYPE_CHECKING:
    from tests.sources.google.conftest import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]


def processes_of(profile: str) -> list[int]:
    """Whoever names this profile on the command line, zombies left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if profile.encode() in command:
            found.append(int(folder.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("form", ["2024", "click", "more"])
def test_playwright_and_the_pipe_find_the_same(
    desk: Desk, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_pipe = desk.ask(form)
    monkeypatch.setattr("pixtrawl.browser.chrome.can_drive", lambda: False)
    ours, desk.chrome = desk.chrome, Chrome(ChromeOptions(visible=False, allow_address=LOOPBACK))
    try:
        by_playwright = desk.ask(form)
        assert isinstance(desk.chrome._driver, PlaywrightDriver)
    finally:
        desk.runner.run(desk.chrome.aclose())
        desk.chrome = ours
    assert by_pipe.candidates
    assert by_playwright.candidates == by_pipe.candidates
    assert by_playwright.stop == by_pipe.stop


def test_a_browser_that_hangs_is_killed_and_its_profile_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devtools, "_END_S", 0.2)
    found = find_browser()
    assert found is not None

    async def scene() -> tuple[list[int], str]:
        browser = Browser(VIEWPORT_PX)
        await browser.start(found.path, arguments(ChromeOptions()))
        profile = browser._profile
        seen = processes_of(profile)
        for pid in seen:
            os.kill(pid, signal.SIGSTOP)
        await browser.close()
        return seen, profile

    seen, profile = desk.runner.run(scene())
    assert len(seen) >= 2  # the shell that waits, and the browser
    assert not Path(profile).exists()
    for _ in range(200):
        if not processes_of(profile):
            return
        desk.runner.run(asyncio.sleep(0.05))
    pytest.fail(f"still there: {processes_of(profile)}")


def test_a_browser_begun_and_closed_at_once_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def scene() -> None:
        chrome = Chrome(ChromeOptions(visible=False))
        chrome.begin(3)
        await asyncio.sleep(0)
        await chrome.aclose()

    desk.runner.run(scene())
    assert processes_of(str(tmp_path)) == []
    assert list(tmp_path.glob("pixtrawl-profile-*")) == []
