"""Runs started in the page of a real studio, in Chromium: watched, stopped, resumed, curated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.config.load import change, registered_sources
from pixtrawl.playground import Playground
from pixtrawl.studio.serve import StudioServer
from tests.studio.tab import PATIENCE_MS, press, tab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DROPPED = """(text) => {
  const held = new DataTransfer();
  held.items.add(new File([text], "list.csv", { type: "text/csv" }));
  return held;
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground() as running:
        yield running


@pytest.fixture
def page(browser: Any, site: Playground, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page of a studio without a data set; a parameter limits the rate in bytes a second."""
    rate = getattr(request, "param", None)
    values: dict[str, Any] = {
        "allow_address": ["127.0.0.0/8"], "set": [f"bing.base_url={site.url}"]
    }  # fmt: skip
    if rate is not None:
        values["set"].append(f"fetch.limit_rate_bytes_s={rate}")
    config = change(pixtrawl.Config(), values, known=registered_sources(), place="test")
    with (
        StudioServer(None, config=config).start() as server,
        tab(browser, server.url, grid=False) as found,
    ):
        yield found


def said(page: Any, text: str) -> None:
    page.locator(".said").get_by_text(text).wait_for(timeout=PATIENCE_MS)


def run_is(page: Any, text: str) -> None:
    page.locator(".run .lead").get_by_text(text).wait_for(timeout=2 * PATIENCE_MS)


def newest_appear(page: Any) -> None:
    page.wait_for_function(
        "() => [...document.querySelectorAll('.newest img')].some(one => one.naturalWidth > 0)",
        timeout=2 * PATIENCE_MS,
    )


def test_a_dropped_list_becomes_a_set_that_is_curated_by_keys_undone_and_exported(
    page: Any, tmp_path: Path
) -> None:
    page.locator("form.start").wait_for()
    text = "query,limit\ntabby cat,4\nsteam train,2\n"
    page.dispatch_event("form.start", "drop", {"dataTransfer": page.evaluate_handle(DROPPED, text)})
    page.get_by_text("list.csv, ").wait_for()
    page.get_by_label("Folder for the data set").fill(str(tmp_path / "both"))
    page.get_by_role("button", name="Start", exact=True).click()
    newest_appear(page)
    run_is(page, "No run is at work")
    page.get_by_role("row", name="tabby cat").first.wait_for()

    page.get_by_role("button", name="Images", exact=True).click()
    page.get_by_text("6 images").first.wait_for()
    page.locator(".tile.current .picture[src]").wait_for()
    press(page, "x", "1")
    said(page, "1 image rejected")
    press(page, "k")
    said(page, "1 image kept")
    press(page, "Shift+ArrowRight", "x", "2")
    page.get_by_role("heading", name="Reject 2 images as “poor quality”?").wait_for()
    press(page, "Enter")
    said(page, "2 images rejected")
    assert len(pixtrawl.open(tmp_path / "both")) == 3
    for _ in range(3):
        press(page, "z")
        said(page, "taken back")
        page.locator(".said button[aria-label='Close']").click()
    assert len(pixtrawl.open(tmp_path / "both")) == 6
    done = pixtrawl.open(tmp_path / "both").export("imagefolder", tmp_path / "for-training")
    assert done.images == 6


@pytest.mark.slow
@pytest.mark.parametrize("page", [40_000], indirect=True)
def test_a_run_is_stopped_and_resumed_from_the_page(page: Any, tmp_path: Path) -> None:
    page.get_by_label("Words, one query a line").fill("tabby cat")
    page.get_by_label("Images per query").fill("90")
    page.get_by_label("Folder for the data set").fill(str(tmp_path / "cats"))
    page.get_by_role("button", name="Start", exact=True).click()
    newest_appear(page)
    run_is(page, "A run of this studio is at work")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("dialog").get_by_role("button", name="Stop").click()
    run_is(page, "The last run was stopped")
    kept = len(pixtrawl.open(tmp_path / "cats"))
    assert 0 < kept < 90
    page.get_by_role("button", name="Resume", exact=True).click()
    run_is(page, "A run of this studio is at work")
    page.wait_for_function(
        "(n) => [...document.querySelectorAll('.run tbody tr:first-child td')]"
        ".some(one => one.textContent.includes('/ 90') && parseInt(one.textContent) > n)",
        arg=kept, timeout=2 * PATIENCE_MS,
    )  # fmt: skip
    assert len(pixtrawl.open(tmp_path / "cats")) > kept
