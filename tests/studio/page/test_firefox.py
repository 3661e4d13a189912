"""Scrolling and keys of the studio's page in Firefox, whose elements may be half as high."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studio.bidi import Firefox, firefox
from tests.studio.fake_server import fake_studio
from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import LAID

pytestmark = [
    pytest.mark.slow,  # tests/studio/page/test_grid.py is the same in Chromium
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not LAID, reason="the page's scripts are not there: scripts/studio_web.py"),
]
MILLION = 1_000_000
CAPTION = "document.querySelector('.tile.current .caption')?.innerText ?? ''"
LAST_SEEN = (
    "Math.max(...[...document.querySelectorAll('.row:not([hidden]) .tile')]"
    ".filter(one => one.dataset.key).map(one => Number(one.dataset.index)))"
)


def opened(tab: Firefox, studio: FakeStudio) -> None:
    tab.goto(studio.url)
    tab.until("!!document.querySelector('.tile.current .picture[src]')")


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_the_last_of_a_million_images_is_reached_by_key_and_by_scroll_bar(
    tmp_path: Path, ratio: int
) -> None:
    with fake_studio(MILLION) as studio, firefox(tmp_path / "profile", ratio=ratio) as tab:
        opened(tab, studio)
        assert tab.evaluate("devicePixelRatio") == ratio
        height = tab.evaluate("document.querySelector('.grid').scrollHeight")
        assert height * ratio < 17_800_000, "Firefox draws nothing of a higher element"
        assert height > 100_000, "an element that is too high collapses"
        tab.press("End")
        assert tab.until(f"{CAPTION}.startsWith('{MILLION} ·')")
        tab.press("Home")
        assert tab.until(f"{CAPTION}.startsWith('1 ·')")
        tab.evaluate("document.querySelector('.grid').scrollTop = 1e9")
        assert tab.until(f"{LAST_SEEN} === {MILLION - 1}")
        tab.evaluate("document.querySelector('.grid').scrollTop = 0")
        tab.until("[...document.querySelectorAll('.tile')].some(one => one.dataset.index === '0')")
        assert tab.evaluate("document.querySelectorAll('*').length") < 900


def test_keys_move_decide_and_undo(tmp_path: Path) -> None:
    with fake_studio(5_000) as studio, firefox(tmp_path / "profile") as tab:
        opened(tab, studio)
        assert tab.evaluate("document.activeElement.className") == "tile current"
        tab.press("ArrowRight", "ArrowRight", "ArrowLeft")
        assert tab.until(f"{CAPTION}.startsWith('2 ·')")
        tab.press("k", "x", "2")
        tab.until("document.querySelectorAll('.tile .badge:not([hidden])').length === 2")
        assert studio.decided == {
            "s2": {"decision": "keep"},
            "s3": {
                "decision": "reject", "reason": "refused_by_person", "detail": "poor quality",
            },
        }  # fmt: skip
        tab.press("z")
        tab.until("document.querySelectorAll('.tile .badge:not([hidden])').length === 1")
        assert set(studio.decided) == {"s2"}
        tab.press("Shift+ArrowRight", "Shift+ArrowRight")
        tab.until("document.querySelectorAll('.tile.selected').length === 3")
        tab.press("Escape", "Space")
        tab.until("!!document.querySelector('.viewer img')")
        tab.press("Escape", "g")
        tab.until("!!document.querySelector('dialog input')")
        tab.press(*"4321", "Enter")
        assert tab.until(f"{CAPTION}.startsWith('4321 ·')")
