"""What stand-ins of the JSON APIs are made of: a request, an answer, a page of results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sEcr3t+key/1"


@dataclass
class Asked:
    """One request; `base` is where the stand-in lives."""

    base: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def number(self, name: str, default: int) -> int:
        return int(self.query.get(name, default))

    def picture(self, index: int) -> str:
        return f"https://img.example/{index}.jpg"


@dataclass
class Reply:
    """An answer that is no JSON with status 200."""

    status: int
    text: str = ""
    kind: str = "text/html"


Answer = Callable[[Asked, int], Any]


def asked(base: str, target: str, headers: dict[str, str] | None = None) -> Asked:
    parts = urlsplit(target)
    return Asked(base, parts.path, dict(parse_qsl(parts.query)), headers or {})


def paged(a: Asked, total: int, page: str, size: str) -> tuple[range, int]:
    """Indexes on the page that is asked for, counted from 1, and the number of pages."""
    each, number = a.number(size, 10), a.number(page, 1)
    return range((number - 1) * each, min(number * each, total)), -(-total // each)
