"""The map in the studio's page, in Chromium: lasso, ring, keys on what is selected; meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixtrawl.scoring.models.loading import load_any
from pixtrawl.scoring.score import ScoreOptions, score
from pixtrawl.studio.serve import StudioServer
from tests.studio.client import Client, client_of
from tests.studio.embedded import embed
from tests.studio.tab import press, tab, wait_until
from tests.studio.test_studio_map import map_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def on_map(page: Any) -> Any:
    """Open the map, and return the box of its canvas."""
    page.get_by_role("navigation").get_by_role("button", name="Map", exact=True).click()
    page.locator(".map-over").wait_for()
    return page.locator(".map-over").bounding_box()


def around(client: Client, box: Any, label: str) -> list[tuple[float, float]]:
    """Corners on the page around the images of a label, as the whole map lies in its field."""
    points = map_of(client)
    k = (min(box["width"], box["height"]) - 28) / 65_535
    left = box["x"] + (box["width"] - k * 65_535) / 2
    top = box["y"] + (box["height"] - k * 65_535) / 2
    at = points["labels"].index(label)
    own = [
        (left + k * x, top + k * y)
        for x, y, one in zip(points["x"], points["y"], points["label"], strict=True)
        if one == at
    ]
    (x1, x2), (y1, y2) = ((min(c) - 5, max(c) + 5) for c in zip(*own, strict=True))
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def draw(page: Any, corners: list[tuple[float, float]]) -> None:
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*corner, steps=3)
    page.mouse.up()


@pytest.mark.slow
def test_a_lasso_selects_what_the_keys_then_act_on_and_undo_takes_it_back(
    browser: Any, root: Path
) -> None:
    embed(root)
    with StudioServer(root).start() as server:
        client = client_of(server)
        with tab(browser, server.url) as page:
            box = on_map(page)
            assert page.locator(".map-line").inner_text().startswith("20 images, by tiny")
            draw(page, around(client, box, "dog"))
            page.get_by_text("10 selected", exact=True).wait_for()
            page.get_by_text("Showing 10 of 20").wait_for()
            press(page, "x", "1")
            page.get_by_text("Reject 10 images as “wrong subject”?").wait_for()
            press(page, "Enter")
            wait_until(page, lambda: client.summary()["kept"] == 10)
            labels = {one["name"]: one["kept"] for one in client.summary()["labels"]}
            assert (labels["cat"], labels["dog"]) == (10, 0)
            press(page, "z")
            wait_until(page, lambda: client.summary()["kept"] == 20)


@pytest.mark.slow
def test_the_keyboard_has_a_ring_for_a_lasso_and_shift_adds(browser: Any, root: Path) -> None:
    embed(root)
    with StudioServer(root).start() as server, tab(browser, server.url) as page:
        on_map(page)
        page.locator(".map-over").focus()
        press(page, *["+"] * 14, "Enter")  # as wide as the map
        page.get_by_text("20 selected", exact=True).wait_for()
        press(page, "Escape")
        page.get_by_text("1 of 20", exact=False).wait_for()
        press(page, "Escape")  # the lasso, too
        page.locator(".count-line:not(.loud)").wait_for()
        page.locator(".map-over").focus()
        press(page, *["-"] * 30, "Home", "Enter")
        page.get_by_text("There is no image in that part of the map.").wait_for()
        press(page, "k")  # the keys of the grid are at hand here, too
        page.get_by_text("1 image kept").wait_for()


@pytest.mark.slow
def test_a_point_that_is_clicked_is_the_current_image_and_the_filter_narrows_the_map(
    browser: Any, root: Path
) -> None:
    embed(root)
    with StudioServer(root).start() as server:
        client = client_of(server)
        with tab(browser, server.url) as page:
            box = on_map(page)
            points = map_of(client)
            k = (min(box["width"], box["height"]) - 28) / 65_535
            x = box["x"] + (box["width"] - k * 65_535) / 2 + k * points["x"][7]
            y = box["y"] + (box["height"] - k * 65_535) / 2 + k * points["y"][7]
            page.mouse.move(x, y)
            page.locator(".peek figcaption").wait_for()
            page.mouse.click(x, y)
            shown = page.locator(".peek figcaption").inner_text()
            page.locator(".tile.current .caption").get_by_text(shown).wait_for()
            page.locator(".legend").get_by_role("button", name="dog").click()
            page.locator(".map-line").get_by_text("10 images, by tiny").wait_for()
            page.get_by_text("Showing 10 of 20").wait_for()


@pytest.mark.slow
def test_without_embeddings_the_map_says_what_to_run(browser: Any, root: Path) -> None:
    with StudioServer(root).start() as server, tab(browser, server.url) as page:
        press(page, "m")
        page.get_by_text(f"pixtrawl score {root} --model clip-b32 --as relevance").wait_for()
        page.get_by_label("Search by", exact=True).select_option("meaning")
        page.get_by_label("Search by what the pictures show").fill("a cat")
        press(page, "Enter")
        page.get_by_text("search by meaning needs embeddings; run: pixtrawl score").wait_for()
        press(page, "m")
        page.locator(".tile.current .picture[src]").wait_for()


@pytest.mark.slow
def test_words_typed_at_once_after_the_kind_of_search_was_chosen_stay(
    browser: Any, root: Path
) -> None:
    with StudioServer(root).start() as server, tab(browser, server.url) as page:
        page.locator(".tile.current .picture[src]").wait_for()
        typed = page.evaluate("""async () => {
          const field = document.querySelector("#search");
          const choice = document.querySelector("form[role=search] select");
          const typed = new Promise((done) => new MutationObserver((_, watch) => {
            watch.disconnect();
            field.value = "a cat"; // before the next frame is painted
            done();
          }).observe(field, { attributes: true, attributeFilter: ["aria-label"] }));
          choice.value = "meaning";
          choice.dispatchEvent(new Event("change", { bubbles: true }));
          await typed;
          for (let frame = 0; frame < 3; frame++) {
            await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 50)));
          }
          return field.value;
        }""")
        assert typed == "a cat"


@pytest.mark.slow
def test_words_order_the_grid_by_meaning_until_all_is_shown_again(
    browser: Any, tmp_path: Path
) -> None:
    from tests.scoring.conftest import BLUE, GREEN, RED, png, write_dataset
    from tests.scoring.tiny import write_model

    folder = write_dataset(tmp_path / "images", {"a": [png(RED), png(GREEN), png(BLUE)]})
    score(folder, load_any(str(write_model(tmp_path / "tiny"))), ScoreOptions())
    with StudioServer(folder.root).start() as server, tab(browser, server.url) as page:
        page.get_by_label("Search by", exact=True).select_option("meaning")
        page.get_by_label("Search by what the pictures show").fill("blue")
        press(page, "Enter")
        page.get_by_text("Nearest to “blue” first, by meaning").wait_for()
        page.locator(".tile.current .caption").get_by_text("3 · a").wait_for()
        page.reload()
        page.get_by_text("Nearest to “blue” first, by meaning").wait_for()
        page.get_by_role("button", name="Show all").click()
        page.locator(".tile.current .caption").get_by_text("1 · a").wait_for()
