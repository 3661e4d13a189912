"""Answers of web search engines, and asking a source for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from tests.sources import synthetic_answers as pages

from pixtrawl import sources
from pixtrawl.model import Query
from pixtrawl.net.interface import Response
from pixtrawl.sources.contract import Ending, Replay, answer, ask

BASE = "http://engine.test"
NAMES = ["baidu", "brave", "ecosia", "naver", "startpage", "yandex"]
QUERY = Query("tabby cat", "tabby cat", 100)
Server = Callable[[str], str]


def run(name: str, body: str | bytes | Server, query: Query = QUERY, **more: object) -> Ending:
    return run_with(name, Replay(_answers(body)), query, **more)


def run_with(name: str, http: object, query: Query = QUERY, **more: object) -> Ending:
    source = sources.load(name)({"base_url": BASE})
    return asyncio.run(ask(source, http, query, **more))  # type: ignore[arg-type]


def _answers(body: str | bytes | Server) -> Callable[[str], Response]:
    if not callable(body):
        return answer(body)
    return lambda url: answer(body(url.removeprefix(BASE)))(url)


def asked(http: Replay) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(url).query)) for url in http.asked]


def urls(first: int, count: int) -> list[str]:
    return [pages.number_of(at) for at in range(first, first + count)]
