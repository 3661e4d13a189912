"""Counts, rates and ETA of a run, from its events; the caller passes the time."""

from __future__ import annotations

import math
from collections import Counter, deque

from msgspec import Struct, field

from pixtrawl import events
from pixtrawl.model import REASONS, Outcome, Reason, SourceOutcome, Status

_MEMORY_S = 60.0  # least time constant of a smoothed rate
_TELLING_S = 2.0  # least weighed time before a smoothed rate is given
WINDOW_S = 10.0  # of a plain rate: long enough to be steady, short enough to be current


class Rate:
    """Events per second over a sliding window of `WINDOW_S` seconds."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def add(self, now: float, amount: float = 1.0) -> None:
        """Add `amount` events at the time `now` (seconds, monotonic)."""
        self._events.append((now, amount))
        self._sum += amount
        self._drop(now)

    def per_second(self, now: float) -> float:
        """Return the rate; 0 if there was no event in the window."""
        self._drop(now)
        if not self._events:
            return 0.0
        return self._sum / max(now - self._events[0][0], 1.0)

    def _drop(self, now: float) -> None:
        while self._events and self._events[0][0] < now - WINDOW_S:
            self._sum -= self._events.popleft()[1]


class Pace:
    """Events per second as an exponentially weighted average, for a steady ETA.

    The time constant is one minute or half of the elapsed time, whichever is longer. The elapsed
    time is weighed in the same way, so that the average has no bias at the start.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = 0.0
        self._events = 0.0
        self._time = 0.0

    def begin(self, now: float) -> None:
        """Start the clock at `now` (seconds, monotonic), unless it is started."""
        if self._began is None:
            self._began = self._last = now

    def add(self, now: float, amount: float = 1.0) -> None:
        """Add `amount` events at the time `now`."""
        self.begin(now)
        self._events, self._time = self._faded(now)
        self._last = now
        self._events += amount

    def per_second(self, now: float) -> float | None:
        """Return the rate; None before there is an event and `_TELLING_S` of weighed time."""
        events_, time = self._faded(now)
        return events_ / time if time >= _TELLING_S and events_ > 0 else None

    def _faded(self, now: float) -> tuple[float, float]:
        if self._began is None:
            return 0.0, 0.0
        passed = max(0.0, now - self._last)
        memory = max(_MEMORY_S, (now - self._began) / 2)
        kept = math.exp(-passed / memory)
        return self._events * kept, self._time * kept + memory * (1 - kept)


class Rest(Struct, frozen=True):
    """A pause of a source or host, during which no requests are sent to it."""

    until_s: float  # monotonic
    waiting: int
    what: str  # the unit of `waiting`: "query" or "file"
    why: str


class QueryTally(Struct):
    """The counts of one query."""

    text: str
    wanted: int | None
    saved: int = 0
    found: int = 0
    settled: int = 0
    finished: bool = False
    sources: dict[str, str] = field(default_factory=dict)  # name to `asking` or its outcome

    @property
    def counted(self) -> int:
        """The saved images, capped at `wanted`."""
        return self.saved if self.wanted is None else min(self.saved, self.wanted)

    @property
    def is_active(self) -> bool:
        """Whether the query has begun and is not finished."""
        return not self.finished and bool(self.sources or self.settled)


