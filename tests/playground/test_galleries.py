"""Gallery pages hold what their truth says, and every best URL is served."""

from __future__ import annotations

import html
import io

import pytest
from PIL import Image

from pixtrawl.playground import Playground
from pixtrawl.playground.gallery import STYLES
from tests.playground.wire import ask


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_picture_of_a_page_is_there_in_its_style(site: Playground, style: str) -> None:
    truth = site.galleries.truth(style, "tabby cat", 2)
    seen = ask(site.galleries.url(style, "tabby cat", 2))
    assert seen.status == 200
    page = html.unescape(seen.body.decode()).replace("\\/", "/")
    assert len(truth) == 10
    for url in truth[:3]:
        shown = url.removesuffix(".jpg") if style == "wordpress" else url
        assert shown in page
        with Image.open(io.BytesIO(ask(url).body)) as image:
            image.load()
            assert image.width >= 320


def test_pages_lead_to_the_next_and_end(site: Playground) -> None:
    first = ask(site.galleries.url("img", "cat 25-results", 1)).body.decode()
    last = ask(site.galleries.url("img", "cat 25-results", 3)).body.decode()
    assert "<link rel='next' href='/gallery/img/cat%2025-results?page=2'>" in first
    assert "rel='next'" not in last
    assert ask(site.galleries.url("img", "cat 25-results", 4)).status == 404


def test_wordpress_sizes_are_smaller_copies(site: Playground) -> None:
    url = site.galleries.truth("wordpress", "cat")[0]
    sizes = []
    for one in (url, url.replace(".jpg", "-300x225.jpg")):
        with Image.open(io.BytesIO(ask(one).body)) as image:
            sizes.append(image.size)
    assert sizes == [(1200, 900), (300, 225)]


def test_private_pages_are_disallowed_and_not_in_the_sitemap(site: Playground) -> None:
    assert "Disallow: /gallery/private/" in ask(f"{site.url}/robots.txt").body.decode()
    sitemap = ask(f"{site.url}/sitemap.xml").body.decode()
    assert "/gallery/img/" in sitemap
    assert "/gallery/private/" not in sitemap


def test_lists_of_galleries_faults_and_credits_are_served(site: Playground) -> None:
    assert ask(f"{site.url}/gallery/").body.count(b"<li>") == len(STYLES)
    assert ask(f"{site.url}/faults").body.count(b"<tr>") == len(site.faults())
    credit = ask(f"{site.url}/credits.tsv?q=cat").body.decode().splitlines()
    assert len(credit) == 121
    assert credit[0].split("\t") == ["url", "title", "creator", "license", "license_url"]
