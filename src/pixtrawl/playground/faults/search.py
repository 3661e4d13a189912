"""Faults of a whole search site: it is out for a while, and then it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final

from pixtrawl.playground.messages import Answer, ServerRequest, ServerResponse

_SILENT_S: Final = 60.0


@dataclass
class SearchOutage:
    """Every search is answered badly for `lasts_s` seconds, from the one after `after` good ones.

    `status` 0: it is not answered at all. With `retry_after` the site states a pause.
    """

    after: int
    lasts_s: float
    status: int = 503
    retry_after: str = ""
    asked: list[float] = field(default_factory=list)  # when, during the outage
    _good: int = 0
    _began: float | None = None

    def answer(self, request: ServerRequest) -> Answer | Awaitable[Answer] | None:
        """Return the bad answer; None before and after the outage, and to whatever is no search."""
        if "q" not in request.query:
            return None
        now = time.monotonic()
        if self._began is None:
            if self._good < self.after:
                self._good += 1
                return None
            self._began = now
        if now >= self._began + self.lasts_s:
            return None
        self.asked.append(now)
        if not self.status:
            return self._silence()
        headers = [("Retry-After", self.retry_after)] if self.retry_after else []
        return ServerResponse(b"out of service", self.status, "text/plain", headers)

    async def _silence(self) -> Answer:
        await asyncio.sleep(_SILENT_S)
        return ServerResponse(b"", 503)
