"""A Chromium tab with the studio's page in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pixtrawl.browser.executable import find_browser
from tests.studio.fake_server import WEB

LAID = (WEB / "vendor" / "manifest.json").is_file()
# Set here, not in each test: what a loaded machine needs.
PATIENCE_MS = 60_000


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser, or a skip that says what is missing."""
    if not LAID:
        pytest.skip("the page's third-party scripts are not there: run scripts/studio_web.py")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium on this machine")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found.path, args=flags)
        yield browser
        browser.close()


@contextmanager
def tab(browser: Any, url: str, *, grid: bool = True, **context: Any) -> Iterator[Any]:
    """The studio's page; at the end, no script may have failed and nothing been forbidden."""
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, **context}
    own = browser.new_context(**options)
    page = own.new_page()
    page.set_default_timeout(PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda line: wrong.append(line.text) if "Content Security" in line.text else None,
    )
    page.goto(url)
    if grid:
        page.wait_for_selector(".tile.current .picture[src]")
    yield page
    own.close()
    assert wrong == []


def current(page: Any) -> str:
    """The caption of the current tile."""
    text: str = page.locator(".tile.current .caption").inner_text()
    return text


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def wait_until(page: Any, true: Callable[[], object]) -> None:
    """Let the page go on until something is so here; fail after `PATIENCE_MS`."""
    for _ in range(PATIENCE_MS // 50):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen")
