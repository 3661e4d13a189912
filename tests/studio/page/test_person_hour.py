"""A person's hour: a set of 500 with 15 % wrong pictures cleaned by keys at three a second.

The wrong pictures stand at fixed pseudo-random places, and the person sees each. Every key is counted.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.matrices import slow
from tests.studio.fake_server import fake_studio
from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import press, tab, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

KEYS_PER_S = 3
# images, of which so many are wrong, and the minutes of keys that cleaning them may take
SETS = [(24, 4, 0.5), slow(60, 9, 1.0), slow(500, 75, 5.0)]


HERE = "n => document.querySelector('.tile.current .caption')?.textContent.startsWith(n)"


class CountedKeys:
    """Presses keys, and counts them."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.pressed = 0

    def press(self, *keys: str) -> None:
        press(self.page, *keys)
        self.pressed += len(keys)

    @property
    def minutes(self) -> float:
        return self.pressed / KEYS_PER_S / 60


def reject_all(keys: CountedKeys, wrong: set[int], first: int, last: int) -> None:
    """Walk from `first` to `last` by the shortest keys, and reject the wrong ones.

    A rejection goes on to the next image by itself.
    """
    columns = int(keys.page.get_by_role("grid").get_attribute("aria-colcount"))
    here = first
    for number in sorted(one for one in wrong if first <= one <= last):
        down, right = divmod(number - here, columns)
        if right > columns // 2 and number - right + columns <= last:
            down, right = down + 1, right - columns
        keys.press(
            *["ArrowDown"] * down, *["ArrowRight" if right > 0 else "ArrowLeft"] * abs(right)
        )
        keys.page.wait_for_function(HERE, arg=f"{number} ·")  # the person sees it first
        keys.press("x", "1")
        here = min(number + 1, last)


@pytest.mark.slow  # measures keys; tests/studio/page/test_decisions.py presses them
@pytest.mark.parametrize(("images", "wrong_ones", "most_minutes"), SETS)
def test_a_set_with_fifteen_percent_wrong_is_cleaned_in_few_minutes_of_keys(
    browser: Any, images: int, wrong_ones: int, most_minutes: float
) -> None:
    with fake_studio(images) as studio:
        minutes = cleaned(browser, studio, images, wrong_ones)
    assert minutes < most_minutes


def cleaned(browser: Any, studio: FakeStudio, images: int, wrong_ones: int) -> float:
    """Clean the set and its refills, and return the minutes of keys."""
    chance = random.Random(15)
    wrong = set(chance.sample(range(1, images + 1), wrong_ones))
    with tab(browser, studio.url) as page:
        keys = CountedKeys(page)
        reject_all(keys, wrong, 1, images)
        wait_until(page, lambda: len(studio.decided) == wrong_ones)
        assert set(studio.decided) == {f"s{one}" for one in wrong}
        assert all("refill" not in one for one in studio.bodies if one.get("action") == "reject")
        # the places are filled: as many new images, as often wrong, until none is
        first, missing = images + 1, wrong_ones
        while missing:
            studio.added += missing
            studio.grow()
            page.get_by_role("button", name="Images were added").click()
            page.get_by_text(f"{images + studio.added} images").first.wait_for()
            keys.press("End")
            page.wait_for_function(HERE, arg=f"{images + studio.added} ·")
            keys.press("g")
            page.wait_for_selector("dialog input:focus")
            keys.press(*str(first), "Enter")
            page.wait_for_function(HERE, arg=f"{first} ·")
            last = first + missing - 1
            again = set(chance.sample(range(first, last + 1), round(0.15 * missing)))
            reject_all(keys, again, first, last)
            first, missing = last + 1, len(again)
            wrong |= again
            wait_until(page, lambda: len(studio.decided) == len(wrong))  # noqa: B023
    print(f"{keys.pressed} keys, {keys.minutes:.1f} minutes at {KEYS_PER_S} a second")
    return keys.minutes
