"""The grid of the studio's page, in Chromium, with as many images as one wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.matrices import slow
from tests.studio.fake_server import fake_studio
from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import current, press, tab, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def many() -> Iterator[FakeStudio]:
    with fake_studio(100_000) as studio:
        yield studio


@pytest.mark.slow  # without this focus the keys of the tests below move nothing
def test_the_grid_has_the_focus_at_load_and_its_first_image_is_current(
    browser: Any, many: FakeStudio
) -> None:
    with tab(browser, many.url) as page:
        assert page.evaluate("document.activeElement.className") == "tile current"
        assert current(page) == "1 · tabby cat"
        grid = page.get_by_role("grid")
        columns = int(grid.get_attribute("aria-colcount"))
        assert int(grid.get_attribute("aria-rowcount")) == -(-100_000 // columns)
        assert page.locator(".tile[tabindex='0']").count() == 1
        assert page.locator(".count").inner_text() == "100,000 images"


@pytest.mark.slow  # the test of a million counts the tiles, too
def test_only_what_is_seen_is_in_the_page_however_far_one_scrolls(
    browser: Any, many: FakeStudio
) -> None:
    with tab(browser, many.url) as page:
        before = len(many.requests)
        for share in (0.1, 0.35, 0.6, 0.99):
            page.evaluate(
                "share => { const g = document.querySelector('.grid');"
                " g.scrollTop = share * g.scrollHeight; }",
                share,
            )
            page.wait_for_function(
                "n => { const t = [...document.querySelectorAll('.row:not([hidden]) .tile')];"
                " return t.some(x => Number(x.dataset.index) > n && x.dataset.key); }",
                arg=int(share * 90_000),
            )
        assert page.locator(".tile").count() <= 60
        assert page.locator("*").count() < 700
        # a jump asks for what is in sight, not for what lies between
        assert many.count("/views/v0?") <= 12
        assert len(many.requests) - before < 250


@pytest.mark.slow
def test_one_request_of_items_serves_a_hundred_images(browser: Any, many: FakeStudio) -> None:
    with tab(browser, many.url) as page:
        press(page, *["ArrowRight"] * 40)
        assert current(page) == "41 · tabby cat"
        assert many.count("/views/v0?") == 1
        assert many.count("POST /api/sets/one/views") == 1


@pytest.mark.parametrize("ratio", [1, slow(2), slow(3)])
def test_the_last_of_a_million_images_is_reached_by_key_and_by_scroll_bar(
    browser: Any, ratio: int
) -> None:
    with (
        fake_studio(1_000_000) as studio,
        tab(browser, studio.url, device_scale_factor=ratio) as page,
    ):
        height = page.evaluate("document.querySelector('.grid').scrollHeight")
        assert height * ratio <= 8_000_000 + ratio
        press(page, "End")
        page.wait_for_function(
            "() => document.querySelector('.tile.current .caption')?.textContent.startsWith('1000000')"
        )
        assert in_sight(page)
        assert page.locator(".tile").count() <= 60
        press(page, "Home")
        assert current(page) == "1 · tabby cat"
        assert in_sight(page)
        page.evaluate("document.querySelector('.grid').scrollTop = 1e9")
        page.wait_for_function(
            "() => [...document.querySelectorAll('.row:not([hidden]) .caption')]"
            ".some(one => one.textContent.startsWith('1000000'))"
        )


@pytest.mark.slow
def test_small_movements_pass_no_row_of_a_million(browser: Any) -> None:
    with fake_studio(1_000_000) as studio, tab(browser, studio.url) as page:
        page.mouse.move(600, 400)
        seen: set[int] = set()
        for _ in range(12):
            page.mouse.wheel(0, 300)
            page.wait_for_timeout(40)
            seen |= set(page.evaluate(VISIBLE_ROWS))
        assert len(seen) > 8
        assert min(seen) <= 1  # the first row is gone after the first movement
        assert seen == set(range(min(seen), max(seen) + 1))


VISIBLE_ROWS = """() => [...document.querySelectorAll('.row:not([hidden])')].filter(row => {
  const r = row.getBoundingClientRect(), g = document.querySelector('.grid').getBoundingClientRect();
  return r.bottom > g.top && r.top < g.bottom;
}).map(row => Number(row.getAttribute('aria-rowindex')) - 1)"""


def in_sight(page: Any) -> bool:
    found: bool = page.evaluate(
        """() => { const r = document.querySelector('.tile.current').getBoundingClientRect(),
          g = document.querySelector('.grid').getBoundingClientRect();
          return r.top >= g.top - 1 && r.bottom <= g.bottom + 1; }"""
    )
    return found


@pytest.mark.slow
def test_arrows_pages_and_ends_move_as_the_keys_say(browser: Any, many: FakeStudio) -> None:
    with tab(browser, many.url) as page:
        columns = int(page.get_by_role("grid").get_attribute("aria-colcount"))
        press(page, "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft")
        assert current(page).startswith(f"{columns + 2} ·")
        press(page, "ArrowUp", "ArrowUp")  # the first row has none above it
        assert current(page).startswith("2 ·")
        press(page, "PageDown")
        assert in_sight(page)
        assert (int(current(page).split()[0]) - 2) % columns == 0
        press(page, "End")
        page.wait_for_function(
            "() => document.querySelector('.tile.current .caption').textContent.startsWith('100000 ')"
        )
        press(page, "g")
        page.keyboard.type("77777")
        press(page, "Enter")
        page.wait_for_function(
            "() => document.querySelector('.tile.current .caption').textContent.startsWith('77777 ')"
        )
        assert in_sight(page)


@pytest.mark.slow
def test_a_number_typed_before_its_field_is_drawn_is_not_lost(
    browser: Any, many: FakeStudio
) -> None:
    """All keys in one task: no frame is drawn between them, as on a busy machine."""
    with tab(browser, many.url) as page:
        page.evaluate(
            """() => { for (const key of ["g", "4", "3", "2", "9", "Backspace", "1", "Enter"])
              document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})); }"""
        )
        page.wait_for_function(
            "() => document.querySelector('.tile.current .caption').textContent.startsWith('4321 ')"
        )
        page.evaluate(
            """() => { for (const key of ["g", "7", "7"])
              document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})); }"""
        )
        page.wait_for_selector("dialog input[name=answer]")
        page.wait_for_function(
            "() => document.querySelector('dialog input[name=answer]').value === '77'"
        )
        page.keyboard.type("7")
        press(page, "Enter")
        page.wait_for_function(
            "() => document.querySelector('.tile.current .caption').textContent.startsWith('777 ')"
        )


@pytest.mark.slow
def test_the_whole_picture_is_in_its_tile(browser: Any, many: FakeStudio) -> None:
    with tab(browser, many.url) as page:
        fit = "getComputedStyle(document.querySelector('.tile .picture')).objectFit"
        assert page.evaluate(fit) == "contain"
        boxes = page.evaluate(
            "[...document.querySelectorAll('.tile:not([hidden])')]"
            ".map(x => [x.offsetWidth, x.offsetHeight].join())"
        )
        assert len(set(boxes)) == 1


@pytest.mark.slow
def test_at_360_px_nothing_sticks_out(browser: Any, many: FakeStudio) -> None:
    with tab(browser, many.url, viewport={"width": 360, "height": 640}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        last = page.get_by_role("navigation").get_by_role("button").last.bounding_box()
        assert last["x"] + last["width"] <= 360
        assert int(page.get_by_role("grid").get_attribute("aria-colcount")) == 3


@pytest.mark.slow
def test_at_1280_px_the_actions_on_a_selection_stand_in_one_line(
    browser: Any, many: FakeStudio
) -> None:
    with tab(browser, many.url) as page:
        press(page, "Control+a")
        page.get_by_role("button", name="Deselect").wait_for()
        bar = page.locator(".actions")
        tops = bar.evaluate("b => [...b.querySelectorAll('button')].map(o => o.offsetTop)")
        assert len(tops) == 7
        assert len(set(tops)) == 1
        assert bar.evaluate("b => b.scrollWidth <= b.clientWidth")


@pytest.mark.slow
def test_a_view_of_a_part_says_so_and_is_asked_for_again_until_it_is_whole(browser: Any) -> None:
    with fake_studio(200) as studio, tab(browser, studio.url) as page:
        studio.parts = [0.25, 0.5]
        page.get_by_text("Colour", exact=True).click()
        page.get_by_role("button", name="orange", exact=True).click()
        page.get_by_text("so far: the colours of 25 % of the images are known").wait_for()
        wait_until(page, lambda: page.locator(".so-far").count() == 0 and not studio.parts)
        assert sum("views" in one and "POST" in one for one in studio.requests) >= 4


@pytest.mark.slow
def test_decisions_that_wait_for_the_end_of_a_run_are_said_on_its_page(browser: Any) -> None:
    with fake_studio(20) as studio:
        studio.waiting = 2
        studio.run = {"holder": "shell", "paused": False, "since": ""}
        with tab(browser, studio.url) as page:
            page.get_by_role("button", name="Run", exact=False).first.click()
            page.get_by_text("wait for the end of the run", exact=False).wait_for()


@pytest.mark.slow
def test_an_answer_that_takes_long_is_said_to_be_on_its_way(browser: Any, many: FakeStudio) -> None:
    with tab(browser, many.url) as page:
        assert page.locator(".so-far").count() == 0
        held: list[Any] = []
        page.route("**/api/sets/one/views", lambda route: held.append(route))  # noqa: PLW0108 - Playwright refuses a built-in
        page.get_by_label("lighthouse").first.check()
        page.get_by_text("Looking through the images").wait_for()
        assert page.locator(".tile.current").is_visible(), "what was there stays meanwhile"
        held.pop().continue_()
        page.locator(".so-far").wait_for(state="detached")
        assert page.locator(".count-line.loud").is_visible()
