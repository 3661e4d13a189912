"""Bing: the recorded page is read whole, every other answer ends in a typed outcome."""

from __future__ import annotations

import asyncio
import html as html_text
import json
import random
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.matrices import examples
from tests.sources.web.bing_pages import bing, listing, run, tile

from pixtrawl.errors import UsageError
from pixtrawl.model import Kind, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import contract
from pixtrawl.sources.contract import Replay, answer
from pixtrawl.sources.html import Document
from pixtrawl.sources.web.bing import Bing
from pixtrawl.sources.web.bing_page import read_page

NO_RESULTS = "<html><body><div>There are no results for <b>qqq</b></div></body></html>"


def originals(page: str, query: str = "golang gopher") -> list[str | None]:
    return [one.url for one in read_page(Document(page), query).results]


def test_the_recorded_page_gives_every_distinct_result_with_what_is_known(recorded: str) -> None:
    ending = run(Replay(answer(recorded)), max_pages=1)
    candidates = ending.candidates
    assert len(candidates) == 42
    assert [c.rank for c in candidates] == list(range(1, 43))
    first = candidates[0]
    assert (
        first.url
        == "https://vectorseek.com/wp-content/uploads/2023/03/Golang-Gopher-Logo-Vector.jpg"
    )
    assert first.page_url == "https://vectorseek.com/vector_logo/golang-gopher-logo-vector/"
    assert (first.width, first.height, first.kind) == (1000, 1000, Kind.ORIGINAL)
    assert first.alternates[0].kind is Kind.CACHED
    assert first.alternates[0].url.startswith(
        "https://th.bing.com/th/id/R.2d0422d1eb74145b21be23e12f5f2af5?"
    )
    assert all(c.width and c.height for c in candidates)
    assert all(c.alternates and c.thumb_url and c.page_url for c in candidates[:35])
    assert not any(c.title for c in candidates[35:])  # tiles of related searches come last
    assert all(c.title and not re.search("[\ue000-\uf8ff]", c.title) for c in candidates[:35])
    position = ending.pages[0].position
    assert position is not None
    assert str(position["next"]).startswith("q=golang+gopher&first=36&count=35&")
    related = ending.pages[0].related
    assert {"Golang Gopher Meme", "Golang Mascot"} < set(related)
    assert "golang gopher" not in {text.casefold() for text in related}


def test_renamed_classes_ids_and_tags_change_nothing(recorded: str) -> None:
    whole = originals(recorded)
    dice = random.Random(1)
    names = {
        name: f"c{dice.randrange(10**9)}"
        for name in re.findall(r'(?:class|id)="([^"]*)"', recorded)
    }
    renamed = re.sub(r'(class|id)="([^"]*)"', lambda m: f'{m[1]}="{names[m[2]]}"', recorded)
    assert originals(renamed) == whole
    assert originals(re.sub(r"<(/?)a\b", r"<\1x-link", recorded)) == whole


def test_a_page_cut_anywhere_gives_what_came_before_the_cut(recorded: str) -> None:
    whole = originals(recorded)
    dice = random.Random(2)
    for _ in range(15):
        cut = originals(recorded[: dice.randrange(len(recorded))])
        assert set(cut) <= set(whole)


def test_no_results_needs_the_sentence() -> None:
    ending = run(Replay(answer(NO_RESULTS)))
    assert ending.outcome is SourceOutcome.NO_RESULTS
    empty = listing(range(0), "")
    ending = run(Replay(answer(empty)))
    assert ending.outcome is SourceOutcome.CHANGED
    assert list(ending.evidence.values()) == [empty.encode()]
    assert ending.stop is not None
    assert ending.stop.detail["evidence"] == ["bing-changed.html"]


@pytest.mark.parametrize(
    ("body", "outcome", "kind"),
    [
        ('<div class="captcha">x</div>', SourceOutcome.BLOCKED, "captcha"),
        ("<p>Please verify that you are not a robot</p>", SourceOutcome.BLOCKED, "captcha"),
        ("<p>Enter the characters you see below</p>", SourceOutcome.BLOCKED, "captcha"),
        ("<p>Please enable JavaScript to go on</p>", SourceOutcome.BLOCKED, "js_wall"),
        (
            '<div id="bnp_container"><button id="bnp_btn_accept">Accept</button></div>',
            SourceOutcome.CONSENT,
            None,
        ),
        (
            "<noscript><p>Click <a href='/enablejs'>here</a></p></noscript>",
            SourceOutcome.BLOCKED,
            "js_wall",
        ),
        (
            "<noscript><iframe src='/retry'></iframe></noscript>",
            SourceOutcome.BLOCKED,
            "soft_block",
        ),
        ("<p>Maintenance</p>", SourceOutcome.CHANGED, None),
        ("", SourceOutcome.CHANGED, None),
    ],
)
def test_a_page_without_results_is_told_by_its_signs(
    body: str, outcome: SourceOutcome, kind: str | None
) -> None:
    ending = run(Replay(answer(f"<html><title>captcha</title><body>{body}")))
    assert ending.outcome is outcome
    assert ending.stop is not None
    assert ending.stop.detail.get("kind") == kind
    assert ending.evidence


