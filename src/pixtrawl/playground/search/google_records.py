"""The script data of a Google-like result page: where the originals stand in clear."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from pixtrawl.playground.search.listing import Original


def record(entry: Original, *, long: bool = True) -> list[Any]:
    """Return `[0, docid, [thumb, H, W], [original, H, W], ...]`: height before width."""
    host = urlsplit(entry.page_url).netloc
    short: list[Any] = [
        0, entry.docid,
        [entry.thumb_url, entry.thumb_height, entry.thumb_width],
        [entry.url, entry.height, entry.width],
    ]  # fmt: skip
    if not long:
        return short
    source: list[Any] = [None, f"{entry.docid[:14]}_M", entry.page_url, entry.title, *[None] * 8]
    source += [entry.site, None, None, None, None, host]
    shade = f"rgb({len(entry.title) * 3 % 256},{entry.index * 7 % 256},96)"
    about = {
        "2000": [None, host, f"{entry.width * entry.height // 9000}KB"],
        "2001": [None, None, None, 4, 0],
        "2003": source,
    }
    return [*short, None, 0, shade, None, 0, about, 1]


def script_json(value: object) -> str:
    """Return JSON as in a page's script: ASCII, and = & < > as JavaScript escapes."""
    text = json.dumps(value, separators=(",", ":"))
    for char in "=&<>'":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def grid_script(entries: Sequence[Original]) -> str:
    """Return all records in one object, every third one in the short form seen on the web."""
    table = {e.docid: [1, record(e, long=e.index % 3 != 2)] for e in entries}
    return f"(function(){{var m={script_json(table)};window.W_jd=m;}})();"


def grid_script_2021(entries: Sequence[Original]) -> str:
    """Return the callback of the page of 2021, with the records deep inside."""
    items = [[1, record(e)] for e in entries]
    data = [*[None] * 31, [[None, ["b-GRID_STATE0", None, [None, None, items]]]]]
    text = script_json(data)
    return f"AF_initDataCallback({{key: 'ds:1', hash: '2', data:{text}, sideChannel: {{}}}});"


def hidden_table(entries: Sequence[Original]) -> str:
    """Return the page's table for hover links, in a form that a search for URLs misses."""
    table = {e.docid: [e.url, e.page_url, e.width, e.height] for e in entries}
    return base64.b64encode(json.dumps(table).encode()[::-1]).decode()


def inline_thumbnail_script(element_id: str, jpeg: bytes) -> str:
    """Set a data: URI on an image, its padding written as a hexadecimal JavaScript escape."""
    data = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    escaped = data.replace("=", "\\x3d")
    return f"(function(){{var s='{escaped}';var ii=['{element_id}'];_setImagesSrc(ii,s);}})();"


def frames(html: str, entries: Sequence[Original], next_token: str) -> bytes:
    """Return the answer to a scroll: `)]}'`, then frames of hexadecimal length, `;` and payload.

    Everything is ASCII, so that lengths in bytes and in characters agree.
    """
    inner = script_json([[1, record(e)] for e in entries])
    payloads = [
        json.dumps(["0_0", None, next_token]),
        html.encode("ascii", "xmlcharrefreplace").decode(),
        json.dumps([[["irc", inner]]]),
    ]
    return (")]}'\n" + "".join(f"{len(p):x};{p}" for p in payloads)).encode()
