"""What a listing full of copies, placeholders and thumbnails comes down to."""

from __future__ import annotations

from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.playground import Playground
from tests.matrices import slow

MIX = {"near_duplicate": 0.4, "placeholder": 0.1, "thumbnail": 0.1}


@pytest.mark.parametrize(("seed", "supply"), [(1, 20), slow(1, 60), slow(4, 60)])
def test_a_run_ends_with_exactly_the_distinct_originals(
    tmp_path: Path, seed: int, supply: int
) -> None:
    with Playground(seed=seed, mix=MIX, supply=supply) as site:
        truth = site.expected_bing("tabby cat")
        ds = pixtrawl.run(
            "tabby cat",
            limit=1000,
            output=str(tmp_path / "images"),
            source="bing",
            settings={"bing": {"base_url": site.url}},
            allow_address=["127.0.0.0/8"],
        )
        originals = [e for e in truth if e.role == "photo" and e.traits.kind != "animated"]
        assert len(originals) < 0.6 * supply, "the listing is full of other things"
        assert {s.info.sha256 for s in ds} == {entry.sha256 for entry in originals}
    copies = [copy for group in ds.duplicates() for copy in group.copies]
    assert {copy.reason for copy in copies} <= {"same_picture", "better_copy_kept"}
    assert all(copy.distance is not None and copy.aside is not None for copy in copies)
    by_url = {entry.url: entry for entry in truth}
    for group in ds.duplicates():
        for copy in group.copies:
            assert by_url[copy.url].of == group.kept.url
        assert len(group.kept.provenance) > len(group.copies), "the ways to it are joined"
