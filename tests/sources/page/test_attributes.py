"""Attributes of pictures: which hold an address, what a script makes of them, what is only a name."""

from __future__ import annotations

import html
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.matrices import crossed, examples

from pixtrawl.model import Kind
from pixtrawl.sources.page.found import FoundPicture
from pixtrawl.sources.page.links import read_page

URL = "https://a.test/dir/page.html"
BLANK = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
SRC = "/files/5/shown.jpg"

NAMES = [
    "alt", "aria-label", "class", "data-alt", "data-attachment-name", "data-basename", "data-caption",
    "data-caption-text", "data-credit", "data-description", "data-download", "data-file", "data-file-name",
    "data-filename", "data-id", "data-image-caption", "data-image-title", "data-item", "data-key", "data-label",
    "data-linked-resource-default-alias", "data-media-id", "data-name", "data-original-filename",
    "data-original-name", "data-original-title", "data-raw-name", "data-slug", "data-sort", "data-tags",
    "data-title", "data-tooltip", "data-value", "download", "id", "itemid", "longdesc", "name", "title", "usemap",
    "x-file", "data-full-name", "data-large-title", "data-big", "data-anything",
]  # fmt: skip
LAZY = [
    "data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-actualsrc", "lazy-src",
    "data-image", "data-url", "data-full", "data-zoom-image", "data-large_image", "data-flickity-lazyload",
]  # fmt: skip


def pictures(body: str, head: str = "") -> list[FoundPicture]:
    page = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return read_page(page, URL).pictures


def best(body: str) -> list[str]:
    return [one.ways[0][0].removeprefix("https://a.test") for one in pictures(body)]


def attribute(value: object) -> str:
    return html.escape(value if isinstance(value, str) else json.dumps(value), quote=True)


@pytest.mark.parametrize(
    ("name", "value"),
    crossed(NAMES, ["IMG_0001.jpg", "DSC 2.JPG", "holiday.png", "see photo.jpg"]),
)
def test_a_bare_name_is_no_address_and_what_is_shown_comes_first(name: str, value: str) -> None:
    for body in (
        f"<img src='{SRC}' {name}='{value}'>",
        f"<div {name}='{value}'><img src='{SRC}'></div>",
    ):
        (picture,) = pictures(body)
        assert picture.ways == [(f"https://a.test{SRC}", Kind.ORIGINAL)]


@pytest.mark.parametrize("name", LAZY)
def test_lazy_loaders_are_believed_and_the_picture_shown_stays_as_the_fall_back(name: str) -> None:
    (bare,) = pictures(f"<img src='{SRC}' {name}='big.jpg'>")
    assert bare.ways == [
        ("https://a.test/dir/big.jpg", Kind.ORIGINAL), (f"https://a.test{SRC}", Kind.ORIGINAL),
    ]  # fmt: skip
    assert best(f"<img src='{BLANK}' {name}='/real/big.jpg'>") == ["/real/big.jpg"]


@pytest.mark.parametrize("name", [*LAZY, "data-anything", "srcset", "data-srcset", "data-thumb"])
def test_an_address_that_is_strong_and_weak_at_once_counts_once(name: str) -> None:
    image = f"<img src='{SRC}' {name}='{SRC}'>"
    (picture,) = pictures(image * 3)
    assert picture.ways[0] == (f"https://a.test{SRC}", Kind.ORIGINAL)


