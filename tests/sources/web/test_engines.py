"""Web search engines: what is read from a page, how it is asked, where a walk ends.

All pages but Ecosia's recorded ones are synthetic.
"""

from __future__ import annotations

import asyncio
import html
import json
import random
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.matrices import crossed, examples
from tests.shared_data import shared_text
from tests.sources import synthetic_answers as pages

from pixtrawl import sources
from pixtrawl.errors import UsageError
from pixtrawl.events import Notice
from pixtrawl.model import Filters, Kind, Query, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import contract
from pixtrawl.sources.contract import Ending, Replay, answer, ask
from pixtrawl.sources.web.baidu import decoded

BASE = "http://engine.test"
NAMES = ["baidu", "brave", "ecosia", "naver", "startpage", "yandex"]
QUERY = Query("tabby cat", "tabby cat", 100)
Server = Callable[[str], str]


def run(name: str, body: str | bytes | Server, query: Query = QUERY, **more: object) -> Ending:
    return run_with(name, Replay(_answers(body)), query, **more)


def run_with(name: str, http: object, query: Query = QUERY, **more: object) -> Ending:
    source = sources.load(name)({"base_url": BASE})
    return asyncio.run(ask(source, http, query, **more))  # type: ignore[arg-type]


def _answers(body: str | bytes | Server) -> Callable[[str], Response]:
    if not callable(body):
        return answer(body)
    return lambda url: answer(body(url.removeprefix(BASE)))(url)


def asked(http: Replay) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(url).query)) for url in http.asked]


def recorded(name: str) -> str:
    return shared_text(f"recorded/openserp/{name}")


def urls(first: int, count: int) -> list[str]:
    return [pages.number_of(at) for at in range(first, first + count)]


@pytest.mark.parametrize("name", NAMES)
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


def test_one_page_is_all_that_brave_has() -> None:
    http = Replay(answer(pages.brave(urls(0, 100))))
    ending = run_with("brave", http)
    assert (ending.outcome, len(ending.candidates), len(http.asked)) == (SourceOutcome.OK, 100, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_url_that_comes_twice_on_a_page_is_one_candidate(name: str) -> None:
    urls_twice = [pages.PICTURE, pages.PICTURE]
    if name == "baidu":
        twice = pages.baidu([pages.baidu_record(one) for one in urls_twice], 2)
    else:
        twice = getattr(pages, name)(urls_twice)
    front = pages.STARTPAGE_FRONT if name == "startpage" else twice
    ending = run(name, lambda t: front if t == "/" else twice, max_pages=1)
    assert [c.url for c in ending.candidates] == [pages.PICTURE]


# -- Yandex


@pytest.mark.parametrize("flat", [False, True])
def test_both_shapes_of_yandex_are_read(flat: bool) -> None:
    (one, two) = run("yandex", pages.yandex(urls(1, 2), flat=flat), max_pages=1).candidates
    assert (one.url, one.width, one.height) == (pages.number_of(1), 640, 480)
    assert (one.title, one.page_url, one.thumb_url) == ("A cat", pages.LANDING, pages.THUMB)
    assert (two.url, two.rank) == (pages.number_of(2), 2)
    assert one.page_text == (None if flat else "On a sofa.")


def test_the_largest_copy_is_first_and_smaller_ones_are_fall_backs() -> None:
    (one,) = run("yandex", pages.yandex(urls(1, 1)), max_pages=1).candidates
    assert [alternate.url for alternate in one.alternates] == [f"{pages.number_of(1)}?small"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ('{"type":"captcha","captcha":{"key":"x"}}', {}),
        ("<html></html>", {"x-yandex-captcha": "captcha"}),
    ],
)
def test_yandex_tells_a_captcha_by_header_and_by_json(body: str, headers: dict[str, str]) -> None:
    kind = {"content-type": "text/html", **headers}
    http = Replay(lambda url: Response(url=url, status=200, headers=kind, body=body.encode()))
    ending = run_with("yandex", http)
    assert ending.outcome is SourceOutcome.BLOCKED


