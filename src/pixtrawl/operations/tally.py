"""What a run has come to so far, counted from its events; knows no terminal and no clock."""

from __future__ import annotations

import math
from collections import Counter, deque

from msgspec import Struct, field

from pixtrawl import events
from pixtrawl.model import SourceOutcome, Status

_MEMORY_S = 60.0  # of a smoothed rate
_TELLING_S = 2.0  # before that a smoothed rate is chance
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


class Pace:
    """Events a second, smoothed: old ones fade, the longer a run takes the slower.

    Over a fixed window an ETA jumps with every burst and every pause. Here an event's weight falls
    by 1/e within a minute, or half of the time so far where that is longer; dividing by the time
    weighed in the same way makes it right from the first second on.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = 0.0
        self._events = 0.0
        self._time = 0.0

    def begin(self, now: float) -> None:
        """Time counts from here (seconds, monotonic)."""
        if self._began is None:
            self._began = self._last = now

    def add(self, now: float, amount: float = 1.0) -> None:
        """`amount` more at the time `now`."""
        self.begin(now)
        self._events, self._time = self._faded(now)
        self._last = now
        self._events += amount

    def per_second(self, now: float) -> float | None:
        """None before there is enough to tell."""
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
    """A source or host that is sent no request for a while."""

    until_s: float  # monotonic
    waiting: int
    what: str  # that waits: "query" or "file"
    why: str


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
    def counted(self) -> int:
        """Of what is saved, at most what is wanted."""
        return self.saved if self.wanted is None else min(self.saved, self.wanted)

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
        self.saving = Pace()
        self.bytes = Rate()
        self.exporting: tuple[int, int] | None = None  # images written, images in all
        self.paused = False  # by a person
        self.stopping = False  # the user has asked for an end
        self._rests: dict[str, Rest] = {}
        self._started: float | None = None
        self._under_way: set[tuple[str, str]] = set()  # query and URL

    def hear(self, event: events.Event, now: float) -> None:
        """Counts one event."""
        match event:
            case events.RunStarted():
                self._begun(event, now)
            case events.FetchStarted():
                self._under_way.add((event.candidate.query, event.candidate.url))
            case events.CandidateSettled():
                self._settled(event, now)
            case events.DecisionTaken():
                self._decided(event)
            case events.Exporting():
                self.exporting = event.done, event.total
            case events.QueryFinished():
                query_tally = self._query(event.query.text)
                query_tally.finished, query_tally.saved = True, event.saved
            case events.SourceStarted() | events.CandidatesFound() | events.SourceFinished():
                self._asked(event, now)
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

    def _asked(
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
        """Sources and hosts that are left alone at this moment, the shortest rest first."""
        under_way = [(name, rest) for name, rest in list(self._rests.items()) if rest.until_s > now]
        return dict(sorted(under_way, key=lambda item: item[1].until_s))

    def _settled(self, event: events.CandidateSettled, now: float) -> None:
        outcome, query = event.outcome, self._query(event.candidate.query)
        self._under_way.discard((event.candidate.query, event.candidate.url))
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
    def under_way(self) -> int:
        """Candidates that had their turn and have no outcome yet."""
        return len(self._under_way)

    def elapsed_s(self, now: float) -> float | None:
        """Since the run began; None before."""
        return None if self._started is None else max(0.0, now - self._started)

    @property
    def saved(self) -> int:
        """Images that the queries of this run have, those of earlier runs included.

        Of each at most as many as are wanted now: an earlier run may have wanted more.
        """
        return sum(query.counted for query in list(self.queries.values()))

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
        """Seconds until all is saved at the smoothed rate; None where that cannot be told.

        What finished queries are short of will not come, and is not waited for.
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
