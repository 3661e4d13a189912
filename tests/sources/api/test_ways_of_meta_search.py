"""What is particular to DuckDuckGo and SearXNG: tokens, refusals, engines that did not answer."""

from __future__ import annotations

import pytest
from tests.net.conftest import Connection, Server
from tests.sources.api.asking import ask, cat, reply, serve, settings
from tests.sources.api.stand_in_parts import asked
from tests.sources.api.stand_ins import BY_NAME
from tests.sources.api.ways import json_reply, query_of

from pixtrawl.events import Notice
from pixtrawl.model import Kind, SourceOutcome

# -- duckduckgo


def test_duckduckgo_keeps_its_token_for_the_query_and_its_headers(server: Server) -> None:
    ending = ask("duckduckgo", serve(server, BY_NAME["duckduckgo"]))
    assert ending.outcome is SourceOutcome.OK
    page, *results = server.seen
    assert page.target.startswith("/?q=tabby+cat&iar=images")
    assert [query_of(c)["vqd"] for c in results] == ["4-123", "4-123"]
    assert query_of(results[0])["f"] == ",,,,,"
    assert query_of(results[1])["s"] == "100"
    assert all(c.headers["referer"].endswith("/") for c in results)
    assert {c.headers["user-agent"] for c in server.seen} == {page.headers["user-agent"]}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, "", "forbidden"),
        (202, "<form action='/anomaly.js'>", "captcha"),
        (200, "<form action='/anomaly.js'>Bots use DuckDuckGo too", "captcha"),
    ],
)
def test_duckduckgo_s_refusals(server: Server, status: int, body: str, kind: str) -> None:
    given = serve(server, BY_NAME["duckduckgo"])
    server.route("/i.js", status, body.encode(), Content_Type="text/html")
    ending = ask("duckduckgo", given)
    assert ending.stop is not None
    assert (ending.outcome, ending.stop.detail["kind"]) == (SourceOutcome.BLOCKED, kind)
    assert ending.evidence
    server.route("*", 200, b"<title>cat at DuckDuckGo</title>", Content_Type="text/html")
    without = ask("duckduckgo", given)
    assert without.stop is not None
    assert without.stop.detail["kind"] == "soft_block"


def test_duckduckgo_gets_its_filters_in_their_slots(server: Server) -> None:
    query = cat(color="red", aspect="tall", license="public", region="de", lang="de", safe="off")
    ask("duckduckgo", serve(server, BY_NAME["duckduckgo"], 3), query)
    sent = query_of(server.seen[1])
    assert sent["f"] == ",,color:Red,,layout:Tall,license:Public"
    assert (sent["l"], sent["p"]) == ("de-de", "-1")


# -- searxng


def test_searxng_needs_an_address_and_takes_either_setting(server: Server) -> None:
    ending = ask("searxng", {})
    assert ending.outcome is SourceOutcome.UNSUPPORTED
    assert ending.stop is not None
    assert "searxng.url" in str(ending.stop.detail["next_step"])
    given = serve(server, BY_NAME["searxng"], 3)
    ending = ask("searxng", {"url": given["base_url"], "engines": "my engine"})
    assert len(ending.candidates) == 3
    assert query_of(server.seen[0])["engines"] == "my engine"
    assert "categories" not in query_of(server.seen[0])
    assert ending.pages[0].related == ("kitten",)


def test_engines_that_did_not_answer_are_named(server: Server) -> None:
    ending = ask("searxng", serve(server, BY_NAME["searxng"], 3))
    notices = [event.message for event in ending.events if isinstance(event, Notice)]
    assert notices == ["searxng: these engines did not answer: flickr (timeout)"]
    for reason, outcome in (
        ("CAPTCHA", SourceOutcome.BLOCKED), ("timeout", SourceOutcome.NETWORK_ERROR),
    ):  # fmt: skip
        silent = [["bing images", reason], ["flickr", "timeout"]]
        json_reply(server, {"query": "x", "results": [], "unresponsive_engines": silent})
        ending = ask("searxng", settings(server, BY_NAME["searxng"]))
        assert ending.outcome is outcome
        assert ending.stop is not None
        assert ending.stop.detail["unresponsive_engines"] == dict(silent)


def test_an_instance_without_the_usual_engines_is_asked_by_category(server: Server) -> None:
    pictures = BY_NAME["searxng"].answer

    def handle(connection: Connection) -> None:
        known = query_of(connection).get("categories") == "images"
        asking = asked(server.url(""), connection.target)
        reply(connection, pictures(asking, 3 if known else 0))

    server.on("*", handle)
    ending = ask("searxng", settings(server, BY_NAME["searxng"]))
    assert len(ending.candidates) == 3
    assert "engines" not in query_of(server.seen[1])


def test_searxng_s_403_is_explained(server: Server) -> None:
    server.route("*", 403, b"<h1>Forbidden</h1>", Content_Type="text/html")
    ending = ask("searxng", settings(server, BY_NAME["searxng"]))
    assert ending.stop is not None
    assert "json" in str(ending.stop.detail["next_step"])
    assert "search.formats" in str(ending.stop.detail["next_step"])


def test_a_picture_inside_searxng_s_answer_is_a_thumbnail(server: Server) -> None:
    result = {"template": "images.html", "img_src": "data:image/png;base64,AAAA", "title": "x"}
    json_reply(server, {"query": "x", "results": [result]})
    ending = ask("searxng", settings(server, BY_NAME["searxng"]))
    assert [c.kind for c in ending.candidates] == [Kind.THUMBNAIL]
