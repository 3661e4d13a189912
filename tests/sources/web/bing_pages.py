"""Invented pages of Bing, and asking the source for them."""

from __future__ import annotations

import asyncio
import html as html_text
import json

from pixtrawl.model import Query
from pixtrawl.sources.contract import Ending, ask
from pixtrawl.sources.web.bing import Bing

BASE = "http://bing.test"
QUERY = Query("golang gopher", "golang gopher", 100)


def tile(number: int, **more: object) -> str:
    data: dict[str, object] = {
        "murl": f"https://img.test/{number}.jpg?a=1&b={number}",
        "turl": f"https://thumb.test/{number}",
        "purl": f"https://page.test/{number}",
        "t": f"\ue000Title\ue001 {number}",
    }
    m = html_text.escape(json.dumps(data | more))
    href = html_text.escape(
        f"/images/search?view=detailV2&exph=480&expw=640&cdnurl=https%3a%2f%2fcdn.test%2f{number}%3fpid%3dImgRaw&q=x"
    )
    return f'<li><div class="x"><a class="y" m="{m}" href="{href}"><img src="z"></a></div></li>'


def listing(numbers: range, following: str | None = None) -> str:
    field = "" if following is None else f' data-nextUrl="{html_text.escape(following)}"'
    return f"<div{field}><ul>{''.join(tile(number) for number in numbers)}</ul></div>"


def bing(**given: str) -> Bing:
    return Bing({"base_url": BASE, **given})


def run(http: object, query: Query = QUERY, **more: object) -> Ending:
    return asyncio.run(ask(bing(), http, query, **more))  # type: ignore[arg-type]
