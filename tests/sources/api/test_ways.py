"""What is particular to single sources: tokens, allowances, filters, addresses, pings."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.matrices import sample
from tests.net.conftest import Connection, Server
from tests.sources.api.asking import CAT, ask, cat, reply, serve, settings
from tests.sources.api.stand_ins import ALL, BY_NAME
from tests.sources.api.ways import json_reply, query_of

from pixtrawl.events import Notice
from pixtrawl.model import Kind, SourceOutcome
from pixtrawl.playground import Playground
from pixtrawl.sources import load

# -- against the playground, in processes of its own making


@pytest.fixture(scope="module")
def site() -> Any:
    with Playground(patience=0.01, supply=130) as running:
        yield running
        assert running.errors == []


@pytest.mark.parametrize(
    ("name", "path"),
    [("openverse", ""), ("wikimedia", ""), ("duckduckgo", "/duckduckgo"), ("searxng", "/searxng")],
)
def test_the_playground_s_interfaces_give_all_they_have(
    site: Playground, name: str, path: str
) -> None:
    ending = ask(name, {"base_url": site.url + path})
    known = site.expected(CAT.text)
    if name in {"openverse", "wikimedia"}:
        known = [one for one in known if one.traits.license != "all rights reserved"]
    assert ending.outcome is SourceOutcome.OK
    assert [c.url for c in ending.candidates] == [one.url for one in known]
    assert [c.page_url for c in ending.candidates] == [one.page_url for one in known]
    assert ask(name, {"base_url": site.url + path}, cat()).outcome is SourceOutcome.OK


# -- openverse


def test_openverse_stops_at_its_240_results(server: Server) -> None:
    ending = ask("openverse", serve(server, BY_NAME["openverse"], 1000))
    assert (ending.outcome, len(ending.candidates)) == (SourceOutcome.OK, 240)
    assert all(query_of(c)["page_size"] == "20" for c in server.seen)


def test_openverse_without_an_account_takes_401_for_a_used_up_allowance(server: Server) -> None:
    said = {"detail": "page_size may not exceed 20 for anonymous requests"}
    json_reply(server, said, 401, X_RateLimit_Limit_anon_burst="20/min")
    ending = ask("openverse", settings(server, BY_NAME["openverse"]))
    assert ending.outcome is SourceOutcome.QUOTA
    assert ending.stop is not None
    assert "anonymous" in str(ending.stop.detail["message"])
    assert "20/min" in str(ending.stop.detail["message"])
    assert "client_id" in str(ending.stop.detail["next_step"])


def test_openverse_with_an_application_asks_for_one_token_and_larger_pages(server: Server) -> None:
    given = serve(server, BY_NAME["openverse"], 200)
    token = {"access_token": "t0ken-of-a-day", "expires_in": 36_000}
    server.on("/v1/auth_tokens/token/", lambda connection: reply(connection, token))
    given |= {"client_id": "me", "client_secret": "shh-very-secret"}
    ending = ask("openverse", given)
    assert len(ending.candidates) == 200
    assert [c.method for c in server.seen].count("POST") == 1
    assert b"client_secret=shh-very-secret" in server.seen[0].body
    assert all(c.headers["authorization"] == "Bearer t0ken-of-a-day" for c in server.seen[1:])
    json_reply(server, {"detail": "t0ken-of-a-day is throttled"}, 429)
    server.on("/v1/auth_tokens/token/", lambda connection: reply(connection, token))
    refused = ask("openverse", given)
    assert refused.outcome is SourceOutcome.QUOTA
    assert b"t0ken" not in b"".join(refused.evidence.values())


# -- wikimedia


def test_wikimedia_finds_a_wiki_s_api_where_it_is(server: Server) -> None:
    api = BY_NAME["wikimedia"]
    at_root = serve(server, api)
    route = server.routes.pop("*")
    server.routes["/api.php"] = route
    assert len(ask("wikimedia", at_root).candidates) == api.total
    assert server.paths()[0].startswith("/w/api.php?")
    assert sum(path.startswith("/w/") for path in server.paths()) == 1
    server.seen.clear()
    named = {"base_url": at_root["base_url"] + "/api.php"}
    assert len(ask("wikimedia", named).candidates) == api.total
    assert all(path.startswith("/api.php?") for path in server.paths())


def test_wikimedia_sends_back_the_whole_continue_object_and_waits_for_a_lag(server: Server) -> None:
    calls: list[dict[str, str]] = []
    info = {"url": "https://img.example/1.jpg", "mime": "image/jpeg"}
    lag = {"error": {"code": "maxlag", "info": "Waiting for a database server: 6 seconds lagged."}}
    pieces = [
        lag,
        {"continue": {"iicontinue": "a|b", "continue": "gsroffset||"},
         "query": {"pages": {"1": {"pageid": 1, "title": "File:One.jpg", "index": 1}}}},
        {"batchcomplete": "", "continue": {"gsroffset": 50, "continue": "gsroffset||"},
         "query": {"pages": {"1": {"pageid": 1, "imageinfo": [info]}}}},
        {"batchcomplete": ""},
    ]  # fmt: skip

    def handle(connection: Connection) -> None:
        calls.append(query_of(connection))
        body = json.dumps(pieces[len(calls) - 1]).encode()
        connection.reply(200, body, Content_Type="application/json", Retry_After="0")

    server.on("*", handle)
    ending = ask("wikimedia", settings(server, BY_NAME["wikimedia"]))
    assert ending.outcome is SourceOutcome.OK
    assert [(c.url, c.title) for c in ending.candidates] == [(info["url"], "File:One.jpg")]
    assert len(calls) == 4
    assert calls[2]["iicontinue"] == "a|b"
    assert calls[3]["gsroffset"] == "50"
    assert "iicontinue" not in calls[3]
    assert all(call["maxlag"] == "5" for call in calls)
    assert "+http" in server.seen[0].headers["user-agent"]


@pytest.mark.parametrize("code", ["maxlag", "ratelimited"])
def test_wikimedia_s_short_pauses_are_waited_by_every_query(server: Server, code: str) -> None:
    info = {"url": "https://img.example/1.jpg", "mime": "image/jpeg"}
    page = {"pageid": 1, "title": "File:One.jpg", "index": 1, "imageinfo": [info]}
    asked_at: list[float] = []

    def handle(connection: Connection) -> None:
        asked_at.append(time.monotonic())
        said: dict[str, Any] = {"batchcomplete": "", "query": {"pages": {"1": page}}}
        if len(asked_at) == 1:
            said = {"error": {"code": code, "info": "wait"}}
        body = json.dumps(said).encode()
        connection.reply(200, body, Content_Type="application/json", Retry_After="1")

    server.on("*", handle)
    ending = ask("wikimedia", settings(server, BY_NAME["wikimedia"]))
    assert ending.outcome is SourceOutcome.OK
    assert [c.url for c in ending.candidates] == [info["url"]]
    assert asked_at[1] - asked_at[0] >= 0.9


def test_wikimedia_s_own_errors_are_reported(server: Server) -> None:
    limited = {"error": {"code": "ratelimited", "info": "slow down"}}
    json_reply(server, limited, Retry_After="3600")
    ending = ask("wikimedia", settings(server, BY_NAME["wikimedia"]))
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == "rate_limit"
    json_reply(server, {"error": {"code": "badvalue", "info": "Unrecognized value"}})
    ending = ask("wikimedia", settings(server, BY_NAME["wikimedia"]))
    assert ending.outcome is SourceOutcome.CHANGED
    assert "Unrecognized" in str(ending.stop)


# -- google_cse


def test_google_cse_s_403_tells_of_its_end(server: Server) -> None:
    said = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message":
            "This project does not have the access to Custom Search JSON API."}}  # fmt: skip
    json_reply(server, said, 403)
    ending = ask("google_cse", settings(server, BY_NAME["google_cse"]))
    assert ending.outcome is SourceOutcome.BLOCKED
    assert "2027-01-01" in str(ending.stop)
    daily = {"error": {"code": 403, "errors": [{"reason": "dailyLimitExceeded"}], "message": "x"}}
    json_reply(server, daily, 403)
    assert ask("google_cse", settings(server, BY_NAME["google_cse"])).outcome is SourceOutcome.QUOTA


# -- others


def test_unsplash_is_told_of_each_photo_that_is_handed_out(server: Server) -> None:
    ending = ask("unsplash", serve(server, BY_NAME["unsplash"]), max_pages=2)
    pings = [path for path in server.paths() if path.startswith("/photos/")]
    assert len(pings) == len(ending.candidates) == 10
    assert pings[0] == "/photos/u0/download?ixid=1"
    assert all(c.headers["authorization"].startswith("Client-ID ") for c in server.seen)


def test_flickr_s_transient_errors_are_the_network_s(server: Server) -> None:
    json_reply(server, {"stat": "fail", "code": 201, "message": "Sorry"})
    outcome = ask("flickr", settings(server, BY_NAME["flickr"])).outcome
    assert outcome is SourceOutcome.NETWORK_ERROR


def test_objects_of_the_met_that_are_gone_or_not_free_are_passed_over(server: Server) -> None:
    given = serve(server, BY_NAME["met"], 4)
    server.route("/public/collection/v1/objects/2", 404, b"{}")
    closed = json.dumps({"objectID": 3, "primaryImage": "", "isPublicDomain": False}).encode()
    server.route("/public/collection/v1/objects/3", 200, closed)
    ending = ask("met", given)
    assert [c.title for c in ending.candidates] == ["Picture 0", "Picture 3"]
    only = serve(server, BY_NAME["met"], 1)
    server.route("/public/collection/v1/objects/1", 200, closed)
    assert ask("met", only).outcome is SourceOutcome.NO_RESULTS


def test_small_photos_of_inaturalist_have_a_full_copy_to_fall_back_on(server: Server) -> None:
    (one,) = ask("inaturalist", serve(server, BY_NAME["inaturalist"], 1)).candidates
    assert one.url == "https://img.example/0/original.jpg"
    assert [(a.url, a.kind) for a in one.alternates] == [
        ("https://img.example/0/large.jpg", Kind.CACHED)
    ]


@pytest.mark.parametrize("api", sample(ALL, 2), ids=lambda api: api.name)
def test_filters_are_passed_on_or_told(api: Any, server: Server) -> None:
    """Every filter of `info.filters` changes the request; for every other one there is a notice."""
    wishes = {
        "size": "large", "color": "gray", "type": "photo", "aspect": "wide", "date": "week",
        "license": "commercial", "site": "example.org", "lang": "de", "region": "de", "safe": "off",
    }  # fmt: skip
    if api.name in {"pixabay", "wikimedia"}:
        wishes["size"] = "640x480"
    if api.name == "inaturalist":
        wishes["date"] = "2020-01-01..2020-02-01"
    silent = {("unsplash", "type"), ("pexels", "type"), ("met", "license")}  # met by all results
    info = load(api.name).info
    given = serve(server, api, 0)

    def sent(**filters: str) -> tuple[list[str], list[str]]:
        server.seen.clear()
        ending = ask(api.name, given, cat(**filters))
        return server.paths(), [e.message for e in ending.events if isinstance(e, Notice)]

    plain, _ = sent()
    for name, wish in wishes.items():
        paths, notices = sent(**{name: wish})
        if name not in info.filters:
            assert len(notices) == 1, name
            assert name in notices[0]
            assert paths == plain
        else:
            assert notices == [], name
            assert (paths != plain) == ((api.name, name) not in silent), name


def test_no_address_but_the_base_url_s_is_ever_asked(server: Server) -> None:
    """Second steps too: downloads to tell of, pages that follow, ids of other hosts."""
    for name in ("rijksmuseum", "unsplash", "nasa", "internet_archive", "met", "duckduckgo"):
        api = BY_NAME[name]
        server.seen.clear()
        ending = ask(name, serve(server, api))
        assert len(ending.candidates) == api.total
        assert len(server.seen) > 2
