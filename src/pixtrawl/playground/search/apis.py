"""Shared by the made-up JSON APIs: the origin of results and licences."""

from __future__ import annotations

import json
from typing import Final

from pixtrawl.playground.messages import ServerResponse
from pixtrawl.playground.search.listing import Original

OPEN_LICENSES: Final = frozenset({"by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "cc0", "pdm"})


def json_answer(value: object, status: int = 200, *headers: tuple[str, str]) -> ServerResponse:
    """Return `value` as an application/json answer."""
    text = json.dumps(value, ensure_ascii=False).encode()
    return ServerResponse(text, status, "application/json", headers)


def is_open(entry: Original) -> bool:
    """Return whether the picture carries an open licence; open catalogues list only those."""
    return entry.traits.license in OPEN_LICENSES


def positive(text: str | None, default: int) -> int:
    """Return a number of at least 1 from a query parameter."""
    return max(1, int(text)) if text and text.isdigit() else default
