"""What is particular to single web search engines: shapes, tokens, cookies, filters."""

from __future__ import annotations

import asyncio
import html
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.shared_data import shared_text
from tests.sources import synthetic_answers as pages
from tests.sources.web.engine_pages import BASE, NAMES, QUERY, asked, run, run_with, urls

from pixtrawl import sources
from pixtrawl.errors import UsageError
from pixtrawl.events import Notice
from pixtrawl.model import Filters, Kind, Query, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.contract import Ending, Replay, answer, ask
from pixtrawl.sources.web.baidu import decoded


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


def test_brave_gets_safe_search_and_country_as_cookies() -> None:
    http = Replay(answer(pages.brave([pages.PICTURE])))
    run_with("brave", http, Query("cat", "cat", 1, Filters(safe="strict", region="DE")))
    cookies = dict(one.split("=") for one in http.headers[0]["Cookie"].split("; "))
    assert (cookies["safesearch"], cookies["country"]) == ("strict", "de")


@pytest.mark.parametrize("name", NAMES)
def test_a_base_url_that_is_none_is_an_error_of_use(name: str) -> None:
    with pytest.raises(UsageError, match="base_url"):
        sources.load(name)({"base_url": "ftp://x"})
