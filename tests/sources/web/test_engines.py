"""Web search engines: what is read from a page, how it is asked, where a walk ends.

All pages but Ecosia's recorded ones are synthetic.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.matrices import crossed, examples, sample
from tests.shared_data import shared_text
from tests.sources import synthetic_answers as pages
from tests.sources.web.engine_pages import BASE, NAMES, _answers, asked, run, run_with, urls

from pixtrawl import sources
from pixtrawl.events import Notice
from pixtrawl.model import Filters, Kind, Query, SourceOutcome
from pixtrawl.sources import contract
from pixtrawl.sources.contract import Replay, answer


def recorded(name: str) -> str:
    return shared_text(f"recorded/openserp/{name}")


@pytest.mark.parametrize("name", sample(NAMES, 2))
def test_every_engine_keeps_the_contract(name: str) -> None:
    cls = sources.load(name)
    contract.check_class(cls)
    asyncio.run(contract.check_hostile_answers(lambda: cls({"base_url": BASE})))
    asyncio.run(contract.check_refusals(lambda: cls({"base_url": BASE})))


@pytest.mark.parametrize("name", NAMES)
def test_a_result_comes_with_all_that_the_page_tells(name: str) -> None:
    body = pages.ANSWERS[name].ok
    ending = run(name, lambda target: pages.Synthetic.text(body, target), max_pages=1)
    (one,) = ending.candidates
    assert (one.url, one.kind, one.rank) == (pages.PICTURE, Kind.ORIGINAL, 1)
    assert (one.width, one.height) == (640, 480)
    assert (one.page_url, one.thumb_url) == (pages.LANDING, pages.THUMB)
    assert one.title in {"A cat", "It's A cat"}
    assert (one.source, one.license) == (name, None)


# -- Ecosia, recorded


def test_the_recorded_page_of_ecosia_is_read_whole() -> None:
    ending = run("ecosia", recorded("ecosia/images_results.html"), max_pages=1)
    assert len(ending.candidates) == 24
    first = ending.candidates[0]
    assert first.url == "https://a-z-animals.com/media/2022/09/Shutterstock_1937363536.jpg"
    assert first.page_url == "https://ausmalbilderfurkinder.de/oak-park-travellemming-2025/"
    assert (first.width, first.height) == (2000, 1500)
    assert first.thumb_url is not None
    assert first.thumb_url.startswith("https://tse4.mm.bing.net/th/id/OIP.")
    assert all(c.title and c.page_url and c.width and c.height for c in ending.candidates)
    assert ending.pages[0].position == {"page": 1, "rank": 24}
    assert "Oak Tree Species" in ending.pages[0].related


@pytest.mark.parametrize(
    ("page", "outcome", "kind"),
    [
        ("ecosia/images_no_results.html", SourceOutcome.NO_RESULTS, None),
        ("ecosia/search_captcha.html", SourceOutcome.BLOCKED, "captcha"),
        ("ecosia/search_results.html", SourceOutcome.CHANGED, None),
        ("google/search_captcha.html", SourceOutcome.BLOCKED, "captcha"),
    ],
)
def test_recorded_pages_without_pictures_are_told_apart(
    page: str, outcome: SourceOutcome, kind: str | None
) -> None:
    ending = run("ecosia", recorded(page))
    assert ending.outcome is outcome
    assert ending.stop is not None
    assert ending.stop.detail.get("kind") == kind


@pytest.mark.parametrize("name", NAMES)
def test_the_recorded_captcha_of_yandex_is_a_captcha_to_every_engine(name: str) -> None:
    ending = run(name, recorded("yandex/search_captcha.html"))
    assert ending.outcome is SourceOutcome.BLOCKED
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == "captcha"


def test_recorded_web_pages_of_yandex_and_baidu_are_no_picture_results() -> None:
    nothing = run("yandex", recorded("yandex/search_no_results.html"))
    assert nothing.outcome is SourceOutcome.NO_RESULTS
    assert run("yandex", recorded("yandex/search_results.html")).outcome is SourceOutcome.CHANGED
    assert run("baidu", recorded("baidu/search_results.html")).outcome is SourceOutcome.CHANGED


@pytest.mark.parametrize("name", NAMES)
def test_a_captcha_is_told_from_an_empty_page_and_both_from_results_of_the_web(name: str) -> None:
    captcha = "<form action='/checkcaptcha'><h1>Confirm that you are not a robot</h1></form>"
    ending = run(name, pages.page(captcha))
    assert ending.outcome is SourceOutcome.BLOCKED
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == "captcha"
    texts = "".join(f"<h2><a href='https://page.example/{at}'>Cats</a></h2>" for at in range(9))
    assert run(name, pages.page(texts)).outcome is SourceOutcome.CHANGED
    nothing = pages.ANSWERS[name].nothing
    ending = run(name, lambda target: pages.Synthetic.text(nothing, target))
    assert ending.outcome is SourceOutcome.NO_RESULTS


def test_renamed_classes_or_a_cut_leave_the_results_of_a_page_as_they_are() -> None:
    page = pages.ecosia(urls(0, 30))
    renamed = re.sub(r"class='[^']*'", "class='q7'", page)
    assert originals(renamed) == originals(page) == urls(0, 30)
    dice = random.Random(2)
    for _ in range(12):
        cut = run("ecosia", page[: dice.randrange(len(page))], max_pages=1)
        assert [c.url for c in cut.candidates] == urls(0, len(cut.candidates))
        assert cut.outcome in {SourceOutcome.OK, SourceOutcome.CHANGED}


def originals(page: str) -> list[str]:
    return [c.url for c in run("ecosia", page, max_pages=1).candidates]


def test_renamed_classes_and_ids_change_nothing() -> None:
    page = recorded("ecosia/images_results.html")
    dice = random.Random(1)
    renamed = re.sub(
        r'\b(class|id|data-v-\w+)="[^"]*"', lambda m: f'{m[1]}="c{dice.randrange(10**9)}"', page
    )
    assert originals(renamed) == originals(page)


def test_without_its_elements_ecosia_is_read_from_its_scripts() -> None:
    page = recorded("ecosia/images_results.html")
    renamed = page.replace("data-test-id=", "data-other=").replace("vike_pageContext", "x")
    assert originals(renamed) == originals(page)


def test_a_page_cut_anywhere_gives_results_of_the_whole_or_a_typed_end() -> None:
    page = recorded("ecosia/images_results.html")
    whole = set(originals(page))
    dice = random.Random(2)
    for _ in range(12):
        cut = run("ecosia", page[: dice.randrange(len(page))], max_pages=1)
        assert {c.url for c in cut.candidates} <= whole
        assert cut.outcome in {SourceOutcome.OK, SourceOutcome.CHANGED}


def test_ecosia_ends_where_no_further_page_is_linked() -> None:
    def page(target: str) -> str:
        number = int(parse_qs(urlsplit(target).query).get("p", ["0"])[0])
        return pages.ecosia(urls(24 * number, 24), pages=3)

    http = Replay(_answers(page))
    ending = run_with("ecosia", http)
    assert ending.outcome is SourceOutcome.OK
    assert [one.get("p") for one in asked(http)] == [None, "1", "2"]
    assert [c.rank for c in ending.candidates] == list(range(1, 73))


# -- paging, the same for all


def test_a_walk_ends_when_a_page_repeats_the_last_one() -> None:
    http = Replay(answer(pages.naver(urls(0, 50))))
    ending = run_with("naver", http)
    assert (ending.outcome, len(ending.candidates)) == (SourceOutcome.OK, 50)
    assert [one["start"] for one in asked(http)] == ["1", "51"]


def test_no_results_behind_the_first_page_are_the_end() -> None:
    def page(target: str) -> str:
        first = "p=" not in target.replace("recent=", "")
        return pages.yandex(urls(0, 30)) if first else pages.page("Ничего не нашли")

    assert run("yandex", page).outcome is SourceOutcome.OK


@pytest.mark.parametrize("blank", ["", pages.page(""), "<div class='x'> </div>"])
def test_a_blank_page_is_the_end_behind_results_and_a_change_in_front(blank: str) -> None:
    def page(target: str) -> str:
        return pages.naver(urls(0, 50)) if "start=1" in target.split("&") else blank

    assert run("naver", page).outcome is SourceOutcome.OK
    assert run("naver", blank).outcome is SourceOutcome.CHANGED
    script = pages.page("<script>location = '/'</script>")
    assert run("naver", lambda t: script if "start=51" in t else page(t)).outcome == "changed"


def test_a_later_run_goes_on_at_the_position() -> None:
    http = Replay(answer(pages.naver(urls(0, 2))))
    ending = run_with("naver", http, position={"page": 3, "rank": 150})
    assert [c.rank for c in ending.candidates] == [151, 152]
    assert asked(http)[0]["start"] == "151"
    broken = Replay(answer(pages.naver(urls(0, 2))))
    run_with("naver", broken, position={"page": "x", "rank": None})
    assert asked(broken)[0]["start"] == "1"


@pytest.mark.parametrize("name", NAMES)
def test_a_filter_that_an_engine_does_not_have_is_reported(name: str) -> None:
    body = pages.ANSWERS[name].ok
    query = Query("cat", "cat", 1, Filters(size="1x1", lang="de"))
    ending = run(name, lambda target: pages.Synthetic.text(body, target), query, max_pages=1)
    said = [one.message for one in ending.events if isinstance(one, Notice)]
    assert len(said) == 2
    assert all(name in one for one in said)


def test_two_filters_that_want_one_parameter_are_reported() -> None:
    query = Query("cat", "cat", 1, Filters(type="photo", color="transparent"))
    ending = run("ecosia", pages.ecosia([pages.PICTURE]), query, max_pages=1)
    assert any("at once" in one.message for one in ending.events if isinstance(one, Notice))


# -- anything at all

NESTED = {
    "elements": "<div>" * 300_000,
    "lists": "<script>var imageSearchTabData={a:" + "[" * 2_000_000,
    "objects": "<script>x={data: [" + "{a:" * 1_000_000,
    "state": f"<div data-state='{'{' + chr(34) + 'entities' + chr(34) + ':' * 9}{'[' * 1_000_000}'>",
    "json": '{"data": ' + "[" * 2_000_000,
    "react": "<script>UIStartpage.AppSerpImages, {" + '"a":{' * 1_000_000,
    "long list": "<script>x={data: [a" + ",1" * 2_000_000,
}


@pytest.mark.parametrize(("name", "what"), crossed(NAMES, NESTED))
def test_megabytes_of_nesting_end_soon_in_a_typed_outcome(name: str, what: str) -> None:
    started = time.process_time()
    ending = run(name, lambda t: pages.STARTPAGE_FRONT if t == "/" else NESTED[what])
    assert time.process_time() - started < 1
    assert ending.outcome is SourceOutcome.CHANGED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_values_of_wrong_types_end_in_a_typed_outcome(name: str, data: st.DataObject) -> None:
    """One value somewhere in a good answer is replaced by any other."""
    whole = pages.Synthetic.text(pages.ANSWERS[name].ok, "/sp/search")
    tokens = list(re.finditer(r'"[^"<>]{0,60}"|&quot;.{0,40}?&quot;|\b\d+\b', whole))
    chosen = data.draw(st.sampled_from(tokens))
    other = json.dumps(data.draw(JSON))
    body = whole[: chosen.start()] + other + whole[chosen.end() :]
    ending = run(name, lambda t: pages.STARTPAGE_FRONT if t == "/" else body, max_pages=2)
    assert ending.outcome in set(SourceOutcome)
    json.dumps([c.title for c in ending.candidates]).encode()


@pytest.mark.parametrize("name", NAMES)
@given(noise=st.binary(max_size=300))
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_noise_is_never_results(name: str, noise: bytes) -> None:
    ending = run(name, noise)
    assert ending.outcome not in {SourceOutcome.OK, SourceOutcome.NO_RESULTS}
