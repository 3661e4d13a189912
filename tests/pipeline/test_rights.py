"""Rights: read from the file, normalised, asked for, written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from pixtrawl.claims import claim_of
from pixtrawl.config.groups import Images
from pixtrawl.exporters.columns import Columns
from pixtrawl.exporters.plan import Selection
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, Filters, Reason
from tests.pipeline.pictures import Answer, fetch, jpeg, manifest, scene, serving

CC_BY = "https://creativecommons.org/licenses/by/4.0/"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>'
    b"<dc:creator><rdf:Seq><rdf:li>Ada Adams</rdf:li></rdf:Seq></dc:creator>"
    b"<dc:rights><rdf:Alt><rdf:li>(c) Ada Adams</rdf:li></rdf:Alt></dc:rights>"
    b'<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def stated(image: Image.Image) -> bytes:
    return jpeg(image, xmp=XMP)


def candidate(**facts: str | None) -> Candidate:
    given = {"url": "u", "query": "q", "label": "q", "source": "bing", **facts}
    return Candidate(**given)  # type: ignore[arg-type]


def test_what_a_file_states_stands_in_metadata_sample_and_attribution(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/a.jpg": stated(scene(1)), "/b.jpg": jpeg(scene(2))}
    with serving(answers) as host:
        rows = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set")
    first, second = (json.loads(x) for x in (ds.root / "metadata.jsonl").read_text().splitlines())
    assert first["license"] == "", "the source claimed nothing"
    assert first["license_id"] == "cc-by-4.0"
    assert first["license_evidence"] == "file: license_url"
    assert (first["creator"], first["copyright"]) == ("Ada Adams", "(c) Ada Adams")
    assert (second["license_id"], second["creator"]) == ("unknown", "")
    assert first.keys() == second.keys()
    assert ds[0].rights["license_url"] == CC_BY
    assert ds[1].rights == {}
    assert "Ada Adams" in (ds.root / "ATTRIBUTION.md").read_text()


@pytest.mark.parametrize(
    ("wish", "kept"),
    [("open", {"/said.jpg", "/stated.jpg"}), ("modify", {"/said.jpg", "/stated.jpg"}),
     ("cc0", set()), ("any", {"/said.jpg", "/stated.jpg", "/nothing.jpg", "/reserved.jpg"})],
)  # fmt: skip
def test_the_licence_is_checked_after_the_download(
    tmp_path: Path, wish: str, kept: set[str]
) -> None:
    claims = {"/said.jpg": "CC BY-SA 4.0", "/reserved.jpg": "All rights reserved"}
    answers: dict[str, Answer] = {
        "/said.jpg": jpeg(scene(1)), "/stated.jpg": stated(scene(2)),
        "/nothing.jpg": jpeg(scene(3)), "/reserved.jpg": jpeg(scene(4)),
    }  # fmt: skip
    with serving(answers) as host:
        lines = [
            {"query": "cat", "url": host.url + path, "source": "list", "license": claims.get(path)}
            for path in answers
        ]
        file = tmp_path / "m.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        ds = fetch(file, tmp_path / "set", license=wish)
        assert {s.url.removeprefix(host.url) for s in ds} == kept
    if len(kept) < 4:
        assert ds.report["reasons"]["unwanted_license"] == 4 - len(kept)


WISHES = (
    "any", "open", "public", "commercial", "modify", "cc-by", "cc-by-4.0", "cc0", "unknown",
    "all-rights-reserved",
)  # fmt: skip
CLAIMS = (
    None, "CC BY 4.0", "CC BY-NC 2.0", "cc-by-nd-4.0", "CC0", "public domain", "see website",
    "All rights reserved", "bing:license-L2_L3_L4", "unknown", "Unsplash License",
)  # fmt: skip


@pytest.mark.parametrize("wish", WISHES)
def test_a_run_keeps_what_an_export_of_the_same_wish_exports(wish: str) -> None:
    rules = Rules(Images(), Filters(license=wish))
    selection = Selection(licenses=frozenset({wish}))
    stated: list[dict[str, str | bool]] = [{}, {"license_url": CC_BY}, {"copyright": "me"}]
    for claim in CLAIMS:
        for rights in stated:
            found = candidate(license=claim)
            kept = rules.judge_license(found, rights)[0] is Reason.SAVED
            columns: Columns = {
                "label": "cat",
                "license": claim or "",
                "license_id": claim_of(found, rights).id,
            }
            assert kept == selection.wants(columns), (claim, rights)


def test_what_cannot_be_shown_to_be_free_is_not_kept() -> None:
    rules = Rules(Images(), Filters(license="commercial"))
    reason, detail = rules.judge_license(candidate(license="bing:license-L2_L3_L4"), {})
    assert reason is Reason.UNWANTED_LICENSE
    assert "bing" in detail
    assert rules.judge_license(candidate(), {})[0] is Reason.UNWANTED_LICENSE


def test_a_claim_of_the_source_comes_before_the_files(tmp_path: Path) -> None:
    page = "https://h.example/page"
    found = candidate(license="CC0", page_url=page)
    assert claim_of(found, {"license_url": CC_BY}).id == "cc0"
    assert claim_of(found, {}).evidence == page
    assert claim_of(candidate(license="see website"), {}).id == "unknown"