def test_a_guess_never_goes_before_what_the_browser_shows() -> None:
    (picture,) = pictures(f"<img src='{SRC}' data-related='/other/x.jpg' data-path='y/z.jpg'>")
    assert picture.ways[0] == (f"https://a.test{SRC}", Kind.ORIGINAL)
    assert len(picture.ways) == 3


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("data-src='/p/shoe_{width}x.jpg' data-widths='[180,360,1080]'", "/p/shoe_1080x.jpg"),
        ("data-src='/p/shoe_{width}x{height}.jpg' data-widths='[600]' data-aspectratio='1.5'", "/p/shoe_600x400.jpg"),
        ("data-src='/p/shoe_{w}.jpg'", "/p/shoe_2048.jpg"),
        ("data-src='/p/{size}/shoe.jpg' data-sizes='[100, 900]'", "/p/900/shoe.jpg"),
        ("data-src='/p/shoe_{{ width }}x.{{format}}' data-max-width=700", "/p/shoe_700x.jpg"),
        ("data-src='/p/shoe_%7Bwidth%7Dx.jpg'", "/p/shoe_2048x.jpg"),
        ("data-srcset='/p/shoe_{width}x.jpg 1x' src='/p/grey.gif'", "/p/shoe_2048x.jpg"),
        ("src='/p/shoe_{width}x.jpg' data-widths='[300, 400]'", "/p/shoe_400x.jpg"),
        ("src='/s.jpg' data-src='/p/{unknown}/x.jpg'", "/s.jpg"),
        (f"data-a-dynamic-image='{attribute({'/m.jpg': [600, 400], '/l.jpg': [1500, 1000]})}' src='/s.jpg'", "/l.jpg"),
        (f"data-srcset='{attribute({'600w': '/m.jpg', '1200w': '/l.jpg'})}' src='{BLANK}'", "/l.jpg"),
        (f"data-srcset='{attribute([{'src': '/m.jpg', 'w': 600}, {'src': '/l.jpg', 'w': 1200}])}' src='/s.jpg'", "/l.jpg"),
        (f"data-sources='{attribute({'small': '/s.jpg', 'large': '/l.jpg', 'medium': '/m.jpg'})}' src='{BLANK}'", "/l.jpg"),
        ("data-interchange='[/s.jpg, small], [/l.jpg, large]' src='/x.gif'", "/l.jpg"),
        ("data-interchange='[/s.jpg, (default)], [/m.jpg, (only screen and (min-width: 9px))]'", "/m.jpg"),
        ("src='/t/thumb.jpg' onclick=\"show('/i/big.jpg')\"", "/i/big.jpg"),
    ],
)  # fmt: skip
def test_a_template_or_json_is_read_as_the_script_of_the_page_reads_it(
    attributes: str, expected: str
) -> None:
    assert best(f"<img {attributes}>")[0] == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("data-images", [{"src": "/1.jpg", "w": 9}, {"src": "/2.jpg", "w": 9}], ["/1.jpg", "/2.jpg"]),
        ("data-images", ["/1.jpg", "/2.jpg"], ["/1.jpg", "/2.jpg"]),
        ("data-react-props", {"photos": [{"url": "https://b.test/1.jpg", "id": 3}]}, ["https://b.test/1.jpg"]),
        ("data-props", {"a": {"b": [{"image": {"thumb": "/t1.jpg", "full": "/1.jpg"}}]}}, ["/1.jpg"]),
        ("data-props", {"hero": "/h.jpg", "side": "/s.jpg", "name": "IMG.jpg"}, ["/h.jpg", "/s.jpg"]),
        ("data-page", {"props": {"items": [{"srcset": "/1.jpg 300w, /1l.jpg 900w"}]}}, ["/1l.jpg"]),
        ("props", {"images": [1, [[0, {"src": [0, "/1.jpg"], "alt": [0, "x"]}], [0, {"src": [0, "/2.jpg"]}]]]}, ["/1.jpg", "/2.jpg"]),
        ("data-gallery", {"items": "[{\"src\": \"/1.jpg\"}]"}, ["/1.jpg"]),
        ("data-media", "{src: '/1.jpg', caption: 'x.jpg'}", ["/1.jpg"]),
        ("data-media", {"title": "IMG_1.jpg", "fileName": "b.jpg", "key": "5/l.jpg"}, []),
    ],
)  # fmt: skip
def test_json_of_a_component_gives_each_of_its_pictures(
    name: str, value: object, expected: list[str]
) -> None:
    assert best(f"<div {name}='{attribute(value)}'></div>") == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("data-fancybox href='#' data-src='/fancy.jpg'", "/fancy.jpg"),
        ("href='/page' data-pswp-src='/pswp.jpg'", "/pswp.jpg"),
        ("href='javascript:void(0)' data-zoom-image='/zoom.jpg'", "/zoom.jpg"),
        ("href='/view.php?img=/q.jpg'", "/q.jpg"),
        ("href='/photo/5/full' download='cat.jpg'", "/photo/5/full"),
    ],
)  # fmt: skip
def test_a_link_that_names_the_large_picture_is_one_picture_with_the_small_one(
    link: str, expected: str
) -> None:
    (picture,) = pictures(f"<a {link}><img src='/i/t/small.jpg'></a>")
    assert [url[14:] for url, _ in picture.ways] == [expected, "/i/t/small.jpg"]


@pytest.mark.parametrize("size", ["0", "", "auto", "100%", "-5", "999999999", "0px", "NaN", "1e9"])
@pytest.mark.parametrize("side", ["width", "height"])
def test_a_size_that_tells_nothing_is_not_told(side: str, size: str) -> None:
    other = {"width": "height", "height": "width"}[side]
    (picture,) = pictures(f"<img src='{SRC}' {side}='{size}' {other}='570'>")
    assert (getattr(picture.facts, side), getattr(picture.facts, other)) == (None, 570)


