"""The word of a page counts for the pictures that are found on it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest

import pixtrawl
from tests.matrices import sample
from tests.owners.files import picture
from tests.owners.hosts import Owner, hosts

PAGE = "<!doctype html><html><head>{}</head><body><img src='/a.jpg'>{}</body></html>"


def page(head: str = "", more: str = "") -> str:
    return PAGE.format(head, more)


def run(
    pages: Mapping[str, str], folder: Path, *headers: tuple[str, str], **settings: object
) -> tuple[pixtrawl.Dataset, list[str]]:
    owner = Owner(picture=picture(1), pages=pages, page_headers=headers)
    with hosts({"a": owner}) as found:
        host = found["a"]
        ds = pixtrawl.run(
            [f"{host.url}/page.html"], source="page", output=str(folder), limit="all",
            allow_address="127.0.0.0/8", settings={"page": {"delay_s": 0, "depth": 1}},
            **settings,  # type: ignore[arg-type]
        )  # fmt: skip
        return ds, host.asked


CASES = {
    "meta tdm": (page("<meta name='TDM-Reservation' content='1'>"), (), True, False),
    "meta tdm not": (page("<meta name='tdm-reservation' content='0'>"), (), False, False),
    "meta noai": (page("<meta name='robots' content='noai'>"), (), True, False),
    "meta noindex": (page("<meta name='robots' content='noindex'>"), (), True, True),
    "header signal": (page(), (("Content-Signal", "ai-train=no"),), True, False),
    "header signal search": (page(), (("Content-Signal", "search=no"),), False, True),
    "header usage": (page(), (("Content-Usage", "train-ai=n"),), True, False),
    "header tdm": (page(), (("tdm-reservation", "1"),), True, False),
    "header noimageai": (page(), (("X-Robots-Tag", "noimageai"),), True, False),
}


@pytest.mark.parametrize(("name", "purpose"), sample(product(CASES, ["train", "search"]), 3))
def test_a_page_speaks_for_its_pictures(name: str, purpose: str, tmp_path: Path) -> None:
    text, headers, *refused = CASES[name]
    ds, asked = run({"/page.html": text}, tmp_path, *headers, purpose=purpose)
    no = refused[0 if purpose == "train" else 1]
    assert ("/a.jpg" in asked) is not no
    assert len(ds) == (0 if no else 1)
    source = ds.report.queries[0].sources["page"]
    assert (source.outcome == "blocked") is no
    if no:
        assert "opts out" in source.detail["message"]
        assert source.detail["evidence"]


EVIDENCE = {
    "meta yes": (page("<meta name='tdm-reservation' content='0'>"), (), ("meta", "0", "yes")),
    "header yes": (
        page(), (("Content-Usage", "train-ai=y"),), ("page header", "train-ai=y", "yes"),
    ),
    "header unset": (
        page(), (("Content-Signal", "search=yes"),), ("page header", "search=yes", "unset"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVIDENCE)
def test_what_a_page_says_is_kept_with_its_pictures(name: str, tmp_path: Path) -> None:
    text, headers, (source, words, train) = EVIDENCE[name]
    ds, _ = run({"/page.html": text}, tmp_path, *headers)
    said = [one for one in ds[0].ai_preferences if one["source"] == source]
    assert [(one["text"], one["train"]) for one in said] == [(words, train)], ds[0].ai_preferences


def test_a_no_that_is_ignored_is_kept_with_the_pictures(tmp_path: Path) -> None:
    pages = {"/page.html": page("<meta name='tdm-reservation' content='1'>")}
    ds, _ = run(pages, tmp_path, ignore_ai_preferences=True)
    assert {"source": "meta", "train": "no"}.items() <= ds[0].ai_preferences[0].items()


def test_the_links_of_a_page_that_says_no_are_followed(tmp_path: Path) -> None:
    pages = {
        "/page.html": page("<meta name='tdm-reservation' content='1'>", "<a href='/b.html'>b</a>"),
        "/b.html": page(),
    }
    ds, _ = run(pages, tmp_path)
    assert [sample.candidate.page_url for sample in ds] == [
        sample.url.replace("a.jpg", "b.html") for sample in ds
    ]
    assert len(ds) == 1


def test_the_override_is_named_and_works(tmp_path: Path) -> None:
    pages = {"/page.html": page("<meta name='tdm-reservation' content='1'>")}
    ds, _ = run(pages, tmp_path / "a")
    assert "--ignore-ai-preferences" in ds.report.queries[0].sources["page"].detail["next_step"]
    ds, _ = run(pages, tmp_path / "b", ignore_ai_preferences=True)
    assert len(ds) == 1
