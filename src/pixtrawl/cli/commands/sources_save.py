"""`pixtrawl sources save NAME "query"`: one real answer with its verdict, in a file to be sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from pixtrawl.config.groups import Config
from pixtrawl.errors import EXIT_OK, EXIT_SHORT, UsageError
from pixtrawl.model import SourceOutcome

WORD: Final = "save"


def save(operands: list[str], target: str | None, config: Config, *, as_json: bool) -> int:
    """Query the source once and write the file. Return 0 if the source delivered, else 3.

    Raises:
        UsageError: not a name and a query, a source that answers no requests, a file that exists.
    """
    from pixtrawl.display.screen import clean, columns, out, out_json
    from pixtrawl.operations.source_save import save_answer

    if len(operands) != 2 or not operands[1].strip():
        raise UsageError('say which source and which words: pixtrawl sources save NAME "query"')
    name, text = operands
    done = asyncio.run(save_answer(name, text, config, Path(target) if target else None))
    if as_json:
        out_json({"file": str(done.file), **done.verdict})
    else:
        rows = [("source", name), ("outcome", done.outcome.value)]
        rows += [("message", clean(done.message))] if done.message else []
        rows += [
            ("results", str(done.results)), ("answers", str(done.answers)),
            ("file", str(done.file)),
            ("masked", "cookies, keys, tokens, e-mail and network addresses; look before you send"),
        ]  # fmt: skip
        out(columns(rows))
    return EXIT_OK if done.outcome is SourceOutcome.OK else EXIT_SHORT
