"""Measure the page of a studio in Chromium: first paint, and frames while one scrolls."""

from __future__ import annotations

import os
from typing import Final

from pixtrawl.browser.executable import find_browser

__all__ = ["page_costs"]

_PATIENCE_MS: Final = 120_000
_SLOW_MS: Final = 50.0
# Scrolls for some seconds as a wheel does, then in jumps as a scroll bar does; returns what lay
# between two frames, in ms.
_SCROLL: Final = """async ([px, jumps]) => {
  const grid = document.querySelector('.grid');
  const frames = [];
  let before = performance.now(), on = true;
  const frame = (now) => {
    frames.push(now - before);
    before = now;
    if (on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const end = performance.now() + 6000;
  for (let n = 0; performance.now() < end; n++) {
    if (jumps) grid.scrollTop = ((n * 0.618034) % 1) * grid.scrollHeight;
    else grid.scrollTop += px;
    await new Promise((done) => setTimeout(done, jumps ? 250 : 16));
  }
  on = false;
  return frames.slice(1);
}"""


def page_costs(url: str) -> dict[str, float]:
    """Open the page of a data set at its address with the token; return its figures by name."""
    from playwright.sync_api import sync_playwright

    found = find_browser()
    if found is None:
        raise RuntimeError("no Chromium on this machine: scripts/browser.sh fetches one")
    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found.path, args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(url)
        page.wait_for_selector(".tile.current .picture[src]")
        paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        costs = {"first paint, ms": page.evaluate(paint)}
        for name, given in {"wheel": [40, False], "jumps": [0, True]}.items():
            frames = sorted(page.evaluate(_SCROLL, given))
            good = sum(one < _SLOW_MS for one in frames)
            costs[f"frames under 50 ms, {name}, %"] = 100 * good / len(frames)
            costs[f"95 % of frames, {name}, ms at most"] = frames[int(0.95 * (len(frames) - 1))]
        browser.close()
    return costs
