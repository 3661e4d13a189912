"""Progress of a run by query and source, for front ends; may be read by another thread."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from pixtrawl import events
from pixtrawl.model import SourceOutcome, Status
from pixtrawl.operations.advice import advise
from pixtrawl.operations.tally import Tally
from pixtrawl.report import Report

__all__ = ["COLUMNS", "BlockedSource", "JobProgress"]

COLUMNS: Final = ("found", "saved", "duplicates", "refused", "failed")
_COLUMN: Final = {
    Status.SAVED: "saved", Status.DUPLICATE: "duplicates", Status.NEAR_DUPLICATE: "duplicates",
    Status.REJECTED: "refused", Status.FAILED: "failed",
}  # fmt: skip
_NO_TROUBLE: Final = frozenset({SourceOutcome.OK, SourceOutcome.NO_RESULTS})
_PICTURES: Final = (".png", ".jpg", ".webp", ".held")


class BlockedSource(Struct, frozen=True, kw_only=True):
    """A source that gives nothing more: why, what was kept of its answer, and the next step.

    `evidence` and `screenshot` are names of files in the data set's folder.
    """

    source: str
    why: str
    next_step: str
    url: str = ""
    evidence: str = ""
    screenshot: str = ""


class JobProgress:
    """A listener of a run that counts; `changes` grows with each event that changed a count."""

    def __init__(self) -> None:
        self.changes = 0
        self.blocked: dict[str, BlockedSource] = {}
        self._tally = Tally()
        self._by_source: dict[str, dict[str, Counter[str]]] = defaultdict(
            lambda: defaultdict(Counter)
        )
        self._lock = threading.Lock()

    def __call__(self, event: events.Event, /) -> None:
        """Count one event."""
        with self._lock:
            self._tally.count(event, time.monotonic())
            self.changes += 1
            match event:
                case events.CandidatesFound():
                    self._by_source[event.query][event.source]["found"] += event.new
                case events.CandidateSettled():
                    column = _COLUMN.get(event.outcome.status)
                    one = event.candidate
                    if column:
                        self._by_source[one.query][one.source][column] += 1
                case events.SourceFinished() if event.outcome not in _NO_TROUBLE:
                    self.blocked[event.source] = blocked_source(event)
                case _:
                    pass

    @property
    def paused(self) -> bool:
        """Whether a person has paused the whole run."""
        return self._tally.paused

    def numbers(self) -> dict[str, Any]:
        """Return counts by query and source, images per second, and the seconds left or None."""
        now = time.monotonic()
        with self._lock:
            rows = [
                self._row(text, one.wanted, one.saved) for text, one in self._tally.queries.items()
            ]
            rate, eta_s = self._tally.saving.per_second(now), self._tally.eta_s(now)
        return {"queries": rows, "rate": round(rate or 0.0, 3), "eta_s": eta_s and round(eta_s, 1)}

    def _row(self, text: str, wanted: int | None, saved: int) -> dict[str, Any]:
        by_source = {name: dict(n) for name, n in self._by_source.get(text, {}).items()}
        total: Counter[str] = Counter()
        for counts in by_source.values():
            total.update(counts)
        columns = {name: total[name] for name in COLUMNS}
        return {
            "text": text, "wanted": wanted, **columns, "saved": saved, "by_source": by_source,
        }  # fmt: skip


def blocked_source(event: events.SourceFinished) -> BlockedSource:
    """Return why a source gave up, in the words of the report."""
    return explained(event.source, {"outcome": str(event.outcome), "detail": event.detail})


def explained(source: str, answer: Mapping[str, Any]) -> BlockedSource:
    """Return the cause and the next step of a source's answer as the report has it."""
    query = {"sources": {source: answer}, "wanted": 1, "saved": 0}
    advice = advise(query, {"queries": [query]})
    detail = answer.get("detail") or {}
    kept = detail.get("evidence") if isinstance(detail, Mapping) else None
    names = [str(one) for one in kept if one] if isinstance(kept, (list, tuple)) else []
    pictures = [one for one in names if one.endswith(_PICTURES)]
    pages = [one for one in names if one not in pictures]
    return BlockedSource(
        source=source,
        why=advice.why,
        next_step=advice.next_step,
        url=str(detail.get("url", "")) if isinstance(detail, Mapping) else "",
        evidence=pages[0] if pages else "",
        screenshot=pictures[0] if pictures else "",
    )


def shortfalls(report: Report) -> list[dict[str, str]]:
    """Return the queries that are short, each with the cause and the next step."""
    whole = report.to_dict()
    found = []
    for one in whole["queries"]:
        if one["saved"] < (one["wanted"] or 1):
            advice = advise(one, whole)
            found.append({"query": one["query"], "why": advice.why, "next_step": advice.next_step})
    return found
