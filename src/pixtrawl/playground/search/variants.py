"""Which behaviour of a search page a URL asks for: leading path segments switch things on.

`http://127.0.0.1:8000/hover/random-classes` as a base URL gives result pages that carry the
originals only in hover links, with class names that change with every request. Options that hold
for the whole playground are joined with those of the path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LAYOUTS: Final = {
    "scripts": "every original stands in script data",
    "hover": "originals only in links that are set when the pointer comes over a result",
    "click": "originals only in the panel that a click opens",
    "mixed": "half in script data, a quarter by hover, a quarter by click",
    "2021": "the page of 2021, with its class names",
}
GATES: Final = {
    "consent": "a consent page stands before the results until it is answered",
    "consent-stays": "a consent page that comes back after each answer",
    "consent-dialog": "a consent dialog over the results",
    "captcha": "every search ends at /sorry/ with status 429",
    "captcha-later": "the first page comes, every further one ends at the captcha",
    "js-wall": "a page that only says to switch JavaScript on",
    "soft-block": "a short page without results or a reason",
    "changed": "a result page of a shape that nobody knows",
    "no-results": "nothing is ever found, and the page says so",
    "empty-once": "the first answer to each query comes without results or a reason",
    "rate-limit": "status 429 with Retry-After",
    "forbidden": "status 403",
    "broken": "status 500",
}
OPTIONS: Final = {"random-classes": "other class names with every request"}
ALL: Final = {**LAYOUTS, **GATES, **OPTIONS}


@dataclass(frozen=True, slots=True)
class Variant:
    """The behaviour asked for. `prefix` starts with a slash unless it is empty."""

    prefix: str = ""
    layout: str = "scripts"
    gates: frozenset[str] = frozenset()
    random_classes: bool = False


def split_variant(path: str, defaults: Iterable[str]) -> tuple[Variant, str]:
    """Return the variant that leading segments of `path` name, and the rest of the path."""
    segments = path.split("/")[1:]
    count = 0
    while count < len(segments) and segments[count] in ALL:
        count += 1
    chosen = [*defaults, *segments[:count]]
    layouts = [name for name in chosen if name in LAYOUTS]
    variant = Variant(
        prefix="".join(f"/{name}" for name in segments[:count]),
        layout=layouts[-1] if layouts else "scripts",
        gates=frozenset(name for name in chosen if name in GATES),
        random_classes="random-classes" in chosen,
    )
    return variant, "/" + "/".join(segments[count:])
