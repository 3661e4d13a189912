"""Answers with anything in them: a typed outcome, soon, and never another exception."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st
from tests.matrices import examples, sample
from tests.sources.api.asking import CAT
from tests.sources.api.stand_in_parts import Reply, asked
from tests.sources.api.stand_ins import ALL, StandIn

from pixtrawl import sources
from pixtrawl.model import SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import contract
from pixtrawl.sources.api import values as value

SOME = sample(ALL, 7)
BASE = "http://127.0.0.1:1"

GARBAGE: tuple[Any, ...] = (
    None, True, -1, 0, 10**40, 1e308, float("inf"), "", "x", "\ud800", "\x00", "javascript:1",
    "http://[", "//", "https://img.example/\n", "data:image/png;base64,AA==", [], {}, [[]],
    [None], {"": None}, {"url": {"url": []}}, "<b>" * 50, "a" * 100_000, [{}] * 50,
)  # fmt: skip


def mutated(node: Any, chance: random.Random, rate: float) -> Any:
    """A copy in which values are replaced, keys renamed, things doubled, wrapped or left out."""
    if chance.random() < rate:
        return chance.choice(GARBAGE)
    if isinstance(node, dict):
        return {
            (key + "_" if chance.random() < rate else key): mutated(inner, chance, rate)
            for key, inner in node.items()
            if chance.random() >= rate
        }
    if isinstance(node, list):
        inner = [mutated(one, chance, rate) for one in node if chance.random() >= rate]
        return [inner] if chance.random() < rate else inner
    if isinstance(node, int) and chance.random() < rate:
        return str(node)
    return node


def replay(api: StandIn, change: Callable[[Any], bytes]) -> contract.Replay:
    """The stand-in without sockets, every answer changed."""

    def answer(url: str) -> Response:
        said = api.answer(asked(BASE, url.removeprefix(BASE)), 7)
        kind = "text/html" if isinstance(said, Reply) else "application/json"
        body = said.text.encode() if isinstance(said, Reply) else change(said)
        return Response(url=url, status=200, headers={"content-type": kind}, body=body)

    return contract.Replay(answer)


def outcome_of(api: StandIn, http: contract.Replay) -> tuple[contract.Ending, float]:
    source = sources.load(api.name)({**api.settings, "base_url": BASE})
    started = time.process_time()
    ending = asyncio.run(contract.ask(source, http, CAT, max_pages=20))
    return ending, time.process_time() - started


@pytest.mark.parametrize("api", sample(ALL, 2, 1), ids=lambda api: api.name)
@hypothesis_settings(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.01, 0.05, 0.2, 0.6]))
def test_a_damaged_answer_ends_in_a_typed_outcome(api: StandIn, seed: int, rate: float) -> None:
    chance = random.Random(seed)
    http = replay(api, lambda said: json.dumps(mutated(said, chance, rate)).encode())
    ending, elapsed_s = outcome_of(api, http)
    assert elapsed_s < 1
    assert ending.outcome in SourceOutcome
    for candidate in ending.candidates:
        json.dumps([candidate.title, candidate.creator, candidate.page_url]).encode()
        repr(candidate).encode("utf-8")  # whatever was in there, it can be stored
        assert candidate.url.startswith(("http://", "https://", "data:image/"))


@pytest.mark.parametrize("api", SOME, ids=lambda api: api.name)
def test_answers_of_megabytes_take_less_than_a_second(api: StandIn) -> None:
    def nested(said: Any) -> bytes:
        for key in said if isinstance(said, dict) else ():
            if isinstance(said[key], list) and said[key]:
                said[key] = said[key][:1] * 400
        text = json.dumps(said)
        return (text[:-1] + ', "x": ' + '{"y": [' * 300 + "]}" * 300 + ', "z": "'
                + "<" * 2_000_000 + '"}').encode()  # fmt: skip

    ending, elapsed_s = outcome_of(api, replay(api, nested))
    assert elapsed_s < 1.5  # several answers
    assert ending.outcome in SourceOutcome


@pytest.mark.parametrize("api", SOME, ids=lambda api: api.name)
def test_the_contract_s_hostile_answers(api: StandIn) -> None:
    cls = sources.load(api.name)
    asyncio.run(contract.check_hostile_answers(lambda: cls({**api.settings, "base_url": BASE})))
    asyncio.run(contract.check_refusals(lambda: cls({**api.settings, "base_url": BASE})))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(json_like)
def test_values_of_the_wrong_type_are_not_there(said: Any) -> None:
    for read in (value.text, value.plain, value.url, value.pixels, value.count):
        read(said)
        read({"a": [said]}, "a", 0)
        assert read(said, "no such key", 3) is None
    assert isinstance(value.items(said), list)
    for text in (value.text(said), value.plain(said), value.url(said)):
        assert text is None or ((text.encode("utf-8") and text.isprintable()) or text)


def test_text_and_addresses_are_made_storable() -> None:
    assert value.text("a\ud800b\x00\n c") == "a b c"
    assert value.plain("<a href='x'>Ann &amp; <b>Bob</b></a>") == "Ann & Bob"
    assert value.plain("1 < 2") == "1 < 2"
    assert value.url("//img.example/a.jpg") == "https://img.example/a.jpg"
    for bad in ("ftp://x/", "/relative", "http://", "http://a b/", "http://a/\ud800", 5, None):
        assert value.url(bad) is None
    assert value.pixels("640") == value.pixels(640.0) == 640
    assert value.pixels(True) is value.pixels(0) is value.pixels(-3) is value.pixels("٣") is None
