"""The whole command: `pixtrawl run URL -s page`, from an address to files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import warm_command

from pixtrawl.playground import Playground


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(seed=5) as running:
        yield running


def pixtrawl(out: Path, *words: str) -> tuple[int, dict[str, Any]]:
    options = [
        "--allow-address",
        "127.0.0.0/8",
        "--json",
        "--set",
        "page.delay_s=0",
        "-o",
        str(out),
    ]
    done = warm_command.run(
        [sys.executable, "-m", "pixtrawl", *words, "-s", "page", *options],
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_a_gallery_becomes_files_and_goes_on_at_its_next_pages(
    site: Playground, tmp_path: Path
) -> None:
    url = site.galleries.url("links", "tabby cat")
    code, report = pixtrawl(tmp_path, "run", url, "-n", "14")
    assert code == 0
    source = report["queries"][0]["sources"]["page"]
    assert report["queries"][0]["saved"] == 14
    assert source["outcome"] == "ok"
    assert source["found"] == 10 * source["detail"]["pages"] >= 20
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text().splitlines()]
    truth = [
        one for page in range(1, 6) for one in site.galleries.truth("links", "tabby cat", page)
    ]
    assert {row["url"] for row in rows} <= set(truth)
    assert {row["page_url"].partition("?")[0] for row in rows} == {url.partition("?")[0]}
    assert len(site.requests_to("/robots.txt")) >= 1


def test_what_robots_disallow_is_reported_and_can_be_overruled(
    site: Playground, tmp_path: Path
) -> None:
    url = site.galleries.url("private", "tabby cat")
    code, report = pixtrawl(tmp_path / "a", "run", url, "-n", "3")
    source = report["queries"][0]["sources"]["page"]
    assert (code, source["outcome"], source["detail"]["kind"]) == (4, "blocked", "forbidden")
    assert (tmp_path / "a" / source["detail"]["evidence"][0]).read_bytes()
    assert not site.requests_to("/gallery/private/")
    code, report = pixtrawl(tmp_path / "b", "run", url, "-n", "3", "--ignore-robots")
    assert (code, report["queries"][0]["saved"]) == (0, 3)


def test_one_site_s_refusal_leaves_the_next_query_alone(site: Playground, tmp_path: Path) -> None:
    urls = [site.galleries.url("noai", "tabby cat"), site.galleries.url("img", "red fox")]
    code, report = pixtrawl(tmp_path, "run", *urls, "-n", "2")
    assert [one["sources"]["page"]["outcome"] for one in report["queries"]] == ["blocked", "ok"]
    assert (code, report["queries"][1]["saved"]) == (3, 2)
