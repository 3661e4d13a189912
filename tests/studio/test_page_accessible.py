"""The studio's page read by axe, in both themes and three widths."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.matrices import matrix
from tests.studio.fake_server import fake_studio
from tests.studio.tab import press, tab

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
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


@pytest.mark.parametrize(
    ("width", "theme"),
    matrix(product([360, 1280, 2560], ["light", "dark"]), (360, "light"), (1280, "dark")),
)
def test_axe_finds_nothing_in_any_view(browser: Any, theme: str, width: int) -> None:
    size = {"width": width, "height": 800}
    with (
        fake_studio(5_000) as studio,
        tab(browser, studio.url, viewport=size, color_scheme=theme) as page,
    ):
        studio.run = {"holder": "studio", "paused": False, "since": ""}
        studio.progress = PROGRESS
        press(page, "k", "x", "1", "Shift+ArrowRight")
        page.wait_for_timeout(300)
        found = {"grid": findings(page)}
        press(page, "Space")
        found["open"] = findings(page)
        press(page, "Escape", "Escape", "x")
        found["reasons"] = findings(page)
        press(page, "Escape", "?")
        found["keys"] = findings(page)
        press(page, "Escape")
        for name, sign in (
            ("Map", ".map-over"),
            ("Not kept", ".tile.current"),
            ("Duplicates", ".copy"),
            ("Check", ".check .tiles"),
            ("Charts", ".bar"),
            ("Run", ".newest"),
        ):
            page.get_by_role("button", name=name, exact=False).first.click()
            page.wait_for_selector(sign)
            found[name] = findings(page)
        page.locator("button.name").click()
        page.wait_for_selector(".start")
        found["sets"] = findings(page)
        assert {name: wrong for name, wrong in found.items() if wrong} == {}
