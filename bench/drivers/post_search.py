"""The search step that the project started from, written anew from its description, and its bound.

clicks: ten threads, each with a Chrome of its own, load the page, click every thumbnail, wait
1.5 s, read the large picture's address. Faster than the original, which also waits after scrolling
and looks for its elements over chromedriver.
bare: one Chrome loads the same pages in so many tabs, thumbnails included, and scrolls and presses
for more from inside the page as soon as that brings something; it reads nothing.

    post_search.py clicks|bare BASE_URL CHROME COUNT TABS QUERY...
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

from playwright.async_api import Browser, async_playwright
from playwright.sync_api import sync_playwright

TILES = "[data-docid], [data-tbnid]"
MORE = """async ([tiles, count]) => {
  const shown = () => document.querySelectorAll(tiles).length;
  for (const end = performance.now() + 10000; shown() < count && performance.now() < end; ) {
    scrollTo(0, document.body.scrollHeight);
    const more = document.querySelector("[role=button][value='Show more results']");
    if (more && more.checkVisibility()) more.click();
    await new Promise((done) => setTimeout(done, 10));
  }
  return shown();
}"""


def address(base: str, query: str) -> str:
    return f"{base}/search?q={quote_plus(query)}&udm=2"


def clicked(base: str, chrome: str, count: int, query: str) -> list[str]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address(base, query))
        found = []
        for tile in page.locator(TILES).all()[:count]:
            tile.locator("img").first.dispatch_event("click")
            time.sleep(1.5)
            large = page.locator("img[jsname=kn3ccd]").all()
            found += [image.get_attribute("src") or "" for image in large]
        browser.close()
    return [url for url in found if url.startswith("http")]


async def loaded(browser: Browser, base: str, count: int, queries: Iterator[str]) -> int:
    page, shown = await browser.new_page(), 0
    for query in queries:
        await page.goto(address(base, query), wait_until="domcontentloaded")
        shown += await page.evaluate(MORE, [TILES, count])
    return shown


async def bare(base: str, chrome: str, count: int, tabs: int, queries: list[str]) -> int:
    todo = iter(queries)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        work = (loaded(browser, base, count, todo) for _ in range(tabs))
        shown = sum(await asyncio.gather(*work))
        await browser.close()
    return shown


def main() -> None:
    kind, base, chrome, count, tabs = (*sys.argv[1:4], *map(int, sys.argv[4:6]))
    queries = sys.argv[6:]
    if kind == "clicks":
        with ThreadPoolExecutor(tabs) as pool:
            work = [pool.submit(clicked, base, chrome, count, query) for query in queries]
            sys.stdout.write(f"{sum(len(one.result()) for one in work)} URLs\n")
    else:
        shown = asyncio.run(bare(base, chrome, count, tabs, queries))
        sys.stdout.write(f"{shown} results loaded\n")


if __name__ == "__main__":
    main()