def test_tracking_pixels_alone_are_dropped() -> None:
    gone = ["width=1 height=1", "width=1px height=1px", "width=0 height=0", "width=1 style='display: none'",
            "height=0 hidden", "width=2 height=1"]  # fmt: skip
    assert best("".join(f"<img src='/{n}.gif' {one}>" for n, one in enumerate(gone))) == []
    kept = ["width=1", "height=1", "height=0 width=570", "style='display:none'", "hidden"]
    assert len(best("".join(f"<img src='/{n}.jpg' {one}>" for n, one in enumerate(kept)))) == 5


def test_pictures_are_ranked_as_a_reader_would() -> None:
    body = (
        "<header><img src='/logo.png'></header><nav><img src='/menu.jpg'></nav>"
        "<aside><img src='/side.jpg'></aside><img src='/i.jpg' width=40 height=40>"
        "<p><img src='/1.jpg'><img src='/2.jpg'></p><div class='sidebar'><img src='/w.jpg'></div>"
    )
    chrome = ["/logo.png", "/menu.jpg", "/side.jpg", "/w.jpg"]
    assert best(body) == ["/1.jpg", "/2.jpg", "/i.jpg", *chrome]
    heads = [
        "<meta property='og:image' content='/lead.jpg'>",
        "<meta name='twitter:image' content='/lead.jpg'>",
        "<link rel='image_src' href='/lead.jpg'>",
        '<script type=\'application/ld+json\'>{"@type": "Article", "image": ["/lead.jpg"]}</script>',
        '<script type="application/ld+json">{"primaryImageOfPage": {"@type": "ImageObject", "url": "/lead.jpg"}}</script>',
    ]
    for head in heads:
        first = [one.ways[0][0][14:] for one in pictures(body, head)]
        assert first == ["/lead.jpg", "/1.jpg", "/2.jpg", "/i.jpg", *chrome], head
    assert best(body + "<img class='hero-image' src='/hero.jpg'>")[0] == "/hero.jpg"
    large = (
        "<img src='/s.jpg' width=150 height=100>" * 2 + "<img src='/l.jpg' width=900 height=600>"
    )
    assert best(large) == ["/l.jpg", "/s.jpg"]
    logo = pictures(body, "<meta property='og:image' content='/site-logo.png'>")
    assert logo[0].ways[0][0].endswith("/1.jpg")


_VALUES = st.sampled_from(
    ["", "a.jpg", "/a.jpg", "/b.jpg", "https://b.test/c.png", "//d.test/e.webp 2x, /f.jpg 1x", "{", "[", "[[[",
     '{"a": "/g.jpg"}', '[1, [2, "/h.jpg"]]', "/{width}.jpg", "{width}", "%7Bw%7D.jpg", "[/i.jpg, x]", "0", "-1",
     "100%", BLANK, "data:", "#", "javascript:x", "http://[", "\ud800", "🐈.jpg", "url(/j.jpg)", "/k.gif"]
) | st.text(max_size=12)  # fmt: skip
_NAMES = st.sampled_from([*NAMES, *LAZY, "src", "srcset", "href", "width", "height", "style", "sizes", "onclick", "data-widths",
                          "data-aspectratio", "poster", "data-thumb", "data-bg", "srcdoc", "hidden"])  # fmt: skip
_TAGS = st.sampled_from(
    ["img", "a", "div", "source", "picture", "iframe", "video", "link", "meta", "amp-img", "figure"]
)
_ELEMENT = st.tuples(_TAGS, st.lists(st.tuples(_NAMES, _VALUES), max_size=6))


def written(tag: str, attributes: list[tuple[str, str]]) -> str:
    inside = " ".join(f'{name}="{html.escape(value, quote=True)}"' for name, value in attributes)
    return f"<{tag} {inside}>"


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_ELEMENT, max_size=12))
def test_any_attributes_are_read_without_an_error(
    elements: list[tuple[str, list[tuple[str, str]]]],
) -> None:
    body = "".join(written(tag, attributes) for tag, attributes in elements)
    for picture in pictures(body + body):
        assert picture.ways
        assert len({url for url, _ in picture.ways}) == len(picture.ways)


@pytest.mark.parametrize(
    "value",
    ["[" * 500_000, '{"a":' * 200_000, "[/a.jpg, x]," * 80_000, "{width}" * 100_000, "[a" * 400_000,
     '["/a.jpg",' * 100_000, '{"src":"' + "a/" * 400_000 + '.jpg"}', "&quot;" * 100_000],
    ids=range(8),
)  # fmt: skip
def test_a_megabyte_in_an_attribute_ends_soon(value: str) -> None:
    began = time.process_time()
    pictures(f"<img data-x='{value}' src='/a.jpg'><div data-props='{value}'></div>")
    assert time.process_time() - began < 4