def test_words_of_a_block_inside_a_good_page_are_nothing() -> None:
    page = (
        listing(range(3), "") + "<p>verify that you are not a robot</p><div class='captcha'></div>"
    )
    assert run(Replay(answer(page))).outcome is SourceOutcome.OK


def test_a_consent_page_is_answered_once_with_reject_all() -> None:
    form = (
        '<form action="/consent/save" method="post"><input type="hidden" name="t" value="1">'
        '<button name="do" value="accept">Accept</button><button name="do" value="reject">Reject all</button></form>'
    )

    class Consenting(Replay):
        posted: bytes = b""

        async def post(self, url: str, *, body: bytes, headers: object = None) -> Response:
            self.posted = body
            return Response(url=url, status=200, headers={"set-cookie": "C=no; Path=/"}, body=b"ok")

    def page(url: str) -> Response:
        good = "C=no" in http.headers[-1].get("Cookie", "")
        return answer(listing(range(4), "") if good else form)(url)

    http = Consenting(page)
    ending = run(http)
    assert (ending.outcome, len(ending.candidates)) == (SourceOutcome.OK, 4)
    assert http.posted == b"t=1&do=reject"
    assert len(http.asked) == 2


@pytest.mark.parametrize(
    ("more", "kind"),
    [({"murl": 5}, Kind.CACHED), ({"murl": "javascript:x"}, Kind.CACHED), ({"murl": None}, Kind.CACHED),
     ({"turl": [], "purl": {}, "t": 7}, Kind.ORIGINAL)],
)  # fmt: skip
def test_values_of_wrong_types_are_passed_over(more: dict[str, object], kind: Kind) -> None:
    ending = run(
        Replay(
            answer(
                f"<ul data-nexturl=''>{tile(1, **more)}<a m='[]'></a><a m='{{\"murl\":'></a></ul>"
            )
        )
    )
    (found,) = ending.candidates
    assert found.kind is kind
    assert found.width == 640


def test_the_snippet_of_a_tile_is_a_text_for_captions() -> None:
    page = f"<ul data-nexturl=''>{tile(1, desc='Asleep on a  sofa')}{tile(2, desc=[7])}</ul>"
    found = run(Replay(answer(page))).candidates
    assert [one.page_text for one in found] == ["Asleep on a sofa", None]


def test_it_keeps_the_contract_of_sources() -> None:
    contract.check_class(Bing)
    asyncio.run(contract.check_hostile_answers(bing))
    asyncio.run(contract.check_refusals(bing))


def test_hostile_pages_take_less_than_a_second(recorded: str) -> None:
    deep = html_text.escape('{"murl":' + "[" * 40_000)
    pages = [
        "<div>" * 1_000_000, f'<a m="{deep}">' * 20, "<a m=''>" * 100_000, tile(1) * 2000,
        recorded.replace("&quot;", "&amp;quot;"), recorded.replace(":", "["), "<b><p>" * 100_000,
    ]  # fmt: skip
    for page in pages:
        started = time.process_time()
        ending = run(Replay(answer(page)), max_pages=1)
        assert time.process_time() - started < 2
        assert ending.candidates or ending.outcome is SourceOutcome.CHANGED


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["murl", "t", "x"]), v),
        max_leaves=6,
    ),
    st.text(max_size=30),
)
def test_any_data_in_a_tile_gives_a_typed_outcome(data: object, href: str) -> None:
    m = html_text.escape(json.dumps({"murl": data, "t": data}))
    ending = run(Replay(answer(f'<a m="{m}" href="{html_text.escape(href)}">x</a>')), max_pages=2)
    assert ending.candidates or ending.outcome is SourceOutcome.CHANGED


@pytest.mark.parametrize("given", [{"base_url": "ftp://x"}, {"base_url": "http://"}, {"delay_s": "soon"},
                                   {"enabled": "perhaps"}, {"base-url": "http://x"}])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"^bing\."):
        Bing(given)
