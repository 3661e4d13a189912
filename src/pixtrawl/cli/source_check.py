"""`pixtrawl sources check NAME PAGE...`: reads saved pages with a source's own parser."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.config.groups import Config
from pixtrawl.errors import EXIT_OK, EXIT_SHORT, UsageError
from pixtrawl.model import SourceOutcome
from pixtrawl.secrets import masked_url

if TYPE_CHECKING:
    from pixtrawl.model import Candidate
    from pixtrawl.sources.replay.replayed import Replayed

WORD: Final = "check"
_SHOWN: Final = 3
_MAX_SHOWN: Final = 200  # characters of an address; inline pictures have many


def check(operands: list[str], config: Config, *, as_json: bool) -> int:
    """Prints what the source makes of the pages. Returns 0 where it can read them, else 3.

    Raises:
        UsageError: not a name and a page, or a page that cannot be read.
    """
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.sources.replay.reader import replay

    if len(operands) < 2:
        raise UsageError("say which source and which page: pixtrawl sources check NAME PAGE...")
    name, *pages = operands
    found = asyncio.run(replay(name, [Path(page) for page in pages], config.source(name)))
    page = ", ".join(pages)
    if as_json:
        out_json(_plain(name, page, found))
    else:
        out(_text(name, page, found))
    return EXIT_OK if found.candidates or found.outcome is SourceOutcome.OK else EXIT_SHORT


def _plain(name: str, page: str, found: Replayed) -> dict[str, Any]:
    return {
        "source": name,
        "page": page,
        "outcome": found.outcome.value,
        "results": len(found.candidates),
        "candidates": [facts(one) for one in found.candidates],
        "missing": found.missing,
        "detail": dict(found.detail),
    }


def facts(one: Candidate) -> dict[str, Any]:
    """A candidate as plain values."""
    return {
        "url": masked_url(one.url),
        "kind": one.kind.value,
        "page_url": one.page_url,
        "title": one.title,
        "width": one.width,
        "height": one.height,
        "thumb_url": one.thumb_url,
        "license": one.license,
        "license_url": one.license_url,
        "creator": one.creator,
    }


def _text(name: str, page: str, found: Replayed) -> str:
    from pixtrawl.display.screen import clean, columns

    count = len(found.candidates)
    rows = [("source", name), ("page", page), ("outcome", found.outcome.value)]
    rows += [(key, clean(found.detail[key])) for key in ("kind", "message") if key in found.detail]
    rows.append(("results", str(count)))
    for number, one in enumerate(found.candidates[:_SHOWN], 1):
        size = f"{one.width}x{one.height}" if one.width and one.height else "size not told"
        rows.append((f"  {number}", clean(masked_url(one.url)[:_MAX_SHOWN])))
        rows.append(("", clean(f"{one.kind}, {size}, {one.title or 'no title'}")))
    if count:
        lacking = ", ".join(f"{field} {many}" for field, many in found.missing.items())
        rows.append(("missing", f"{lacking} (of {count})" if lacking else "nothing"))
    return columns(rows)
