"""The class check in the studio's page, in Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import current, press, tab, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.mark.slow
def test_likely_wrong_labels_are_gone_through_by_keys_with_the_other_label_at_hand(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        page.get_by_role("button", name="Check", exact=True).click()
        page.get_by_role("heading", name="7 labels likely wrong").wait_for()
        page.get_by_role("button", name="Go through all 7").click()
        page.get_by_text("7 labels likely wrong, the surest first, by look").wait_for()
        page.locator(".tile.current .picture[src]").wait_for()
        assert current(page) == "1 · tabby cat → lighthouse?"
        press(page, "r")
        page.locator("dialog input:focus").wait_for()
        press(page, "Enter")  # the label that it looks like stands there
        wait_until(page, lambda: studio.count("/decisions") == 1)
        assert studio.bodies[-1]["label"] == "lighthouse"
        press(page, "ArrowRight", "x", "1")
        wait_until(page, lambda: studio.count("/decisions") == 2)
        assert studio.bodies[-1]["on"] == {"ids": ["s2"]}


@pytest.mark.slow
def test_a_check_under_way_shows_how_far_it_is_until_it_is_there(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        studio.checked = [0.25, 0.5]
        page.get_by_role("button", name="Check", exact=True).click()
        bar = page.get_by_role("progressbar")
        bar.wait_for()
        page.get_by_role("heading", name="7 labels likely wrong").wait_for()
        assert bar.count() == 0
        assert studio.checked == []


@pytest.mark.slow
def test_a_check_under_way_can_be_stopped_and_begun_again(browser: Any, studio: FakeStudio) -> None:
    with tab(browser, studio.url) as page:
        studio.checked = [0.25] * 1000
        page.get_by_role("button", name="Check", exact=True).click()
        page.get_by_role("button", name="Stop the check").click()
        page.get_by_text("The check was stopped.").wait_for()
        assert studio.count("/check/stop") == 1
        studio.checked = []
        page.get_by_role("button", name="Check again").click()
        page.get_by_role("heading", name="7 labels likely wrong").wait_for()


@pytest.mark.slow
def test_a_picture_of_the_check_says_what_it_looks_like_and_leads_to_itself(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        page.get_by_role("button", name="Check", exact=True).click()
        tile = page.locator(".tiles button").filter(has_text="→ lighthouse?")
        tile.wait_for()
        assert tile.locator(".caption").all_inner_texts() == ["1 · tabby cat", "→ lighthouse?"]
        page.locator(".finding .tiles button").nth(2).click()
        page.locator(".tile.current .picture[src]").wait_for()
        wait_until(page, lambda: current(page).startswith("3 "))


@pytest.mark.slow
def test_each_finding_leads_to_its_images(browser: Any, studio: FakeStudio) -> None:
    with tab(browser, studio.url) as page:

        def follow(name: str) -> dict[str, Any]:
            page.get_by_role("button", name="Check", exact=True).click()
            before = studio.count("/views")
            page.get_by_role("button", name=name, exact=True).click()
            page.locator(".tile.current .picture[src]").wait_for()
            wait_until(page, lambda: studio.count("/views") > before)
            return next(one for one in reversed(studio.bodies) if "kind" in one)

        assert follow("Show both labels")["filter"] == {"labels": ["tabby cat", "golden retriever"]}
        assert follow("Show them")["filter"] == {
            "labels": ["tabby cat"], "hosts": ["photos.example"],
        }  # fmt: skip
        assert follow("steam train")["filter"] == {"labels": ["steam train"]}
        assert follow("Show all, the least alike first")["sort"]["by"] == "outlier"


@pytest.mark.slow
def test_only_groups_whose_labels_differ_and_images_by_reason_of_refusal(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        page.get_by_text("Reason", exact=True).click()
        page.get_by_label("poor quality").check()
        wait_until(page, lambda: studio.bodies[-1]["filter"] == {"reasons": ["poor quality"]})
        press(page, "d")
        page.get_by_role("heading", name="Group 1 of 45").wait_for()
        page.get_by_label("Only like images under different labels").check()
        page.get_by_role("heading", name="Group 1 of 2").wait_for()
        assert studio.bodies[-1]["kind"] == "conflicts"
