"""Captions written with the studio's page, by keyboard, in Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import press, tab, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_one_caption_is_edited_from_what_it_was_and_shown_with_its_new_origin(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        page.locator(".detail").get_by_text("from: alt text").wait_for()
        press(page, "c")
        page.keyboard.type(" x k")  # typed at once: no letter of it is a command
        page.locator("dialog textarea:focus").wait_for()
        press(page, "Control+Enter")
        page.locator(".detail").get_by_text("A cat on a wall x k").wait_for()
        page.locator(".detail").get_by_text("from: hand").wait_for()
        sent = [one for one in studio.bodies if "action" in one]
        assert [(one["action"], one["text"]) for one in sent] == [
            ("caption", "A cat on a wall x k")
        ]
        press(page, "c")
        page.locator("dialog textarea:focus").wait_for()
        press(page, "Escape")
        page.locator("dialog").wait_for(state="detached")
        assert len([one for one in studio.bodies if "action" in one]) == 1


@pytest.mark.slow
def test_a_caption_that_could_not_be_read_is_not_overwritten(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        page.locator(".detail").get_by_text("from: alt text").wait_for()
        page.route("**/images/*", lambda route: route.abort())
        press(page, "c")
        page.get_by_text("The studio does not answer.").wait_for()
        page.locator("dialog").wait_for(state="detached")
        assert studio.count("/decisions") == 0


@pytest.mark.slow
def test_words_are_replaced_in_all_that_is_shown_after_the_number_was_named(
    browser: Any, studio: FakeStudio
) -> None:
    studio.captions["s3"] = {"text": "a cat by hand", "origin": "hand"}
    with tab(browser, studio.url) as page:
        press(page, "Control+a", "c")
        assert page.get_by_text("Find and replace").bounding_box()["width"] > 80
        page.get_by_label("Find and replace").check()
        page.get_by_label("Find", exact=True).fill("cat")
        page.get_by_label("Replace by").fill("dog")
        press(page, "Enter")
        page.get_by_role(
            "heading",
            name="Replace “cat” by “dog” in the captions of 39 images? "
            "1 written by hand stays as it is.",
        ).wait_for()
        assert studio.captions.keys() == {"s3"}
        press(page, "Enter")
        page.get_by_text("39 captioned").wait_for()
        assert studio.captions["s3"]["text"] == "a cat by hand"
        assert studio.captions["s1"] == {"text": "A dog on a wall", "origin": "hand"}


@pytest.mark.slow
def test_a_range_gets_one_text_and_those_by_hand_only_where_the_person_says_so(
    browser: Any, studio: FakeStudio
) -> None:
    studio.captions["s2"] = {"text": "mine", "origin": "hand"}
    with tab(browser, studio.url) as page:
        press(page, "Shift+ArrowRight", "Shift+ArrowRight", "c")
        page.get_by_label("Caption of each").fill("a thing")
        page.get_by_label("Those written by hand, too").check()
        press(page, "Control+Enter")
        page.get_by_role("heading", name="Caption 3 images “a thing”?").wait_for()
        press(page, "Enter")
        wait_until(page, lambda: studio.caption("s2")["text"] == "a thing")
        assert studio.caption("s4")["text"] == "A cat on a wall"


@pytest.mark.slow
def test_in_the_duplicates_the_keys_are_about_the_copy_in_hand(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        press(page, "d")
        page.get_by_role("heading", name="Group 1 of 45").wait_for()
        press(page, "]")
        page.wait_for_selector(".group.here[aria-label='Group 2 of 45'] .copy.current")
        press(page, "c")
        page.locator("dialog textarea:focus").wait_for()
        page.keyboard.type("!")
        press(page, "Control+Enter")
        wait_until(page, lambda: studio.count("/decisions") == 1)
        assert studio.bodies[-1]["on"] == {"ids": ["s2"]}
