"""The studio's page read by axe, in both themes and three widths."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.matrices import slow
from tests.studio.fake_server import fake_studio
from tests.studio.tab import press, tab

AXE = Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not AXE.is_file(), reason="axe is not there: `make types` fetches it"),
]
PROGRESS = {
    "job": "j", "rate": 2.5, "eta_s": 90, "newest": ["s1", "s2"],
    "queries": [{"id": 0, "found": 30, "saved": 12, "duplicates": 1, "refused": 4, "failed": 2}],
}  # fmt: skip


def findings(page: Any) -> list[str]:
    page.wait_for_timeout(250)  # colours have changed over
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run()")
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]


VIEWS = (
    ("Map", ".map-over"), ("Not kept", ".tile.current"), ("Duplicates", ".copy"),
    ("Check", ".check .tiles"), ("Charts", ".bar"), ("Run", ".newest"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("width", "theme", "views"),
    # in the suite each view once, each theme, and the two usual widths
    [
        (360, "light", VIEWS[:3]),
        (1280, "dark", VIEWS[3:]),
        *(slow(*one, VIEWS) for one in product([360, 1280, 2560], ["light", "dark"])),
    ],
)
def test_axe_finds_nothing_in_any_view(
    browser: Any, width: int, theme: str, views: tuple[tuple[str, str], ...]
) -> None:
    size = {"width": width, "height": 800}
    with (
        fake_studio(5_000) as studio,
        tab(browser, studio.url, viewport=size, color_scheme=theme) as page,
    ):
        studio.run = {"holder": "studio", "paused": False, "since": ""}
        studio.progress = PROGRESS
        found = {}
        if VIEWS[0] in views:
            press(page, "k", "x", "1", "Shift+ArrowRight")
            page.wait_for_timeout(300)
            found["grid"] = findings(page)
            press(page, "Space")
            found["open"] = findings(page)
            press(page, "Escape", "Escape", "x")
            found["reasons"] = findings(page)
            press(page, "Escape")
        if VIEWS[-1] in views:
            press(page, "?")
            found["keys"] = findings(page)
            press(page, "Escape")
        for name, sign in views:
            page.get_by_role("button", name=name, exact=False).first.click()
            page.wait_for_selector(sign)
            found[name] = findings(page)
        if VIEWS[-1] in views:
            page.locator("button.name").click()
            page.wait_for_selector(".start")
            found["sets"] = findings(page)
        assert {name: wrong for name, wrong in found.items() if wrong} == {}
