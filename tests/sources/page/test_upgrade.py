"""From resized copies to originals, by address."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtrawl.sources.page.upgrade import has_image_name, stated_width, upgraded

WIKI = "https://upload.wikimedia.org/wikipedia/commons"


@pytest.mark.parametrize(
    ("small", "original"),
    [
        ("https://a.test/wp-content/uploads/2026/05/cat-300x225.jpg", "https://a.test/wp-content/uploads/2026/05/cat.jpg"),
        ("https://a.test/wp-content/uploads/cat-1920x1080.jpg?x=1", "https://a.test/wp-content/uploads/cat.jpg?x=1"),
        ("https://a.test/wp-content/uploads/cat-scaled.jpg", "https://a.test/wp-content/uploads/cat.jpg"),
        ("https://i0.wp.com/a.test/x/cat.jpg?resize=300%2C200&ssl=1", "https://i0.wp.com/a.test/x/cat.jpg"),
        ("https://a.test/_next/image?url=%2Fimg%2Fcat.jpg&w=640&q=75", "https://a.test/img/cat.jpg"),
        ("https://a.test/_next/image?url=https%3A%2F%2Fb.test%2Fcat.jpg%3Fv%3D2&w=64", "https://b.test/cat.jpg?v=2"),
        ("https://a.test/_next/image?url=%2Fwp-content%2Fuploads%2Fc-150x150.png&w=64", "https://a.test/wp-content/uploads/c.png"),
        ("https://a.test/cdn-cgi/image/width=80,quality=75/img/cat.jpg", "https://a.test/img/cat.jpg"),
        ("https://a.test/_ipx/w_300/img/cat.jpg", "https://a.test/img/cat.jpg"),
        ("https://res.cloudinary.com/demo/image/upload/w_300,h_200,c_fill/v12/animals/cat.jpg", "https://res.cloudinary.com/demo/image/upload/v12/animals/cat.jpg"),
        ("https://res.cloudinary.com/demo/image/fetch/w_300/https://b.test/cat.jpg", "https://b.test/cat.jpg"),
        ("https://substackcdn.com/image/fetch/w_1456,c_limit,f_auto/https%3A%2F%2Fb.test%2Fcat.jpg", "https://b.test/cat.jpg"),
        (f"{WIKI}/thumb/a/ab/Cat.jpg/330px-Cat.jpg", f"{WIKI}/a/ab/Cat.jpg"),
        ("https://a.test/photo.jpg?w=300&fit=crop&v=9", "https://a.test/photo.jpg?v=9"),
        ("https://a.test/resize/300x200/photos/cat.jpg", "https://a.test/photos/cat.jpg"),
        ("https://cdn.shopify.com/s/files/1/cat_300x300.jpg?v=1", "https://cdn.shopify.com/s/files/1/cat.jpg?v=1"),
        ("https://m.media-amazon.com/images/I/71abc._AC_SX300_.jpg", "https://m.media-amazon.com/images/I/71abc.jpg"),
        ("https://static.wixstatic.com/media/a~mv2.jpg/v1/fill/w_300,h_200/cat.jpg", "https://static.wixstatic.com/media/a~mv2.jpg"),
        ("https://lh3.googleusercontent.com/abc=w300-h200-no", "https://lh3.googleusercontent.com/abc=s0"),
        ("https://1.bp.blogspot.com/-a/b/s320/cat.jpg", "https://1.bp.blogspot.com/-a/b/s0/cat.jpg"),
        ("https://i.pinimg.com/236x/aa/bb/cat.jpg", "https://i.pinimg.com/originals/aa/bb/cat.jpg"),
        ("https://miro.medium.com/v2/resize:fit:700/1*abc.png", "https://miro.medium.com/1*abc.png"),
        ("https://pbs.twimg.com/media/Abc?format=jpg&name=small", "https://pbs.twimg.com/media/Abc?format=jpg&name=orig"),
    ],
)  # fmt: skip
def test_the_original_of_a_resized_copy_is_named(small: str, original: str) -> None:
    assert upgraded(small) == original
    assert upgraded(original) is None, "an original is left alone"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.test/cat.jpg",
        "https://a.test/wallpaper-1920x1080.jpg",  # rather a part of the name
        "https://imgix.test/cat.jpg?w=300&s=0123abc",  # signed: any change is refused
        "https://a.test/photo/465395/?modified_at=1&width=476",  # no file name: it may choose by it
        f"{WIKI}/thumb/a/ab/Map.svg/330px-Map.svg.png",  # its original is no raster picture
        "https://a.test/_next/image?w=640",
        "https://a.test/_next/image?url=javascript%3Aalert(1)",
        "data:image/png;base64,AAAA",
        "//a.test/x-300x200.jpg",
    ],
)
def test_other_addresses_are_left_alone(url: str) -> None:
    better = upgraded(url)
    assert better is None or better.startswith("https://a.test/")
    if "_next" not in url:
        assert better is None


def test_the_width_that_an_address_states_is_read() -> None:
    assert stated_width(f"{WIKI}/thumb/a/ab/Cat.jpg/330px-Cat.jpg") == 330
    assert stated_width("https://a.test/c-300x225.jpg") == 300
    assert stated_width("https://a.test/c.jpg?w=64&q=1") == 64
    assert stated_width("https://a.test/c.jpg") is None


@given(st.text(max_size=80) | st.from_regex(r"https?://[a-z.]{1,20}/[a-zA-Z0-9_/%?=&.:-]{0,80}"))
def test_any_text_gives_an_address_or_nothing(text: str) -> None:
    better = upgraded(text)
    assert better is None or better.startswith(("http://", "https://"))
    stated_width(text)
    has_image_name(text)