def test_a_redirect_to_a_captcha_is_told_by_its_path() -> None:
    http = Replay(lambda url: answer("<p>wait</p>")("http://engine.test/showcaptcha?cc=1"))
    ending = run_with("yandex", http)
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == "captcha"


def test_the_family_filter_of_yandex_is_a_cookie() -> None:
    http = Replay(answer(pages.yandex(urls(0, 1))))
    run_with("yandex", http, Query("cat", "cat", 1, Filters(safe="off")), max_pages=1)
    assert http.headers[0]["Cookie"].endswith("sp.family%3A0")


# -- Baidu


@pytest.mark.parametrize(
    ("encoded", "clear"),
    [
        ("ippr_z2C$qAzdH3FAzdH3Fkwthj_z&e3Bkwt17_z&e3Bv54", "http://baike.baidu.com"),
        ("ipprf_z2C$qAzdH3FAzdH3Fwxyz_z&e3Bv54AzdH3F80d_z&e3B3r2", "https://axyz.com/172.jpg"),
        ("https://clear.test/a.jpg", "https://clear.test/a.jpg"),
        ("", ""),
    ],
)
def test_the_substitution_of_baidu_is_undone(encoded: str, clear: str) -> None:
    assert decoded(encoded) == clear


def test_baidu_is_asked_with_the_cookies_of_its_front_page_once_a_run() -> None:
    def serve(url: str) -> Response:
        response = answer(pages.baidu([pages.baidu_record(url)], 1))(url)
        if urlsplit(url).path != "/":
            return response
        kind = {"content-type": "text/html", "set-cookie": "BAIDUID=abc; Path=/\nother=1"}
        return Response(url=url, status=200, headers=kind, body=b"<html></html>")

    http = Replay(serve)
    source = sources.load("baidu")({"base_url": BASE})

    async def two_queries() -> list[Ending]:
        return [await ask(source, http), await ask(source, http, QUERY)]

    endings = asyncio.run(two_queries())
    assert [one.outcome for one in endings] == [SourceOutcome.OK] * 2
    assert [urlsplit(url).path for url in http.asked] == ["/", "/search/acjson", "/search/acjson"]
    assert [one.get("Cookie") for one in http.headers[1:]] == ["BAIDUID=abc; other=1"] * 2


def test_the_refusal_of_spiders_by_baidu_is_forbidden() -> None:
    ending = run("baidu", '{"antiFlag":1,"message":"Forbid spider access"}')
    assert ending.outcome is SourceOutcome.BLOCKED
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == "forbidden"
    assert "Forbid spider access" in str(ending.stop.detail["message"])


def test_the_encoded_address_is_the_original_and_baidu_s_copies_stand_behind_it() -> None:
    copy = "http://img4.imgtn.bdimg.com/it/u=1,2&fm=214&gp=0.jpg"
    record = {
        **pages.baidu_record(pages.PICTURE),
        "objURL": "ippr_z2C$qAzdH3FAzdH3Fkwthj_z&e3Bkwt17_z&e3Bv54",
        "fromURL": "ippr_z2C$qAzdH3FAzdH3Fkwthj_z&e3Bkwt17_z&e3Bv54",
        "replaceUrl": [{"ObjURL": copy, "FromURL": pages.LANDING}, {"ObjURL": pages.PICTURE}],
        "fromPageTitleEnc": "A cat",
    }
    (one,) = run("baidu", pages.baidu([record], 1), max_pages=1).candidates
    assert (one.kind, one.url) == (Kind.ORIGINAL, "http://baike.baidu.com")
    assert (one.page_url, one.title) == ("http://baike.baidu.com", "A cat")
    assert [(other.url, other.kind) for other in one.alternates] == [
        (pages.PICTURE, Kind.ORIGINAL), (copy, Kind.CACHED),
    ]  # fmt: skip


def test_where_baidu_names_its_own_copy_only_the_candidate_is_a_copy() -> None:
    copy = "http://img4.imgtn.bdimg.com/it/u=1,2&fm=214&gp=0.jpg"
    (one,) = run("baidu", pages.baidu([pages.baidu_record(copy)], 1), max_pages=1).candidates
    assert (one.kind, one.url, one.width, one.alternates) == (Kind.CACHED, copy, None, ())


