"""Invented pages, and asking the source page for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pixtrawl.errors import FetchError
from pixtrawl.model import Query
from pixtrawl.net.interface import Response
from pixtrawl.sources.contract import Ending, Replay, ask
from pixtrawl.sources.page.source import WebPage

START = "https://a.test/gallery"
Answers = Mapping[str, "Response | str | FetchError"]


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def reply(body: str | bytes, status: int = 200, url: str = START, **headers: str) -> Response:
    kind = {"content-type": "text/html; charset=utf-8"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else body
    return Response(url=url, status=status, headers={**kind, **more}, body=content)


def web(answers: Answers) -> Callable[[str], Response]:
    def one(url: str) -> Response:
        found = answers.get(url)
        if isinstance(found, FetchError):
            raise found
        if found is None:
            return reply("<!doctype html><h1>Not found</h1>", 404, url)
        return reply(found, url=url) if isinstance(found, str) else found

    return one


def run(
    answers: Answers | Replay,
    text: str = START,
    *,
    position: object = None,
    enough: int = 50,
    **given: str,
) -> Ending:
    http = answers if isinstance(answers, Replay) else Replay(web(answers))
    query = Query(text, "label", 100)
    return asyncio.run(ask(WebPage(given), http, query, position=position, max_pages=enough))  # type: ignore[arg-type]


def found(ending: Ending) -> list[str]:
    return [one.url for one in ending.candidates]


def numbered(numbers: range, more: str = "") -> str:
    return page("".join(f"<img src='/{n}.jpg' alt='{n}'>" for n in numbers) + more)


def names(ending: Ending) -> list[str]:
    return [url.rpartition("/")[2] for url in found(ending)]
