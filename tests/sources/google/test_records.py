from __future__ import annotations

import html
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from tests.matrices import examples, sample
from tests.shared_data import shared_text
from tests.sources.google.gridless_pages import GRIDLESS
from tests.sources.google.site_forms import FORMS, Item, Page, record, scroll_chunk

from pixtrawl.sources.google.records import (
    GoogleRecord,
    deferred_thumbnails,
    is_thumbnail,
    is_web_url,
    link_record,
    records_in,
)
from pixtrawl.sources.js_strings import js_unescape

IN_SCRIPT = ["2020", "2024", "escaped", "2026", "deferred"]


def as_read(
    url: str | None,
    key: str,
    thumb: str | None,
    page: str | None,
    title: str | None,
    width: int | None,
    height: int | None,
) -> GoogleRecord:
    return GoogleRecord(
        url=url, id=key, thumb_url=thumb, page_url=page, title=title, width=width, height=height
    )  # fmt: skip


def expected(item: Item) -> GoogleRecord:
    return as_read(item.url, item.id, item.thumb, item.page, item.title, item.width, item.height)


@pytest.mark.parametrize("form", IN_SCRIPT)
def test_every_form_of_script_gives_all_records_complete_and_in_order(form: str) -> None:
    items = [Item(n, "tabby cat") for n in range(1, 31)]
    found = records_in(FORMS[form](Page(items)))
    if form == "deferred":  # this form says nothing of page and title
        assert [r.url for r in found] == [i.url for i in items]
    else:
        assert found == [expected(item) for item in items]


def test_height_stands_before_width() -> None:
    (found,) = records_in(
        '[0,"abc",["https://encrypted-tbn0.gstatic.com/images?q=tbn:x",1,2],["https://a.b/c",30,40]]'
    )
    assert (found.height, found.width) == (30, 40)


def test_hex_framed_answers_to_a_scroll_are_read_through_their_string() -> None:
    items = [Item(n, "cat") for n in range(1, 41)]
    assert records_in(scroll_chunk(Page(items), 20)) == [expected(i) for i in items[20:]]


def test_a_pair_whose_second_image_is_a_thumbnail_has_no_original() -> None:
    thumb = "https://encrypted-tbn0.gstatic.com/images?q=tbn:x"
    (found,) = records_in(f'[0,"abc",["{thumb}1",1,2],["{thumb}2",30,40]]')
    assert found.url is None
    assert found.thumb_url == f"{thumb}2"


def test_records_of_before_2020_are_read_by_their_keys() -> None:
    meta: dict[str, Any] = {"id": "x:", "ou": "http://a.b/c d".replace(" ", "%20"), "ow": 800, "oh": 600, "ru": "http://a.b/p",
            "pt": "A &amp; B", "s": "a {b} c", "tu": "https://encrypted-tbn0.gstatic.com/images?q=tbn:1"}  # fmt: skip
    (found,) = records_in(f"<div>{json.dumps(meta)}</div>")
    assert found == as_read("http://a.b/c%20d", "x:", meta["tu"], "http://a.b/p", "A & B", 800, 600)
    assert records_in(f"<div>{html.escape(json.dumps(meta))}</div>") == [found]


def test_lists_of_a_word_and_two_numbers_are_no_images() -> None:
    one = record(Item(3, "cat")).replace("[null,null,null,5,3]", '[["x",3,4],["y",5,6]]')
    (found,) = records_in(one)
    assert (found.page_url, found.title) == (Item(3, "cat").page, Item(3, "cat").title)


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"a\u003db\u0026c\/d\x3de", "a=b&c/d=e"),
        ("größe-猫.jpg", "größe-猫.jpg"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d x", "� x"),
        (r"\u{1f600}\"\'\\n", "😀\"'\\n"),
        (r"\u00zz\q", "u00zzq"),
    ],
)
def test_javascript_strings_are_unescaped_once(literal: str, text: str) -> None:
    assert js_unescape(literal) == text


@pytest.mark.parametrize("mark", ["&", "&amp;", ";"])
def test_imgres_links_are_read_with_any_separator(mark: str) -> None:
    parts = [
        "imgurl=http%3A%2F%2Fx.y%2Fa%2520b%3Fc%3Dd%26e",
        "imgrefurl=http%3A%2F%2Fx.y%2Fp",
        "tbnid=T_1M",
        "w=5",
        "h=7",
        "hcb=2",
    ]
    found = link_record("/imgres?" + mark.join(parts))
    assert found == as_read("http://x.y/a%20b?c=d&e", "T_1M", None, "http://x.y/p", None, 5, 7)


def test_bytes_that_are_no_utf8_stay_percent_encoded() -> None:
    found = link_record("/imgres?imgurl=http://x.y/%E9t%C3%A9.jpg&w=1&h=1")
    assert found is not None
    assert found.url == "http://x.y/%E9té.jpg"


