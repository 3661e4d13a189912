"""One refusal is enough: no query of the run asks that source again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from tests.net.conftest import Connection, Server

from pixtrawl.cli.main import main
from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome
from pixtrawl.pipeline.discovery.breaker import MAX_FAILURES, REST_S, Breaker

QUERIES = [f"cat {number}" for number in range(12)]


def told(
    server: Server, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[Counter[str], list[str]]:
    """Outcomes and messages of many queries that are asked side by side."""
    main([
        "discover", *QUERIES, "-s", name, "--set", f"{name}.base_url={server.url('').rstrip('/')}",
        "--allow-address", "127.0.0.0/8", "-o", str(tmp_path / "found.jsonl"), "--json", "-q", *more,
    ])  # fmt: skip
    ends = [query["sources"][name] for query in json.loads(capsys.readouterr().out)["queries"]]
    return Counter(end["outcome"] for end in ends), [end["detail"]["message"] for end in ends]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("name", ["bing", "naver", "wikimedia"])
def test_many_queries_at_once_are_refused_once(
    server: Server, name: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.route("*", status, b"no", Content_Type="text/html")
    outcomes, messages = told(server, name, tmp_path, capsys)
    assert len(server.seen) == 1
    assert outcomes == {"blocked": len(QUERIES)}
    assert sum(message.startswith("not asked: ") for message in messages) == len(QUERIES) - 1


def test_queries_that_wait_for_their_turn_see_the_refusal_of_another(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = b"<a m='{&quot;murl&quot;: &quot;https://a.test/%d.jpg&quot;}'>x</a>"

    def answer_twice(connection: Connection) -> None:
        number = len(server.seen)
        connection.reply(200 if number < 3 else 403, page % number, Content_Type="text/html")

    server.on("*", answer_twice)
    outcomes, _ = told(server, "bing", tmp_path, capsys, "--set", "bing.delay_s=0.02")
    assert len(server.seen) == 3
    assert outcomes["blocked"] >= len(QUERIES) - 2


def test_answers_that_nobody_can_read_end_the_asking_after_a_few(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.route("*", 200, b"<p>Welcome to our shop</p>", Content_Type="text/html")
    outcomes, _ = told(server, "naver", tmp_path, capsys)
    assert outcomes == {"changed": len(QUERIES)}
    assert len(server.seen) == MAX_FAILURES


def test_after_a_rest_one_query_tries_again_and_a_good_answer_closes_the_matter() -> None:
    now = [0.0]
    breaker = Breaker(now=lambda: now[0])
    failure = SourceStop(SourceOutcome.NETWORK_ERROR, message="no route")
    for _ in range(MAX_FAILURES):
        breaker.check()
        breaker.note(failure, found=0)
    with pytest.raises(SourceStop, match="not asked: no route"):
        breaker.check()
    now[0] = REST_S + 1
    breaker.check()
    breaker.note(failure, found=0)
    with pytest.raises(SourceStop):
        breaker.check()
    now[0] = 2 * REST_S + 2
    breaker.check()
    breaker.answers()
    for _ in range(MAX_FAILURES - 1):
        breaker.note(failure, found=0)
    breaker.check()


def test_a_refusal_holds_for_the_whole_run() -> None:
    now = [0.0]
    breaker = Breaker(now=lambda: now[0])
    breaker.note(SourceStop(SourceOutcome.QUOTA, message="used up"), found=40)
    now[0] = 10**6
    with pytest.raises(SourceStop, match="used up"):
        breaker.check()


def test_others_wait_for_the_one_who_tries_but_not_for_ever() -> None:
    async def story() -> list[bool]:
        breaker = Breaker(now=asyncio.get_running_loop().time)
        first = await breaker.enter()
        others = [asyncio.create_task(breaker.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in others)
        breaker.answers()
        entered = [first, *[await task for task in others]]
        breaker.leave()
        return entered

    assert asyncio.run(story()) == [True, False, False, False]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Retry_After": "1"}, b"slow down"),
        ({}, b'{"detail": "Request was throttled. Expected available in 1 second."}'),
        ({"X_RateLimit_Reset": "1", "X_RateLimit_Remaining": "0"}, b"slow down"),
    ],
)
@pytest.mark.parametrize("name", ["gbif", "openverse"])
def test_a_short_pause_that_a_source_states_is_waited(
    server: Server, name: str, headers: dict[str, str], words: bytes, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    nothing = {"count": 0, "results": [], "endOfRecords": True, "result_count": 0, "page_count": 0}

    def refuse_once(connection: Connection) -> None:
        if len(server.seen) == 1:
            connection.reply(429, words, Content_Type="application/json", **headers)
        else:
            body = json.dumps(nothing).encode()
            connection.reply(200, body, Content_Type="application/json")

    server.on("*", refuse_once)
    outcomes, _ = told(server, name, tmp_path, capsys)
    assert outcomes == {"no_results": len(QUERIES)}


@pytest.mark.parametrize(("patience", "outcome"), [("15m", "quota"), ("2h", None)])
def test_a_long_pause_ends_the_query_with_the_wait_in_its_detail(
    server: Server, patience: str, outcome: str | None, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    body = b'{"detail": "Request was throttled. Expected available in 3600 seconds."}'
    server.route("*", 429, body, Content_Type="application/json")
    if outcome is None:  # it waits, until the time for all is over
        main([
            "discover", "cat", "-s", "openverse", "--allow-address", "127.0.0.0/8", "--json", "-q",
            "--set", f"openverse.base_url={server.url('').rstrip('/')}", "--max-time", "2",
            "--patience", patience, "-o", str(tmp_path / "found.jsonl"),
        ])  # fmt: skip
        assert json.loads(capsys.readouterr().out)["end_reason"] == "budget"
        return
    outcomes, messages = told(server, "openverse", tmp_path, capsys, "--patience", patience)
    assert outcomes == {outcome: len(QUERIES)}
    assert any("it asks to wait 3,600 s" in message for message in messages)
    assert len(server.seen) == 1
