"""The search page in a real Chrome: hover sets the link, click opens the panel, scrolls load."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pixtrawl.playground import Playground
from tests.optional import needs

needs("playwright", reason="playwright is not installed")
SHELL = shutil.which("chromium-headless-shell") or shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(SHELL is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=Path(SHELL or ""), args=flags)
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.set_default_timeout(15_000)
        yield tab
        browser.close()


@pytest.mark.slow
@pytest.mark.slow  # the tests of the source drive such pages, too
def test_hovering_sets_the_link_to_the_original(site: Playground, page: Any) -> None:
    page.goto(f"{site.url}/hover/search?q=tabby+cat&udm=2")
    entry = site.expected("tabby cat")[4]
    link = page.locator(f"[data-docid='{entry.docid}'] a").first
    assert link.get_attribute("href") is None
    link.hover()
    values = parse_qs(urlsplit(link.get_attribute("href")).query)
    assert values["imgurl"] == [entry.url]
    assert values["imgrefurl"] == [entry.page_url]
    assert (values["w"], values["h"]) == ([str(entry.width)], [str(entry.height)])


@pytest.mark.slow  # the tests of the source drive such pages, too
def test_clicking_opens_a_panel_that_loads_the_original(site: Playground, page: Any) -> None:
    page.goto(f"{site.url}/click/search?q=tabby+cat&udm=2")
    entry = site.expected("tabby cat")[0]
    page.locator(f"[data-docid='{entry.docid}'] img").click()
    page.wait_for_selector(f"[role=dialog] img[src='{entry.url}']")
    width = page.evaluate("document.querySelector('[role=dialog] img').naturalWidth")
    assert width == entry.width


@pytest.mark.slow  # the tests of the source drive such pages, too
def test_a_failing_original_leaves_the_thumbnail_in_the_panel(page: Any) -> None:
    with Playground(faults=["not-found"], mix={"fault": 1.0}, supply=4) as broken:
        page.goto(f"{broken.url}/click/search?q=cat&udm=2")
        url = broken.expected("cat")[1].url
        # Chromium refuses an HTML answer to an image of another origin as a failed request.
        with page.expect_event("requestfailed", lambda request: request.url == url):
            page.locator("[data-docid]").nth(1).locator("img").click()
        source = page.locator("[role=dialog] img").get_attribute("src")
        assert source.startswith(("data:image/", broken.url))


@pytest.mark.slow
@pytest.mark.slow  # the tests of the source drive such pages, too
def test_scrolling_loads_more_until_the_button_and_then_to_the_end(
    site: Playground, page: Any
) -> None:
    page.goto(f"{site.url}/search?q=tabby+cat&udm=2")
    count = "document.querySelectorAll('[data-docid]').length"
    assert page.evaluate(count) == 30
    scroll = "window.scrollTo(0, document.documentElement.scrollHeight)"
    for wanted in (50, 70, 90):
        page.evaluate(scroll)
        page.wait_for_function(f"{count} >= {wanted}")
    button = page.get_by_role("button", name="Show more results")
    button.wait_for(state="visible")
    button.click()
    page.evaluate(scroll)
    page.wait_for_function(f"{count} >= 110")
    page.evaluate(scroll)
    page.wait_for_function(f"{count} === 120")


@pytest.mark.slow  # the tests of the source drive such pages, too
def test_inline_thumbnails_arrive_by_script(site: Playground, page: Any) -> None:
    page.goto(f"{site.url}/search?q=tabby+cat&udm=2")
    source = page.locator("[data-docid] img").first.get_attribute("src")
    assert source.startswith("data:image/jpeg;base64,")
    assert page.locator("[data-docid] img").nth(20).get_attribute("src").startswith(site.url)


@pytest.mark.slow  # the tests of the source drive such pages, too
def test_rejecting_cookies_leads_to_the_results(site: Playground, page: Any) -> None:
    page.context.clear_cookies()
    page.goto(f"{site.url}/consent/search?q=tabby+cat&udm=2")
    assert "/consent-page/m" in page.url
    page.click("#W0wltc")
    page.wait_for_url(re.compile(r"/consent/search\?"))
    assert page.locator("[data-docid]").count() == 30
    page.context.clear_cookies()
    page.goto(f"{site.url}/consent-stays/search?q=tabby+cat&udm=2")
    page.click("#W0wltc")
    page.wait_for_url(re.compile("/consent-page/m"))


@pytest.mark.slow  # the tests of the source drive such pages, too
def test_the_dialog_closes_for_good_when_refused(site: Playground, page: Any) -> None:
    page.context.clear_cookies()
    for shown in (1, 0):
        page.goto(f"{site.url}/consent-dialog/search?q=cat&udm=2")
        assert page.locator("[aria-modal=true]").count() == shown
        if shown:
            page.click("#W0wltc")
            assert page.locator("[aria-modal=true]").count() == 0


@pytest.mark.slow  # the tests of the source drive such pages, too
def test_the_page_of_2021_works_as_its_script_expects(site: Playground, page: Any) -> None:
    page.goto(f"{site.url}/2021/search?q=tabby+cat&tbm=isch")
    entry = site.expected("tabby cat")[2]
    page.locator("img.Q4LuWd").nth(2).click()
    page.wait_for_selector(f"img.n3VNCb[src='{entry.url}']")
