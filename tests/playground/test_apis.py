"""The made-up JSON interfaces page, filter and refuse as their models do."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from pixtrawl.playground import Playground
from tests.playground.wire import ask

AGENT = "User-Agent: test (+http://example.org/)"


def _json(url: str, *headers: str) -> Any:
    return json.loads(ask(url, *headers).body)


def _open(site: Playground, query: str) -> list[str]:
    return [e.url for e in site.expected(query) if e.traits.license != "all rights reserved"]


def test_openverse_pages_reach_every_open_picture(site: Playground) -> None:
    found: list[str] = []
    page, pages = 1, 1
    while page <= pages:
        answer = _json(f"{site.url}/v1/images/?q=tabby+cat&page={page}&page_size=20")
        pages = answer["page_count"]
        found += [result["url"] for result in answer["results"]]
        page += 1
    assert found == _open(site, "tabby cat")


def test_openverse_refuses_large_pages_and_filters_licences(site: Playground) -> None:
    assert ask(f"{site.url}/v1/images/?q=cat&page_size=50").status == 401
    answer = _json(f"{site.url}/v1/images/?q=cat&license=cc0,by")
    assert {result["license"] for result in answer["results"]} == {"cc0", "by"}


def test_wikimedia_pieces_merge_to_every_open_picture(site: Playground) -> None:
    base = {"action": "query", "format": "json", "formatversion": "2", "generator": "search",
            "gsrsearch": "filetype:bitmap tabby cat", "gsrlimit": "20", "prop": "imageinfo"}  # fmt: skip
    going_on: dict[str, str] = {}
    found: dict[int, str] = {}
    for _ in range(40):
        answer = _json(f"{site.url}/w/api.php?{urlencode({**base, **going_on})}", AGENT)
        for page in answer.get("query", {}).get("pages", []):
            if "imageinfo" in page:
                found[page["index"]] = page["imageinfo"][0]["url"]
        going_on = answer.get("continue", {})
        if not going_on:
            break
    assert [found[index] for index in sorted(found)] == _open(site, "tabby cat")


def test_wikimedia_wants_a_contact(site: Playground) -> None:
    url = f"{site.url}/w/api.php?action=query&generator=search&gsrsearch=cat"
    assert ask(url, "User-Agent: python").status == 403


def test_searxng_wants_json_and_tells_unresponsive_engines(site: Playground) -> None:
    base = f"{site.url}/searxng/search?q=tabby+cat&categories=images"
    assert ask(base).status == 403
    answer = _json(f"{base}&format=json&pageno=2")
    truth = [entry.url for entry in site.expected("tabby cat")[30:60]]
    assert [result["img_src"] for result in answer["results"]] == truth
    assert answer["unresponsive_engines"]


def test_duckduckgo_binds_its_token_to_query_and_agent(site: Playground) -> None:
    base = f"{site.url}/duckduckgo/"
    page = ask(f"{base}?q=tabby+cat&iar=images", AGENT).body.decode()
    token = re.search(r'vqd="([^"]+)"', page)
    assert token is not None
    url = f"{base}i.js?o=json&q=tabby+cat&vqd={token[1]}"
    referer = f"Referer: {base}"
    assert ask(url, AGENT).status == 403
    assert ask(url, referer, "User-Agent: another").status == 403
    assert ask(url.replace("tabby", "red"), AGENT, referer).status == 403
    first = _json(url, AGENT, referer)
    second = _json(f"{base}{first['next']}&vqd={token[1]}", AGENT, referer)
    found = [result["image"] for result in first["results"] + second["results"]]
    assert found == [entry.url for entry in site.expected("tabby cat")]
    assert "next" not in second
