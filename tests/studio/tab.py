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
        _kept.clear()
        browser.close()


@contextmanager
def tab(browser: Any, url: str, *, grid: bool = True, **context: Any) -> Iterator[Any]:
    """The studio's page; at the end, no script may have failed and nothing been forbidden."""
    page = _kept.pop() if _kept and not context else _new(browser, context)
    wrong: list[str] = []

    def failed(error: Any) -> None:
        wrong.append(str(error))

    def said(line: Any) -> None:
        if "Content Security" in line.text:
            wrong.append(line.text)

    page.on("pageerror", failed)
    page.on("console", said)
    page.goto(url)
    if grid:
        page.wait_for_selector(".tile.current .picture[src]")
    yield page
    page.remove_listener("pageerror", failed)
    page.remove_listener("console", said)
    if context:
        page.context.close()
    else:
        _leave(page)
    assert wrong == []


# A tab that is not in use. What a page stores belongs to its origin, and each server has a port of
# its own; a new renderer for each test would cost half as much again as loading the page.
_kept: list[Any] = []


def _new(browser: Any, context: dict[str, Any]) -> Any:
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, **context}
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def _leave(page: Any) -> None:
    """Keep the tab, with nothing in it of the test that is over."""
    page.unroute_all(behavior="ignoreErrors")
    page.goto("about:blank")
    page.mouse.move(0, 0)
    for other in page.context.pages:
        if other is not page:
            other.close()
    page.context.clear_cookies()
    _kept.append(page)


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