class Tally:
    """The counts of a run; pass every event to `count`, then read the attributes."""

    def __init__(self) -> None:
        self.queries: dict[str, QueryTally] = {}
        self.statuses: Counter[Status] = Counter()
        self.found = 0
        self.fetched_bytes = 0
        self.finding = Rate()
        self.settling = Rate()
        self.saving = Pace()
        self.bytes = Rate()
        self.exporting: tuple[int, int] | None = None  # images written, images in all
        self.paused = False  # by the user
        self.stopping = False  # the user has asked to stop
        self._rows_saved = 0  # of a job
        self._rests: dict[str, Rest] = {}
        self._started: float | None = None
        self._under_way: set[tuple[str, str]] = set()  # query and URL

    def count(self, event: events.Event, now: float) -> None:
        """Count one event at the time `now` (seconds, monotonic)."""
        match event:
            case events.RunStarted():
                self._begun(event, now)
            case events.FetchStarted():
                self._under_way.add((event.candidate.query, event.candidate.url))
            case events.CandidateSettled():
                self._settled(event, now)
            case events.RowSettled():
                self._row(event.outcome, now)
            case events.ShardCommitted(rows_reported=False):
                self._shard(event)
            case events.DecisionTaken():
                self._decided(event)
            case events.Exporting():
                self.exporting = event.done, event.total
            case events.QueryFinished():
                query_tally = self._query(event.query.text)
                query_tally.finished, query_tally.saved = True, event.saved
            case events.SourceStarted() | events.CandidatesFound() | events.SourceFinished():
                self._count_found(event, now)
            case _:
                self._rested(event, now)

    def _begun(self, event: events.RunStarted, now: float) -> None:
        self._started = now
        self.saving.begin(now)
        for query in event.queries:
            had = event.already_saved.get(query.text, 0)
            self.queries[query.text] = QueryTally(query.text, query.limit, had)

    def _decided(self, event: events.DecisionTaken) -> None:
        for text, gained in event.gained.items():
            self._query(text).saved += gained
        if event.action in {"pause", "resume"} and not event.query:
            self.paused = event.action == "pause"
        if event.action == "more" and event.limit is not None:
            for query in self.queries.values():
                if event.query in {"", query.text} and query.wanted is not None:
                    query.wanted = event.limit

    def _count_found(
        self,
        event: events.SourceStarted | events.CandidatesFound | events.SourceFinished,
        now: float,
    ) -> None:
        query = self._query(event.query)
        match event:
            case events.SourceStarted():
                query.sources[event.source] = "asking"
            case events.CandidatesFound():
                query.found += event.new
                self.found += event.new
                self.finding.add(now, event.new)
            case events.SourceFinished():
                query.sources[event.source] = str(event.outcome)

    def _rested(self, event: events.Event, now: float) -> None:
        match event:
            case events.SourceRests():
                rest = Rest(now + event.seconds, event.waiting, "query", event.why)
                self._rests[event.source] = rest
            case events.HostRests():
                rest = Rest(now + event.seconds, event.waiting, "file", event.why)
                self._rests[event.host] = rest
            case events.SourceResumes():
                self._rests.pop(event.source, None)
            case events.HostResumes():
                self._rests.pop(event.host, None)
            case _:
                pass  # nothing to count

    def rests(self, now: float) -> dict[str, Rest]:
        """Return the sources and hosts that rest at the time `now`, the shortest rest first."""
        under_way = [(name, rest) for name, rest in list(self._rests.items()) if rest.until_s > now]
        return dict(sorted(under_way, key=lambda item: item[1].until_s))

    def _settled(self, event: events.CandidateSettled, now: float) -> None:
        outcome, query = event.outcome, self._query(event.candidate.query)
        self._under_way.discard((event.candidate.query, event.candidate.url))
        self._count_outcome(outcome, now)
        query.settled += 1
        query.saved += outcome.status is Status.SAVED

    def _query(self, text: str) -> QueryTally:
        return self.queries.setdefault(text, QueryTally(text, None))

    @property
    def done(self) -> int:
        """Settled candidates, without skipped ones."""
        return sum(self.statuses.values()) - self.statuses[Status.SKIPPED]

    def _row(self, outcome: Outcome, now: float) -> None:
        """Count a row of a job; its query is not, since a job may have millions."""
        self._count_outcome(outcome, now)
        self._rows_saved += outcome.status is Status.SAVED

    def _count_outcome(self, outcome: Outcome, now: float) -> None:
        self.statuses[outcome.status] += 1
        self.fetched_bytes += outcome.size_bytes
        self.settling.add(now)
        self.bytes.add(now, outcome.size_bytes)
        if outcome.status is Status.SAVED:
            self.saving.add(now)

    def _shard(self, event: events.ShardCommitted) -> None:
        for reason, count in event.reasons.items():
            self.statuses[REASONS[Reason(reason)].status] += count
        self._rows_saved += event.reasons.get(Reason.SAVED.value, 0)
        self.fetched_bytes += event.fetched_bytes

    @property
    def under_way(self) -> int:
        """Candidates whose fetch has started and that have no outcome yet."""
        return len(self._under_way)

    def elapsed_s(self, now: float) -> float | None:
        """Return the seconds since the run began; None before that."""
        return None if self._started is None else max(0.0, now - self._started)

    @property
    def saved(self) -> int:
        """Images saved for the queries of this run, including those of earlier runs.

        Each query counts at most the images wanted now, because an earlier run may have saved more.
        """
        return self._rows_saved + sum(q.counted for q in list(self.queries.values()))

    @property
    def wanted(self) -> int | None:
        """The images wanted by all queries; None if a query has no limit."""
        limits = [query.wanted for query in list(self.queries.values())]
        return None if not limits or None in limits else sum(limit or 0 for limit in limits)

    @property
    def finished(self) -> int:
        """The number of finished queries."""
        return sum(query.finished for query in list(self.queries.values()))

    @property
    def troubled(self) -> dict[str, int]:
        """The number of queries for each source and bad outcome, such as `bing blocked`."""
        good = {"asking", SourceOutcome.OK, SourceOutcome.NO_RESULTS}
        return Counter(
            f"{name} {outcome}"
            for query in list(self.queries.values())
            for name, outcome in list(query.sources.items())
            if outcome not in good
        )

    def eta_s(self, now: float) -> float | None:
        """Return the seconds until all images are saved at the smoothed rate; None if unknown.

        The shortfall of finished queries does not count; None also if nothing is missing.
        """
        rate = self.saving.per_second(now)
        if self.wanted is None or rate is None:
            return None
        missing = sum(
            max(0, (query.wanted or 0) - query.saved)
            for query in list(self.queries.values())
            if not query.finished
        )
        return missing / rate if missing else None
