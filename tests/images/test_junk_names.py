"""What a URL or an alt text names a picture as lowers the bar for its look; alone it decides nothing."""

from __future__ import annotations

from random import Random

import pytest
from bench import junk_drawn, junk_lookalikes
from msgspec.structs import replace
from PIL import Image, ImageDraw
from tests.images.test_junk import info, scenery

from pixtrawl.config.groups import Images
from pixtrawl.images.junk.names import is_stock_preview, named_as
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, ImageInfo, Reason


def found(url: str = "http://h.example/17.png", **more: str) -> Candidate:
    return replace(Candidate(url=url, query="cat", label="cat", source="bing"), **more)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("logo.png", Reason.ICON), ("acme-logo.svg.png", Reason.ICON),
        ("acme_logo_white@2x.png", Reason.ICON), ("Logo%20of%20Acme.jpg", Reason.ICON),
        ("sprites.png", Reason.ICON), ("logos/acme.png", Reason.ICON),
        ("captcha.php?id=3", Reason.HUMAN_CHECK), ("kaptcha.jpg", None),
        ("securimage_show.php", Reason.HUMAN_CHECK), ("verify-code.jpg", Reason.HUMAN_CHECK),
        ("no-image.png", Reason.PLACEHOLDER), ("noimage_300x300.jpg", Reason.PLACEHOLDER),
        ("image-not-found.gif", Reason.PLACEHOLDER), ("Image_not_available.png", Reason.PLACEHOLDER),
        ("photo_coming_soon.jpg", Reason.PLACEHOLDER), ("removed.png", Reason.PLACEHOLDER),
        ("cat.jpg", None), ("404.jpg", None), ("logoped.jpg", None), ("catalogo.jpg", None),
        ("logo-shirt.jpg", None), ("shirt-with-logo.jpg", None), ("biological.jpg", None),
        ("no-image-of-god.jpg", None), ("removed-wall.jpg", None), ("logos-and-myths-book.jpg", None),
    ],
)  # fmt: skip
def test_a_file_s_name_says_a_kind_of_junk(name: str, kind: Reason | None) -> None:
    url = f"http://h.example/img/{name}"
    assert named_as(found(url), url) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Acme logo", Reason.ICON), ("Logo", Reason.ICON), ("Logo of Acme", Reason.ICON),
        ("Image not available", Reason.PLACEHOLDER), ("No image", Reason.PLACEHOLDER),
        ("CAPTCHA", Reason.HUMAN_CHECK),
        ("Shirt with logo", None), ("A cat on a wall", None), ("How captchas work", None),
        ("The new logo of the town was shown at a feast on the market square, with a logo", None),
    ],
)  # fmt: skip
def test_a_short_alt_text_says_it_too(text: str, kind: Reason | None) -> None:
    assert named_as(found(alt=text), found().url) is kind
    assert named_as(found(title=text), found().url) is kind


def judged(image: ImageInfo, candidate: Candidate) -> Reason:
    return Rules(Images()).judge(candidate, candidate.url, candidate.kind, image)[0]


def pie_in_a_square() -> Image.Image:
    """A mark of three flat colours: without a name it may be a chart or a drawing."""
    image = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(image)
    for at, colour in enumerate(("#d33", "#36c", "#2a4")):
        draw.pieslice((90, 90, 310, 310), at * 120, at * 120 + 120, fill=colour)
    return image


def test_a_mark_that_may_be_a_drawing_is_refused_where_its_name_is_logo() -> None:
    mark = info(pie_in_a_square())
    assert judged(mark, found()) is Reason.SAVED
    assert judged(mark, found("http://h.example/acme-logo.png")) is Reason.ICON
    assert judged(mark, found(alt="Acme logo")) is Reason.ICON
    asked = found("http://h.example/acme-logo.png", query="acme logo")
    assert judged(mark, asked) is Reason.SAVED, "who asks for logos gets them"


@pytest.mark.parametrize("name", ["acme-logo.png", "no-image.png", "captcha.jpg"])
def test_a_name_alone_refuses_no_photograph_chart_or_garment(name: str) -> None:
    candidate = found(f"http://h.example/{name}")
    kept = [
        *scenery(), junk_lookalikes.chart(Random("names"), scenery()),
        junk_lookalikes.garment(Random("names 2"), scenery()),
        junk_lookalikes.meme(Random("names"), scenery()),
    ]  # fmt: skip
    assert [judged(info(one), candidate) for one in kept] == [Reason.SAVED] * len(kept)


def test_a_captcha_in_one_colour_is_told_by_its_name() -> None:
    image = junk_drawn.captcha_letters(Random("one"), scenery()).convert("1").convert("RGB")
    captcha = info(image)
    assert judged(captcha, found("http://h.example/captcha.php?x=9")) is Reason.HUMAN_CHECK


@pytest.mark.parametrize(
    "url",
    [
        "https://c8.alamy.com/comp/2AB34CD/a-cat-on-a-wall-2AB34CD.jpg",
        "https://previews.123rf.com/images/someone/someone1705/77987158-a-cat.jpg",
        "https://www.shutterstock.com/image-photo/a-cat-260nw-123456789.jpg",
        "https://image.shutterstock.com/image-photo/a-cat-600w-123456789.jpg",
        "https://thumbs.dreamstime.com/b/a-cat-12345678.jpg",
        "https://media.istockphoto.com/id/123/photo/a-cat.jpg?s=612x612&w=0&k=20",
        "https://media.gettyimages.com/id/123/photo/a-cat.jpg?s=2048x2048",
        "https://st2.depositphotos.com/1/2/i/950/depositphotos_1-stock-photo-a-cat.jpg",
    ],
)
def test_a_picture_agency_s_preview_is_refused_by_its_url(url: str) -> None:
    assert is_stock_preview(url)
    photo = info(scenery()[0])
    assert judged(photo, found(url)) is Reason.WATERMARKED
    listed = found(url, source="urls")
    reason, detail = Rules(Images()).judge(listed, url, listed.kind, photo)
    assert reason is Reason.SAVED, "what the user lists stays"
    assert detail.startswith("looks like watermarked: ")


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/comp/2AB34CD/cat.jpg",
        "https://www.alamy.com/aggregator/cat.jpg",
        "https://h.example/?u=previews.123rf.com/images/a.jpg",
        "https://www.shutterstock.com/blog/wp-content/cat.jpg",
        "https://media.istockphoto.com/photos/cat.jpg",
        "https://upload.wikimedia.org/wikipedia/commons/a/a9/cat-260nw-1.jpg",
        "data:image/png;base64,AAAA",
    ],
)
def test_other_pictures_are_no_agency_s_previews(url: str) -> None:
    assert not is_stock_preview(url)
