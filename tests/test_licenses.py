"""Licence claims become ids; what cannot be read is unknown, and unknown is never free."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtrawl.licenses import RESERVED, UNKNOWN, allows, flickr_url, normalise

CLAIMS = {
    "CC BY-SA 3.0 de": "cc-by-sa-3.0-de",
    "cc-by-sa-3.0,2.5,2.0,1.0": "cc-by-sa-3.0",  # Commons: any of these may be chosen
    "by-nc-nd 2.0": "cc-by-nc-nd-2.0",  # Openverse: code and version
    "by": "cc-by",
    "cc0 1.0": "cc0",
    "CC0_1_0": "cc0",  # GBIF
    "CC_BY_NC_4_0": "cc-by-nc-4.0",
    "(c) samroom, some rights reserved (CC BY-NC)": "cc-by-nc",  # iNaturalist
    "(c) samroom, all rights reserved": RESERVED,
    "Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)": "cc-by-nc-4.0",
    "Creative Commons Attribution-Share Alike 4.0": "cc-by-sa-4.0",
    "CC BY 2.0 Generic": "cc-by-2.0",
    "Public domain": "pdm",
    "pd-old-70": "pdm",
    "cc-0": "cc0",
    "GFDL": "gfdl",
    "Unsplash License": "unsplash",
    "Pexels License": "pexels",
    "Pixabay Content License": "pixabay",
    "No known restrictions on publication.": "no-known-copyright",
    "flickr:0": RESERVED,
    "flickr:5": "cc-by-sa-2.0",
    "flickr:7": "no-known-copyright",
    "flickr:9": "cc0",
    "flickr:12": "cc-by-sa-4.0",
    "flickr:99": UNKNOWN,
    "InC": RESERVED,
    "Copyrighted": RESERVED,
    "http://creativecommons.org/licenses/by-nc/4.0/legalcode": "cc-by-nc-4.0",
    "https://creativecommons.org/licenses/by/3.0/igo/": "cc-by-3.0-igo",
    "https://creativecommons.org/publicdomain/mark/1.0/": "pdm",
    "http://rightsstatements.org/vocab/InC/1.0/": RESERVED,
    "http://rightsstatements.org/vocab/NoC-NC/1.0/": "rs-noc-nc",
    "http://rightsstatements.org/vocab/UND/1.0/": UNKNOWN,
    "http://www.europeana.eu/rights/rr-f/": RESERVED,
    "https://unsplash.com/license": "unsplash",
    # what only looks like one
    "photo by Jane Doe": UNKNOWN,
    "by de": UNKNOWN,
    "free": UNKNOWN,
    "Creative Commons": UNKNOWN,
    "bing:license-L1": UNKNOWN,
    "by-nd-sa 4.0": UNKNOWN,
    "Usage conditions apply": UNKNOWN,
    "attribution required, see v1.0 of our terms": UNKNOWN,
    "https://creativecommons.org.evil.example/licenses/by/4.0/": UNKNOWN,
    "https://evil.example/?u=creativecommons.org/publicdomain/zero": UNKNOWN,
    "": UNKNOWN,
}


@pytest.mark.parametrize(("claim", "known"), CLAIMS.items())
def test_a_claim_becomes_its_id(claim: str, known: str) -> None:
    assert normalise(claim) == known


def test_the_licence_s_address_adds_the_version_and_a_contradiction_is_unknown() -> None:
    by_sa = "https://creativecommons.org/licenses/by-sa/2.0/"
    assert normalise("by-sa", by_sa) == "cc-by-sa-2.0"
    assert normalise(None, by_sa) == "cc-by-sa-2.0"
    assert normalise("CC BY-SA 2.0", "https://nowhere.example/") == "cc-by-sa-2.0"
    assert normalise("CC BY 2.0", by_sa) == UNKNOWN
    assert normalise("all rights reserved", by_sa) == UNKNOWN
    assert normalise("Public domain", "https://creativecommons.org/publicdomain/zero/1.0/") == "pdm"


WISHES = {
    "any", "open", "public", "commercial", "modify", "cc0", "pdm", "by", "cc-by", "cc-by-4.0",
    "cc-by-3.0", "cc-by-nc", "cc-by-nd", "cc-by-sa", "by-nc-sa", "unsplash", "no-known-copyright",
    RESERVED,
}  # fmt: skip


@pytest.mark.parametrize(
    ("license_id", "wishes"),
    [
        ("cc0", {"any", "open", "public", "commercial", "modify", "cc0"}),
        ("pdm", {"any", "open", "public", "commercial", "modify", "pdm"}),
        ("cc-by-4.0", {"any", "open", "commercial", "modify", "cc-by", "cc-by-4.0", "by"}),
        ("cc-by-3.0-de", {"any", "open", "commercial", "modify", "cc-by", "cc-by-3.0", "by"}),
        ("cc-by-nc-4.0", {"any", "open", "modify", "cc-by-nc"}),
        ("cc-by-nd-4.0", {"any", "open", "commercial", "cc-by-nd"}),
        ("unsplash", {"any", "commercial", "modify", "unsplash"}),
        ("no-known-copyright", {"any", "no-known-copyright"}),
        ("rs-noc-nc", {"any"}),
        (RESERVED, {"any", RESERVED}),
        (UNKNOWN, {"any"}),
    ],
)
def test_what_a_licence_allows(license_id: str, wishes: set[str]) -> None:
    assert {wish for wish in WISHES if allows(license_id, wish)} == wishes


@given(st.text(max_size=60), st.text(max_size=60) | st.none())
def test_any_text_has_an_id_and_only_public_ids_are_public(claim: str, url: str | None) -> None:
    known = normalise(claim, url)
    assert known
    assert known == known.lower()
    if known in {UNKNOWN, RESERVED}:
        assert not any(allows(known, wish) for wish in ("open", "public", "commercial", "modify"))


@given(st.text(alphabet="cby-nsad 0.4/", max_size=40))
def test_a_claim_never_loses_a_restriction(claim: str) -> None:
    known = normalise(claim)
    if known.startswith("cc-by"):
        assert ("nc" in known.split("-")) >= ("by-nc" in claim.replace(" ", "-"))
        assert ("nd" in known.split("-")) >= (claim.strip().endswith("by-nd"))


def test_a_claim_of_megabytes_is_read_at_once() -> None:
    for piece in ("cc by ", "by-", "attribution ", "(", "http://a/", "<b>"):
        assert normalise(piece * 300_000)


def test_flickr_s_numbers_lead_to_the_licence_s_text() -> None:
    assert flickr_url("4") == "https://creativecommons.org/licenses/by/2.0/"
    assert flickr_url("16") == "https://creativecommons.org/licenses/by-nc-nd/4.0/"
    assert flickr_url("9") == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert flickr_url("0") is flickr_url("7") is flickr_url("x") is None
    for number in range(1, 17):
        url = flickr_url(str(number))
        assert url is None or normalise(f"flickr:{number}", url) == normalise(f"flickr:{number}")
