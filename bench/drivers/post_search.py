"""The search step that the project started from, written anew from its description, and its bound.

clicks: ten threads, each with a Chrome of its own, click every thumbnail, wait 1.5 s, read the
large picture's address. bare: one Chrome loads the same pages and scrolls, and reads nothing.

    post_search.py clicks|bare BASE_URL CHROME COUNT QUERY...
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

from playwright.sync_api import Page, sync_playwright

kind, base, chrome, count, queries = (*sys.argv[1:4], int(sys.argv[4]), sys.argv[5:])
TILES = "[data-docid], [data-tbnid]"


def load(page: Page, query: str) -> int:
    """The page with at least `count` results on it, as far as scrolling brings them."""
    page.goto(f"{base}/search?q={quote_plus(query)}&udm=2")
    seen, since = 0, time.monotonic()
    while (shown := page.locator(TILES).count()) < count and time.monotonic() - since < 3:
        if shown > seen:
            seen, since = shown, time.monotonic()
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(50)
    return shown


def clicked(query: str) -> list[str]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        page = browser.new_page()
        load(page, query)
        found = []
        for tile in page.locator(TILES).all()[:count]:
            tile.locator("img").first.dispatch_event("click")
            time.sleep(1.5)
            large = page.locator("img[jsname=kn3ccd]").all()
            found += [image.get_attribute("src") or "" for image in large]
        browser.close()
    return [url for url in found if url.startswith("http")]


if kind == "clicks":
    with ThreadPoolExecutor(10) as pool:
        urls = [url for found in pool.map(clicked, queries) for url in found]
    print(len(urls), "URLs")
else:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        page = browser.new_page()
        print(sum(load(page, query) for query in queries), "results loaded")
        browser.close()
