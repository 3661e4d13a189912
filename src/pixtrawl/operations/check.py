"""The result of one check of this computer."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"


class Check(Struct, frozen=True):
    """The name of a check, its status and detail, and the next step if it is not ok."""

    name: str
    status: str  # ok | warn | fail
    detail: str
    next_step: str = ""
