"""What a run has come to so far, counted from its events; knows no terminal and no clock."""

from __future__ import annotations

from collections import Counter, deque

from msgspec import Struct, field

from pixtrawl import events
from pixtrawl.model import SourceOutcome, Status

WINDOW_S = 10.0  # rates are over so many seconds: long enough to be calm, short enough to be true


class Rate:
    """Events a second over the last `WINDOW_S`."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def add(self, now: float, amount: float = 1.0) -> None:
        """`amount` more at the time `now` (seconds, monotonic)."""
        self._events.append((now, amount))
        self._sum += amount
        self._drop(now)

    def per_second(self, now: float) -> float:
        """0 where nothing came within the window."""
        self._drop(now)
        if not self._events:
            return 0.0
        return self._sum / max(now - self._events[0][0], 1.0)

    def _drop(self, now: float) -> None:
        while self._events and self._events[0][0] < now - WINDOW_S:
            self._sum -= self._events.popleft()[1]


class QueryTally(Struct):
    """One query's part."""

    text: str
    wanted: int | None
    saved: int = 0
    found: int = 0
    settled: int = 0
    finished: bool = False
    sources: dict[str, str] = field(default_factory=dict)  # name to `asking` or its outcome

    @property
    def is_active(self) -> bool:
        """Begun and not finished."""
        return not self.finished and bool(self.sources or self.settled)


class Tally:
    """Counts; `hear` every event, then read."""

    def __init__(self) -> None:
        self.queries: dict[str, QueryTally] = {}
        self.statuses: Counter[Status] = Counter()
        self.found = 0
        self.fetched_bytes = 0
        self.finding = Rate()
        self.settling = Rate()
        self.saving = Rate()
        self.bytes = Rate()
        self.exporting: tuple[int, int] | None = None  # images written, images in all

    def hear(self, event: events.Event, now: float) -> None:
        """Counts one event."""
        match event:
            case events.RunStarted():
                for query in event.queries:
                    had = event.already_saved.get(query.text, 0)
                    self.queries[query.text] = QueryTally(query.text, query.limit, had)
            case events.SourceStarted():
                self._query(event.query).sources[event.source] = "asking"
            case events.CandidatesFound():
                self._query(event.query).found += event.new
                self.found += event.new
                self.finding.add(now, event.new)
            case events.SourceFinished():
                self._query(event.query).sources[event.source] = str(event.outcome)
            case events.CandidateSettled():
                self._settled(event, now)
            case events.QueryFinished():
                query_tally = self._query(event.query.text)
                query_tally.finished, query_tally.saved = True, event.saved
            case events.Exporting():
                self.exporting = event.done, event.total
            case _:
                pass  # nothing to count

    def _settled(self, event: events.CandidateSettled, now: float) -> None:
        outcome, query = event.outcome, self._query(event.candidate.query)
        self.statuses[outcome.status] += 1
        query.settled += 1
        self.fetched_bytes += outcome.size_bytes
        self.settling.add(now)
        self.bytes.add(now, outcome.size_bytes)
        if outcome.status is Status.SAVED:
            query.saved += 1
            self.saving.add(now)

    def _query(self, text: str) -> QueryTally:
        return self.queries.setdefault(text, QueryTally(text, None))

    @property
    def done(self) -> int:
        """Candidates that had their turn; the skipped ones had none."""
        return sum(self.statuses.values()) - self.statuses[Status.SKIPPED]

    @property
    def saved(self) -> int:
        """Images that the queries of this run have, those of earlier runs included."""
        return sum(query.saved for query in list(self.queries.values()))

    @property
    def wanted(self) -> int | None:
        """None where a query takes all there is."""
        limits = [query.wanted for query in list(self.queries.values())]
        return None if not limits or None in limits else sum(limit or 0 for limit in limits)

    @property
    def finished(self) -> int:
        """Queries that are over."""
        return sum(query.finished for query in list(self.queries.values()))

    @property
    def troubled(self) -> dict[str, int]:
        """Sources that ended other than well, and how often."""
        good = {"asking", SourceOutcome.OK, SourceOutcome.NO_RESULTS}
        return Counter(
            f"{name} {outcome}"
            for query in list(self.queries.values())
            for name, outcome in list(query.sources.items())
            if outcome not in good
        )

    def eta_s(self, now: float) -> float | None:
        """Seconds until all is saved at the present rate; None where that cannot be told."""
        rate, wanted = self.saving.per_second(now), self.wanted
        if wanted is None or rate <= 0:
            return None
        return max(0, wanted - self.saved) / rate
