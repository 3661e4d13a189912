"""Every JSON source over real HTTP: what it finds, and how each way of not finding is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.matrices import crossed, sample
from tests.net.conftest import Connection, Server
from tests.sources.api.asking import ask, reply, serve, settings
from tests.sources.api.stand_in_parts import KEY, Reply, asked
from tests.sources.api.stand_ins import ALL, BY_NAME, StandIn

from pixtrawl import sources
from pixtrawl.errors import UsageError
from pixtrawl.model import SourceOutcome
from pixtrawl.sources import contract, keys

# Asked for one record after another, or by what the last answer says: they have no total.
BY_RECORD = {"met", "rijksmuseum", "nasa", "internet_archive", "unsplash", "wikimedia"}
each = pytest.mark.parametrize("api", ALL, ids=lambda api: api.name)


def some(first: int) -> pytest.MarkDecorator:
    """Every third source from this one on; the others are slow."""
    return pytest.mark.parametrize("api", sample(ALL, 3, first), ids=lambda api: api.name)


def name_of(value: object) -> str:
    return value.name if isinstance(value, StandIn) else repr(value)


with_key = pytest.mark.parametrize(
    "api", [api for api in ALL if "key" in api.settings], ids=lambda api: api.name
)


def everything(ending: contract.Ending) -> str:
    """All that is kept or shown of an ending."""
    shown = [repr(ending.pages), repr(ending.events), repr(ending.failure)]
    if ending.stop is not None:
        shown.append(json.dumps(dict(ending.stop.detail)))
    return "".join(shown) + b"".join(ending.evidence.values()).decode("utf-8", "replace")


@each
def test_every_picture_is_found_once_with_its_page_and_title(api: StandIn, server: Server) -> None:
    ending = ask(api.name, serve(server, api))
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) == api.total
    assert len(ending.pages) > 1
    assert [c.rank for c in ending.candidates] == list(range(1, api.total + 1))
    assert all(c.page_url and c.title and c.source == api.name for c in ending.candidates)
    assert all("\ue000" not in (c.title or "") for c in ending.candidates)
    told = sources.load(api.name).info.license
    assert all(bool(c.license) == (told != "unknown") for c in ending.candidates)
    if told != "unknown":
        assert all(c.creator and "://" not in c.creator for c in ending.candidates)


@some(0)
def test_a_later_run_goes_on_behind_the_last_page(api: StandIn, server: Server) -> None:
    given = serve(server, api)
    first = ask(api.name, given, max_pages=1)
    rest = ask(api.name, given, position=json.loads(json.dumps(first.pages[-1].position)))
    together = [c.url for c in first.candidates + rest.candidates]
    assert together == [c.url for c in ask(api.name, given).candidates]
    server.seen.clear()
    end = ask(api.name, given, position=rest.pages[-1].position)
    assert (end.outcome, end.candidates) == (SourceOutcome.OK, [])


@pytest.mark.parametrize(
    ("api", "position"),
    crossed(
        ALL,
        [{}, {"rank": "x"}, {"place": 5, "rank": 3}, {"place": {"page": "x", "at": -4}, "rank": 0}],
    ),
    ids=name_of,
)
def test_a_position_that_makes_no_sense_starts_over(
    api: StandIn, server: Server, position: dict[str, object]
) -> None:
    ending = ask(api.name, serve(server, api, 3), position=position)
    assert len(ending.candidates) == 3


@some(1)
def test_nothing_found_is_told_by_the_answer_itself(api: StandIn, server: Server) -> None:
    ending = ask(api.name, serve(server, api, 0))
    assert ending.outcome is SourceOutcome.NO_RESULTS
    assert ending.stop is not None
    assert ending.stop.detail["message"]


@pytest.mark.parametrize(
    ("api", "status", "kind"),
    sample(((api, *told) for api in ALL for told in ((403, "forbidden"), (429, "rate_limit"))), 3),
    ids=name_of,
)
def test_a_refusal_is_blocked_after_one_request(
    api: StandIn, server: Server, status: int, kind: str
) -> None:
    server.route("*", status, b"<h1>No</h1>", Content_Type="text/html")
    ending = ask(api.name, settings(server, api))
    assert ending.stop is not None
    assert (ending.outcome, ending.stop.detail["kind"]) == (SourceOutcome.BLOCKED, kind)
    assert ending.stop.detail["evidence"]
    assert len(server.seen) == 1


@some(2)
def test_a_used_up_allowance_is_shown(api: StandIn, server: Server) -> None:
    server.on(
        "*",
        lambda connection: connection.reply(
            429, b'{"detail": "Request was throttled."}', Content_Type="application/json",
            X_RateLimit_Remaining="0", X_RateLimit_Limit="200/day", Retry_After="3600",
        ),
    )  # fmt: skip
    ending = ask(api.name, settings(server, api))
    assert ending.stop is not None
    assert ending.stop.detail["retry_after"] == "3600"
    if not api.quota:
        assert ending.outcome is SourceOutcome.BLOCKED
        return
    assert ending.outcome is SourceOutcome.QUOTA
    message = str(ending.stop.detail["message"])
    assert "throttled" in message
    assert "x-ratelimit-limit: 200/day" in message
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("api", "body"),
    crossed(ALL, [b'{"hello": [1, 2]}', b"<html>Welcome</html>", b"", b"[]"]),
    ids=name_of,
)
def test_another_answer_is_changed_and_kept(api: StandIn, server: Server, body: bytes) -> None:
    server.route("*", 200, body, Content_Type="application/json")
    ending = ask(api.name, settings(server, api))
    assert ending.outcome is SourceOutcome.CHANGED
    assert body in ending.evidence.values()


@some(0)
def test_records_with_other_names_are_changed_and_not_nothing(api: StandIn, server: Server) -> None:
    """The numbers are still told, the pictures are not where they were."""
    given = serve(server, api)
    route = server.routes["*"]

    def renamed(connection: Connection) -> None:
        send = connection.send

        def without_pictures(data: bytes) -> None:
            head, _, body = data.partition(b"\r\n\r\n")
            body = body.replace(b"img.example", b"").replace(b'"https:///', b'"')
            body = body.replace(b"JPEG", b"PDF").replace(b'"http:///', b'"')
            lines = [line for line in head.split(b"\r\n") if b"Content-Length" not in line]
            length = b"Content-Length: %d" % len(body)
            send(b"\r\n".join([*lines, length]) + b"\r\n\r\n" + body)

        connection.send = without_pictures  # type: ignore[method-assign]
        route(connection)

    server.on("*", renamed)
    ending = ask(api.name, given)
    if api.name == "internet_archive":  # an item without images is no sign of a change
        assert ending.outcome is SourceOutcome.NO_RESULTS
    else:
        assert ending.outcome is SourceOutcome.CHANGED
    assert ending.candidates == []


@some(1)
def test_a_server_that_fails_or_hangs_up_is_a_matter_of_the_network(
    api: StandIn, server: Server
) -> None:
    server.on("*", lambda connection: connection.hang_up())
    assert ask(api.name, settings(server, api)).outcome is SourceOutcome.NETWORK_ERROR
    server.route("*", 502, b"bad gateway")
    assert ask(api.name, settings(server, api)).outcome is SourceOutcome.NETWORK_ERROR


@some(2)
def test_a_server_that_repeats_itself_is_at_its_end(api: StandIn, server: Server) -> None:
    pictures = 3
    given = serve(server, api, pictures)
    route = server.routes["*"]

    def forever(connection: Connection) -> None:
        if len(server.seen) > 200:
            raise AssertionError("asked for ever")
        connection.target = connection.target.replace("page=2", "page=1")
        route(connection)

    server.on("*", forever)
    assert len(ask(api.name, given).candidates) == pictures


def hollow(said: Any) -> Any:
    """The same answer with no records in it; totals stay."""
    if isinstance(said, list):
        return [] if any(isinstance(one, dict) for one in said) else said
    return {k: hollow(v) for k, v in said.items()} if isinstance(said, dict) else said


@pytest.mark.parametrize(
    "api", sample([one for one in ALL if one.name not in BY_RECORD], 3), ids=lambda api: api.name
)
def test_a_list_that_stops_before_its_total_is_at_its_end(api: StandIn, server: Server) -> None:
    """Flickr tells of all there are and gives 4000; others have such a cap, too."""
    asked_for = 0

    def capped(connection: Connection) -> None:
        nonlocal asked_for
        said = api.answer(
            asked(server.url("").rstrip("/"), connection.target, connection.headers), 5000
        )
        if not isinstance(said, Reply):
            asked_for += 1
        reply(connection, hollow(said) if asked_for > 2 else said)

    server.on("*", capped)
    ending = ask(api.name, settings(server, api), max_pages=8)
    assert ending.outcome is SourceOutcome.OK
    assert 0 < len(ending.candidates) < 5000
    assert asked_for <= 4


@pytest.mark.parametrize(
    "name", ["unsplash", "pexels", "pixabay", "flickr", "europeana", "google_cse"]
)
def test_without_its_key_nothing_is_asked_and_the_variable_is_named(name: str) -> None:
    ending = ask(name, {"base_url": "http://127.0.0.1:1"})
    assert ending.outcome is SourceOutcome.UNSUPPORTED
    assert ending.stop is not None
    assert f"--set {name}.key=" in str(ending.stop.detail["next_step"])
    assert keys.VARIABLES[name] in str(ending.stop.detail["next_step"])
    assert any(keys.VARIABLES[name] in sentence for sentence in sources.missing(name, {}))


@with_key
def test_the_key_is_sent_and_never_kept(api: StandIn, server: Server) -> None:
    found = ask(api.name, serve(server, api))
    sent = "".join(c.target + repr(c.headers) for c in server.seen)
    assert KEY in sent or "sEcr3t%2Bkey%2F1" in sent
    echo = json.dumps({"error": f"throttled: {KEY}", "url": "?key=sEcr3t%2Bkey%2F1"}).encode()
    server.route("*", 429, echo, Content_Type="application/json")
    refused = ask(api.name, settings(server, api))
    server.route("*", 200, echo, Content_Type="application/json")
    changed = ask(api.name, settings(server, api))
    server.on("*", lambda connection: connection.reply(302, Location=f"ftp://x/?k={KEY}"))
    failed = ask(api.name, settings(server, api))
    for ending in (found, refused, changed, failed):
        text = everything(ending)
        assert "sEcr3t" not in text.replace("key=KEY", "")


@with_key
def test_the_key_may_come_from_the_environment(
    api: StandIn, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = serve(server, api, 3)
    del given["key"]
    monkeypatch.setenv(keys.VARIABLES[api.name], KEY)
    assert len(ask(api.name, given).candidates) == 3
    assert sources.missing(api.name, {"google_cse": {"cx": "mine"}}) == []


@each
def test_every_source_keeps_the_contract(api: StandIn) -> None:
    contract.check_class(sources.load(api.name))
    with pytest.raises(UsageError, match="base_url"):
        sources.load(api.name)({**api.settings, "base_url": "ftp://x"})


def test_a_refused_key_is_reported_as_such(server: Server) -> None:
    answers = {
        "flickr": (200, {"stat": "fail", "code": 100, "message": "Invalid API Key"}),
        "europeana": (401, {"success": False, "error": "Invalid API key"}),
        "unsplash": (401, {"errors": ["OAuth error: The access token is invalid"]}),
        "google_cse": (400, {"error": {"code": 400, "message": "API key not valid."}}),
    }
    for name, (status, said) in answers.items():
        server.route("*", status, json.dumps(said).encode(), Content_Type="application/json")
        ending = ask(name, settings(server, BY_NAME[name]))
        assert ending.stop is not None
        assert (ending.outcome, ending.stop.detail["kind"]) == (SourceOutcome.BLOCKED, "login")
    server.route("*", 400, b"[ERROR 400] Invalid or missing API key", Content_Type="text/html")
    assert ask("pixabay", settings(server, BY_NAME["pixabay"])).outcome is SourceOutcome.BLOCKED


def test_groups_ask_sources_with_keys_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sources.expand(["open"], {})[:2] == ["openverse", "wikimedia"]
    assert "flickr" not in sources.expand(["open"], {})
    assert "flickr" in sources.expand(["open"], {"flickr": {"key": "k"}})
    monkeypatch.setenv("FLICKR_API_KEY", "k")
    assert "flickr" in sources.expand(["open"], {})
    assert sources.expand(["species"], {}) == ["inaturalist", "gbif", "wikimedia"]
