"""`pixtrawl sources check NAME PAGE...`: read saved pages with a source's own parser."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pixtrawl.config.groups import Config
from pixtrawl.errors import EXIT_OK, EXIT_SHORT, UsageError

if TYPE_CHECKING:
    from pixtrawl.operations.source_pages import PagesRead

WORD: Final = "check"
_SHOWN: Final = 3
_MAX_SHOWN: Final = 200  # characters of an address; inline pictures have many


def check(operands: list[str], config: Config, *, as_json: bool) -> int:
    """Print the results that the source parses from the pages. Return 0 if there are any, else 3.

    Raises:
        UsageError: not a name and a page, or a page that cannot be read.
    """
    from msgspec import to_builtins

    from pixtrawl.display.screen import out, out_json
    from pixtrawl.operations.source_pages import read_pages

    if len(operands) < 2:
        raise UsageError("say which source and which page: pixtrawl sources check NAME PAGE...")
    name, *pages = operands
    found = asyncio.run(read_pages(name, [Path(page) for page in pages], config))
    if as_json:
        out_json(to_builtins(found))
    else:
        out(_text(found))
    return EXIT_OK if found.well else EXIT_SHORT


def _text(found: PagesRead) -> str:
    from pixtrawl.display.screen import clean, columns

    rows = [("source", found.source), ("page", found.page), ("outcome", found.outcome.value)]
    rows += [(key, clean(found.detail[key])) for key in ("kind", "message") if key in found.detail]
    rows.append(("results", str(found.results)))
    for number, one in enumerate(found.candidates[:_SHOWN], 1):
        size = f"{one.width}x{one.height}" if one.width and one.height else "size not stated"
        rows.append((f"  {number}", clean(one.url[:_MAX_SHOWN])))
        rows.append(("", clean(f"{one.kind}, {size}, {one.title or 'no title'}")))
    if found.results:
        lacking = ", ".join(f"{field} {many}" for field, many in found.missing.items())
        rows.append(("missing", f"{lacking} (of {found.results})" if lacking else "nothing"))
    return columns(rows)