@pytest.mark.parametrize(
    ("url", "thumb"),
    [
        ("https://encrypted-tbn0.gstatic.com/images?q=tbn:A", True),
        ("http://127.0.0.1:80/images?q=tbn:A", True),
        ("https://www.gstatic.com/x.png", True),
        ("data:image/png;base64,AA", True),
        ("https://notgstatic.example/gstatic.com/a.jpg", False),
        ("http://[bad/a.jpg", False),
    ],
)
def test_what_is_never_an_original(url: str, thumb: bool) -> None:
    assert is_thumbnail(url) is thumb


def test_maps_of_deferred_thumbnails_are_read_from_a_recorded_page() -> None:
    page = shared_text("recorded/google_web_inline_images/van-gogh-paintings.html")
    pairs = deferred_thumbnails(page)
    assert len(pairs) > 20
    assert all(key.startswith("dimg_") and is_web_url(url) for key, url in pairs.items())


def test_maps_of_deferred_thumbnails_are_read_whatever_surrounds_them() -> None:
    thumb = "https://encrypted-tbn0.gstatic.com/images?q\\u003dtbn:A"
    script = (
        f'(function(){{google.ldi={{"dimg_1":"{thumb}1\\u0026s","dimg_2" : "{thumb}2"}};'
        f'google.pim={{"dimg_3":"https://other.example/a.jpg","n":"{thumb}4"}};}})();'
    )
    clear = "https://encrypted-tbn0.gstatic.com/images?q=tbn:A"
    assert deferred_thumbnails(f"<script nonce='x'>{script}</script>") == {
        "dimg_1": f"{clear}1&s", "dimg_2": f"{clear}2", "n": f"{clear}4",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(GRIDLESS))
def test_pages_without_a_grid_give_no_records(name: str) -> None:
    assert records_in(GRIDLESS[name]) == []


@pytest.mark.parametrize(
    "name", ["search_captcha", "search_no_results", "search_results", "search_soft_block"]
)
def test_recorded_pages_without_images_give_no_records(name: str) -> None:
    assert records_in(shared_text(f"recorded/openserp/google/{name}.html")) == []


@given(st.text() | st.text(alphabet='[]",\\0{}:htps/ux2', max_size=300))
def test_any_text_gives_records_with_usable_urls_and_no_exception(text: str) -> None:
    for found in records_in(text):
        assert found.url is None or (is_web_url(found.url) and not is_thumbnail(found.url))
        json.dumps([found.title, found.page_url]).encode()
    js_unescape(text).encode("utf-8")
    deferred_thumbnails(text)
    link_record(text)


@settings(max_examples=examples(30))
@given(st.integers(0, 8_000))
def test_a_page_cut_anywhere_gives_the_records_before_the_cut(cut: int) -> None:
    items = [Item(n, "cat") for n in range(1, 11)]
    text = FORMS["2024"](Page(items, random.Random(cut)))
    whole = [expected(i) for i in items]
    found = records_in(text[: len(text) - cut])
    known = {r.url for r in whole}
    assert [r.url for r in found] == [r.url for r in whole][: len(found)]
    assert all(r.url in known for r in found)


@pytest.mark.parametrize(
    "text",
    sample(
        [
            '["' * 1_000_000,
            "[" * 3_000_000,
            '{"2003":' * 300_000,
            '["https://a.b/c",1,2],' * 60_000,
            '["https://a.b/c",1,2],["https://a.b/c",1,2],"2003":[' * 25_000,
            "\\" * 2_000_000,
            '\\"' * 1_000_000,
            "\\x22[\\x22http" * 200_000,
            '{"ou"' * 400_000,
            "/imgres?imgurl=" * 150_000,
            '"a":"https:' * 200_000,
            '"https://a.b' * 200_000,
            " " * 3_000_000,
            "[" + " " * 3_000_000,
        ],
        4,
    ),
    ids=range(14),
)
def test_megabytes_of_nonsense_take_no_more_than_seconds_of_linear_time(text: str) -> None:
    began = time.process_time()
    records_in(text)
    deferred_thumbnails(text)
    assert time.process_time() - began < 2.5  # 0.1 to 0.8 s on an idle machine


@pytest.mark.slow
def test_time_grows_with_the_size_and_not_faster() -> None:
    def seconds(count: int) -> float:
        text = ",".join(record(Item(n, "cat")) for n in range(count))
        best = 9.0
        for _ in range(3):
            began = time.process_time()
            assert len(records_in(text)) == count
            best = min(best, time.process_time() - began)
        return best

    assert seconds(1000) < 20 * seconds(100) + 0.05
