"""The page, the server and a data set together: curated by keyboard alone, in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.studio.tab import PATIENCE_MS, current, press, tab

serve = pytest.importorskip("pixtrawl.studio.serve", reason="the extra `studio` is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def said(page: Any, text: str) -> None:
    page.locator(".said").get_by_text(text).wait_for(timeout=PATIENCE_MS)


def test_the_address_with_its_token_leads_to_the_images(browser: Any, root: Path) -> None:
    with serve.StudioServer(root).start() as server, tab(browser, server.url) as page:
        assert "token" not in page.url
        page.get_by_text("20 images").first.wait_for()
        page.wait_for_function("() => document.querySelector('.tile.current img').naturalWidth > 0")
        assert page.evaluate("() => document.activeElement.className") == "tile current"


def test_without_the_token_the_page_is_not_to_be_had(browser: Any, root: Path) -> None:
    with serve.StudioServer(root).start() as server:
        page = browser.new_page()
        assert page.goto(server.url.partition("?")[0]).status >= 400
        page.close()


@pytest.mark.slow
@pytest.mark.slow  # test_real_runs.py decides by keys, test_studio_kills.py starts it again
def test_decisions_by_keys_hold_after_the_server_is_started_again(browser: Any, root: Path) -> None:
    with serve.StudioServer(root).start() as server, tab(browser, server.url) as page:
        press(page, "x", "1")
        said(page, "1 image rejected")
        press(page, "k")
        said(page, "1 image kept")
        press(page, "Shift+ArrowRight", "k")
        page.get_by_role("heading", name="Keep 2 images?").wait_for()
        press(page, "Enter")
        said(page, "2 images kept")
        press(page, "z")
        said(page, "taken back")
    with serve.StudioServer(root).start() as server, tab(browser, server.url) as page:
        page.get_by_text("19 images").first.wait_for()
        page.get_by_label("kept by hand").check()
        page.get_by_text("Showing 1 of 19").wait_for()
        press(page, "z")  # undo goes on where it was
        said(page, "taken back")


@pytest.mark.slow
def test_what_was_rejected_is_brought_back_where_it_is_shown(browser: Any, root: Path) -> None:
    with serve.StudioServer(root).start() as server, tab(browser, server.url) as page:
        rejected = current(page)
        press(page, "x", "2")
        said(page, "1 image rejected")
        page.get_by_role("button", name="Not kept").click()
        page.get_by_text("1 not kept").wait_for()
        page.locator(".tile.current .picture[src]").wait_for()
        page.locator(".detail").get_by_text("poor quality").wait_for()
        press(page, "k")
        said(page, "1 image brought back")
        page.get_by_role("button", name="Images", exact=True).click()
        page.get_by_text("20 images").first.wait_for()
        page.locator(".tile.current .picture[src]").wait_for()
        assert rejected in page.locator(".caption").all_inner_texts()


@pytest.mark.slow
def test_a_relabelled_image_is_found_under_its_label(browser: Any, root: Path) -> None:
    with serve.StudioServer(root).start() as server, tab(browser, server.url) as page:
        press(page, "r")
        page.locator("dialog input").wait_for()
        page.keyboard.type("lynx")
        press(page, "Enter")
        said(page, "put under lynx")
        page.get_by_label("lynx").check()
        page.get_by_text("Showing 1 of 20").wait_for()
