"""Addresses at IIIF image servers, and facts that the base of sources fills in."""

from __future__ import annotations

import pytest

from pixtrawl.model import Query
from pixtrawl.sources.api import iiif
from pixtrawl.sources.api.artic import Artic
from pixtrawl.sources.results import ImageResult, candidate_of


@pytest.mark.parametrize(
    ("whole_px", "size_px"),
    [
        ((1686, 1124), (843, 562)),
        ((843, 10), (843, 10)),
        ((20_000, 3), (843, 1)),
        ((842, 600), (None, None)),
        ((None, 600), (None, None)),
        ((1686, None), (None, None)),
    ],
)
def test_a_scaled_picture_has_the_size_that_the_server_gives(
    whole_px: tuple[int | None, int | None], size_px: tuple[int | None, int | None]
) -> None:
    result = iiif.at_width("https://iiif.example/2/a", 843, whole_px)
    assert result.url == "https://iiif.example/2/a/full/843,/0/default.jpg"
    assert (result.width, result.height) == size_px


@pytest.mark.parametrize(
    ("claim", "given", "deed"),
    [
        ("CC0", None, "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("CC0", "https://museum.example/rights", "https://museum.example/rights"),
        ("CC BY", None, None),
        (None, None, None),
    ],
)
def test_a_bare_claim_of_cc0_gets_the_address_of_its_deed(
    claim: str | None, given: str | None, deed: str | None
) -> None:
    result = ImageResult(url="https://img.example/a.jpg", license=claim, license_url=given)
    candidate = candidate_of(result, Query("cat", "cat", 1), "mine")
    assert candidate is not None
    assert candidate.license_url == deed


def test_a_null_where_the_picture_should_be_states_that_there_is_none() -> None:
    source = Artic({})
    assert source.is_empty({"image_id": None})
    records: list[object] = [{"image_id": "a"}, {}, [], None]
    assert not any(map(source.is_empty, records))
    assert Artic.info.limit == "10000 a query"
