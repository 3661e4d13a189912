"""Starting a run in the studio's page, watching and steering it, in Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import press, tab, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def job(state: str, **more: Any) -> dict[str, Any]:
    return {"id": "j1", "set": "one", "state": state, "error": "", "blocked": [], **more}


def test_a_run_is_estimated_and_started_with_words_sources_and_filters(
    browser: Any, studio: FakeStudio
) -> None:
    with tab(browser, studio.url) as page:
        page.locator("button.name").click()
        page.get_by_text("not ready, missing: flickr.api_key").wait_for()
        assert page.get_by_label("Flickr").is_disabled()
        page.get_by_label("Words, one query a line").fill("red fox\nsnow owl")
        page.get_by_label("Openverse").check()
        page.get_by_label("Colour").select_option("red")
        page.get_by_label("Images per query").fill("12")
        page.get_by_role("button", name="Estimate").click()
        page.get_by_text("About 60 s to 3 min, 4.0 MB to 9.0 MB (from a small probe).").wait_for()
        page.get_by_role("button", name="Start").click()
        wait_until(page, lambda: studio.count("POST /api/jobs") == 1)
        asked = [one for one in studio.bodies if "queries" in one]
        assert asked[0] == {
            "queries": [{"text": "red fox"}, {"text": "snow owl"}], "sources": ["openverse"],
            "filters": {"color": "red"}, "number": 12, "path": "images",
        }  # fmt: skip
        assert asked[1] == {**asked[0], "set": "images"}


@pytest.mark.slow
def test_a_blocked_source_is_explained_with_what_was_kept_and_the_next_step(
    browser: Any, studio: FakeStudio
) -> None:
    studio.run = {"holder": "studio", "paused": False, "since": ""}
    studio.jobs = [
        job("running", blocked=[{
            "source": "bing", "why": "it asked for a captcha", "next_step": "wait an hour", "url": "",
            "evidence": "/api/sets/one/evidence/bing.html", "screenshot": "",
        }])
    ]  # fmt: skip
    with tab(browser, studio.url) as page:
        page.get_by_role("button", name="Run").click()
        page.get_by_role("heading", name="bing is blocked").wait_for()
        page.get_by_text("wait an hour").wait_for()
        link = page.get_by_role("link", name="Saved page")
        assert link.get_attribute("href") == "/api/sets/one/evidence/bing.html"


@pytest.mark.slow
def test_one_query_and_the_whole_run_are_steered(browser: Any, studio: FakeStudio) -> None:
    studio.run = {"holder": "studio", "paused": False, "since": ""}
    studio.jobs = [job("running")]
    studio.progress = {
        "job": "j1", "rate": 2.5, "eta_s": 90, "newest": ["s1"],
        "queries": [{
            "id": 2, "text": "lighthouse", "found": 30, "saved": 12,
            "by_source": {"openverse": {"found": 30, "saved": 12}},
        }],
    }  # fmt: skip
    with tab(browser, studio.url) as page:
        page.get_by_role("button", name="Run").click()
        page.get_by_role("row", name="openverse 30 12").wait_for()
        page.get_by_text("2.5 images/s").wait_for()
        page.get_by_role("button", name="Pause: lighthouse").click()
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_role("button", name="More: lighthouse").click()
        page.locator("dialog input").fill("50")
        press(page, "Enter")
        wait_until(page, lambda: studio.count("POST /api/jobs/j1/") == 3)
        sent = [one for one in studio.bodies if not one.keys() & {"kind", "action"}]
        assert sent == [{"query": 2}, {}, {"query": 2, "number": 50}]


@pytest.mark.slow
def test_a_run_whose_process_died_is_resumed_from_the_page(
    browser: Any, studio: FakeStudio
) -> None:
    studio.jobs = [job("resumable")]
    with tab(browser, studio.url) as page:
        page.get_by_role("button", name="Run").click()
        page.get_by_text("it can go on where it was").wait_for()
        page.get_by_role("button", name="Resume", exact=True).click()
        wait_until(page, lambda: studio.count("POST /api/jobs/j1/resume") == 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "says"),
    [(7, "Continue it at the shell"), (0, "every query has as many images as were wanted")],
)
def test_a_studio_without_jobs_says_how_the_run_goes_on(
    browser: Any, studio: FakeStudio, missing: int, says: str
) -> None:
    studio.missing = missing
    with tab(browser, studio.url) as page:
        page.get_by_role("button", name="Run").click()
        page.get_by_text(says).wait_for()
        assert page.get_by_role("button", name="Resume", exact=True).count() == 0