def test_a_recorded_answer_of_baidu_has_thirty_originals_none_of_them_its_own_copy() -> None:
    text = shared_text("recorded/baidu/acjson_2018_page5.json")
    found = run("baidu", text, max_pages=1).candidates
    records = json.loads(text)["data"]
    assert len(found) == 30
    for one, record in zip(found, records, strict=False):
        assert one.url == decoded(record["objURL"])
        assert one.kind is Kind.ORIGINAL
        assert "bdimg.com" not in one.url
        assert one.page_url == decoded(record["fromURL"])
        assert one.title == " ".join(html.unescape(record["fromPageTitleEnc"]).split())
        assert (one.width, one.height) == (record["width"], record["height"])
        assert one.thumb_url == (record["hoverURL"] or record["middleURL"])


def test_a_record_with_a_small_copy_only_is_a_thumbnail() -> None:
    record = {"thumbURL": pages.THUMB, "width": 640, "height": 480}
    (one,) = run("baidu", pages.baidu([record], 1), max_pages=1).candidates
    assert (one.kind, one.url, one.width) == (Kind.THUMBNAIL, pages.THUMB, None)


# -- Startpage


def test_startpage_asks_for_its_token_first_and_takes_the_next_one_from_each_page() -> None:
    bodies: list[dict[str, list[str]]] = []

    class Http(Replay):
        async def post(self, url: str, *, body: bytes, headers: object = None) -> Response:
            fields = parse_qs(body.decode())
            bodies.append(fields)
            number = int(fields["page"][0])
            text = pages.startpage(urls(number, 1), number=number, more=number < 3)
            return answer(text)(url)

    http = Http(answer(pages.STARTPAGE_FRONT))
    ending = run_with("startpage", http)
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) == 3
    assert [one["sc"] for one in bodies] == [["token1"], ["token2"], ["token3"]]
    assert [one["page"] for one in bodies] == [["1"], ["2"], ["3"]]
    assert bodies[0]["query"] == ["tabby cat"]


# -- filters


@pytest.mark.parametrize(
    ("name", "filters", "parameters"),
    [
        ("ecosia", Filters(type="lineart", date="week"), {"imageType": "line", "freshness": "week"}),
        ("ecosia", Filters(color="transparent"), {"imageType": "transparent"}),
        ("yandex", Filters(size="large", aspect="tall", color="purple", type="animated"),
         {"isize": "large", "iorient": "vertical", "icolor": "violet", "itype": "gifan"}),
        ("yandex", Filters(site="example.org", region="213", date="week"),
         {"site": "example.org", "lr": "213", "recent": "7D"}),
        ("baidu", Filters(size="small", color="brown", type="face"),
         {"z": "1", "ic": "12", "face": "1"}),
        ("naver", Filters(date="month"), {"nso": "p:1m"}),
    ],
)  # fmt: skip
def test_filters_are_asked_in_the_words_of_the_engine(
    name: str, filters: Filters, parameters: dict[str, str]
) -> None:
    body = pages.Synthetic.text(pages.ANSWERS[name].ok, "/")
    http = Replay(answer(body))
    ending = run_with(name, http, Query("cat", "cat", 1, filters), max_pages=1)
    assert parameters.items() <= asked(http)[-1].items()
    assert not [one for one in ending.events if isinstance(one, Notice)]


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


def test_brave_gets_safe_search_and_country_as_cookies() -> None:
    http = Replay(answer(pages.brave([pages.PICTURE])))
    run_with("brave", http, Query("cat", "cat", 1, Filters(safe="strict", region="DE")))
    cookies = dict(one.split("=") for one in http.headers[0]["Cookie"].split("; "))
    assert (cookies["safesearch"], cookies["country"]) == ("strict", "de")


@pytest.mark.parametrize("name", NAMES)
def test_a_base_url_that_is_none_is_an_error_of_use(name: str) -> None:
    with pytest.raises(UsageError, match="base_url"):
        sources.load(name)({"base_url": "ftp://x"})


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
