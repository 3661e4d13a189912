"""The data card and the attribution list: what they say, and that no title can do anything there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt

from pixtrawl.folder.derived.card import (
    Credit,
    attribution,
    attribution_lines,
    data_card,
    markdown_link,
    markdown_text,
    summarise,
)
from pixtrawl.folder.derived.card_header import yaml_text
from pixtrawl.model import Candidate, ImageInfo, Sample
from tests.matrices import examples

yaml = pytest.importorskip("yaml")


def sample(number: int = 1, query: str = "cat", **found: Any) -> Sample:
    candidate = Candidate(
        url="https://a.example/x.jpg", query=query, label="cat", source="bing", **found
    )
    return Sample(
        id=number,
        label="cat",
        number=number,
        file_name=f"cat/{number:06d}.jpg",
        info=ImageInfo(format="jpeg", size_bytes=1024, sha256=f"{number:064x}"),
        candidate=candidate,
        url=candidate.url,
        final_url=candidate.url,
        fetched_at=f"2026-11-{number:02d}T10:00:00Z",
    )


def header(card: str) -> Any:
    _, text, _ = card.split("---\n", 2)
    return yaml.safe_load(text)


def rendered(markdown: str) -> str:
    """As CommonMark renders it, with raw HTML and bare links allowed."""
    html: str = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    return html


def test_a_card_tells_what_when_from_where_and_how_to_load_it() -> None:
    samples = [sample(1, license="CC BY 4.0", license_url="https://cc.example/by"), sample(3)]
    card = data_card(summarise(samples), title="images")
    for words in (
        "# images",
        "2 images (2.0 KiB) of 1 label,",
        "from 2026-11-01 to 2026-11-03",
        'load_dataset("imagefolder", data_files={"train": "images/**"})',
        "| cat | cat | 2 |",
        "| bing | 2 |",
        "| [CC BY 4.0](<https://cc.example/by>) | 1 |",
        "| unknown | 1 |",
        "pixtrawl takedown",
    ):
        assert words in card


def test_the_same_samples_in_another_order_give_the_same_card() -> None:
    samples = [sample(number, license=f"l{number % 3}") for number in range(1, 9)]
    one, other = (
        data_card(summarise(order), title="x") for order in (samples, list(reversed(samples)))
    )
    assert one == other


def test_the_header_changes_when_an_image_does() -> None:
    before, after = (data_card(summarise([sample(n)]), title="x") for n in (1, 2))
    described = [header(card)["configs"][0]["description"] for card in (before, after)]
    assert described[0] != described[1]


@pytest.mark.parametrize(
    ("claims", "license_"),
    [
        (["CC BY 4.0", "cc-by-4.0"], "cc-by-4.0"),
        (["CC0"], "cc0-1.0"),
        ([None, None], "unknown"),
        (["CC BY 4.0", None], "other"),
        (["all mine"], "other"),
        ([], "unknown"),
    ],
)
def test_one_licence_stands_for_all_only_where_all_claim_it(
    claims: list[str | None], license_: str
) -> None:
    samples = [sample(number, license=claim) for number, claim in enumerate(claims, 1)]
    assert header(data_card(summarise(samples), title="x"))["license"] == license_


@pytest.mark.parametrize(
    ("count", "size"), [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (2_000_000, "1M<n<10M")]
)
def test_sizes_are_reported_in_the_words_of_the_hub(count: int, size: str) -> None:
    summary = summarise([])
    summary.images = count
    assert header(data_card(summary, title="x"))["size_categories"] == [size]


ATTACKS = (
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://track.example/pixel.gif)",
    "| a | b |\n| --- | --- |",
    "\n# heading\n\n- list",
    "---\nlicense: cc0-1.0\n---",
    "<img src=x onerror=alert(1)>",
    "`code` **bold** __under__ ~~gone~~ $x$ \\",
    "&lt;b&gt; &#60;script&#62;",
    "\u202etxt.exe\u2066 right to left",
    "<https://auto.example> https://bare.example www.bare.example me@mail.example",
    "```\nfence",
    "1. one",
    "a\u2028b\u0085c\x00d\x1b[31m",
    "\ud800",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_from_the_web_does_nothing_in_a_card(attack: str) -> None:
    samples = [sample(1, attack, title=attack, creator=attack, license=attack, license_url=attack)]
    card = data_card(summarise(samples), title=attack)
    assert header(card)["license"] in {"other", "unknown"}
    _, _, body = card.split("---\n", 2)
    for text in (body, attribution(samples)):
        html = rendered(text)
        for tag in ("<script", "<img", "<a ", "<em>", "<strong>", "<del>", "<h3"):
            assert tag not in html.replace('<a href="https://a.example/x.jpg">', "")
        text.encode()
    assert rendered(body).count("<h1>") == 1
    assert rendered(body).count("<table>") == 5


@given(st.text())
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_one_line_of_markdown_that_shows_it(text: str) -> None:
    shown = markdown_text(text)
    assert len(shown.splitlines()) <= 1
    html = rendered(f"x {shown}")
    assert html.startswith("<p>x")
    assert html.count("<") == 2


@given(st.text())
@settings(max_examples=examples(200), deadline=None)
def test_any_text_comes_back_from_yaml(text: str) -> None:
    scalar = yaml_text(text)
    assert len(scalar.splitlines()) == 1
    assert yaml.safe_load(f"a: {scalar}\n") == {"a": text.encode("utf-8", "replace").decode()}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http:///x",
        "https://",
        "file:///etc/passwd",
        "",
        "x" * 9,
        "//a.example",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert markdown_link("text", url) == "text"


def test_an_address_cannot_leave_its_link() -> None:
    link = markdown_link("t", "https://a.example/a b>(c)<script>\n\"'|`\\")
    assert rendered(link).count("<a ") == 1
    assert "<script" not in rendered(link)
    assert "|" not in link


def test_attribution_names_title_creator_licence_and_page() -> None:
    credit = Credit(
        file_name="cat/000001.jpg",
        title="A cat",
        creator="Jane Roe",
        license="CC BY 4.0",
        license_url="https://cc.example/by",
        page_url="https://a.example/page",
        url="https://a.example/x.jpg",
    )
    line = list(attribution_lines([credit]))[-1]
    assert line == (
        "- cat/000001.jpg: “A cat” by Jane Roe, [CC BY 4.0](<https://cc.example/by>), "
        "[page](<https://a.example/page>)"
    )


def test_an_image_without_facts_is_not_called_free() -> None:
    line = list(attribution_lines([Credit(file_name="a/1.jpg", url="data:image/png;base64,AAAA")]))[
        -1
    ]
    assert line == "- a/1.jpg: untitled, licence unknown"
