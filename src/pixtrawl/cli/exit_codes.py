"""The meaning of the exit codes; shown in `--help` and docs/exit-codes.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pixtrawl import errors

EXIT_CODES: Final[Mapping[int, str]] = {
    errors.EXIT_OK: "everything asked for is there",
    errors.EXIT_UNEXPECTED: "unexpected error",
    errors.EXIT_USAGE: "usage error or unreadable input",
    errors.EXIT_SHORT: "finished, but a query got fewer images than asked for",
    errors.EXIT_NOTHING: "finished, but nothing was saved",
    errors.EXIT_ENVIRONMENT: "the environment failed: no browser, disk full, data set in use",
    errors.EXIT_INTERRUPTED: "interrupted; repeat the command to resume",
}


def exit_code_lines() -> list[str]:
    """Return the table as indented lines."""
    return [f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()]
