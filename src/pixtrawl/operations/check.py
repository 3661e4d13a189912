"""The result of one check of this computer."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"


class Check(Struct, frozen=True):
    """One line: what was looked at, how it is, and what to do where it is not well."""

    name: str
    status: str  # ok | warn | fail
    detail: str
    next_step: str = ""
