"""Sources against the real software that they are made for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl import licenses
from pixtrawl.events import Notice
from pixtrawl.model import Query, SourceOutcome
from tests.realparts import mediawiki as wiki, searx
from tests.sources.api.asking import ask

pytestmark = [pytest.mark.realparts, pytest.mark.slow, pytest.mark.timeout(120)]

COUNT = 53  # more than the 50 that one request asks for
WORDS = "Tabby cat"
CAT = Query("tabby cat", "tabby cat", 100)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wiki.MediaWiki]:
    if reason := wiki.missing():
        pytest.skip(reason)
    with wiki.mediawiki(tmp_path_factory.mktemp("wiki"), WORDS, COUNT) as running:
        yield running


# One test for all that is asked of the wiki: tests run in several processes, and each of them would
# set up a wiki of its own.
def test_a_real_mediawiki_gives_all_it_has_by_itself_and_through_a_searx(
    site: wiki.MediaWiki, tmp_path: Path
) -> None:
    gives_every_file_with_creator_and_licence(site)
    says_that_it_has_nothing(site)
    goes_on_from_a_position(site)
    if reason := searx.missing():
        pytest.skip(reason)
    with searx.searx(tmp_path, site.url) as instance:
        hands_on_the_wiki_s_pictures_and_names_the_engine_that_failed(site, instance)


def gives_every_file_with_creator_and_licence(site: wiki.MediaWiki) -> None:
    ending = ask("wikimedia", {"base_url": site.url}, CAT)
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.pages) >= 2
    names = {(c.url.rpartition("/")[2]).replace("_", " ") for c in ending.candidates}
    assert names == set(site.names)
    for one in ending.candidates:
        assert (one.width, one.height) == (120, 90)
        assert one.creator == "Ann Example"
        assert licenses.normalise(one.license) == "cc-by-sa-4.0"
        assert one.page_url
        assert one.page_url.startswith(site.url)
        assert one.url.startswith(f"{site.url}/images/")


def says_that_it_has_nothing(site: wiki.MediaWiki) -> None:
    nothing = Query("qqqzzz", "qqqzzz", 10)
    ending = ask("wikimedia", {"base_url": f"{site.url}/api.php"}, nothing)
    assert ending.outcome is SourceOutcome.NO_RESULTS


def goes_on_from_a_position(site: wiki.MediaWiki) -> None:
    given = {"base_url": f"{site.url}/api.php"}
    first = ask("wikimedia", given, CAT, max_pages=2)
    assert first.candidates
    rest = ask("wikimedia", given, CAT, position=first.pages[-1].position)
    urls = [c.url for c in first.candidates + rest.candidates]
    assert len(urls) == len(set(urls)) == COUNT


def hands_on_the_wiki_s_pictures_and_names_the_engine_that_failed(
    site: wiki.MediaWiki, instance: str
) -> None:
    given = {"url": instance, "engines": "local wiki,broken engine"}
    ending = ask("searxng", given, CAT)
    by_category = ask("searxng", {"url": instance}, CAT)  # it has none of the usual engines
    nothing = ask("searxng", {**given, "engines": "local wiki"}, Query("qqqzzz", "q", 10))
    assert ending.outcome is SourceOutcome.OK
    names = {(c.url.rpartition("/")[2]).replace("_", " ") for c in ending.candidates}
    assert names == set(site.names)
    told = [event.message for event in ending.events if isinstance(event, Notice)]
    assert len(told) == 1
    assert "broken engine" in told[0]
    assert {c.url for c in by_category.candidates} == {c.url for c in ending.candidates}
    assert nothing.outcome is SourceOutcome.NO_RESULTS
