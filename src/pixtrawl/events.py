"""The events of a run, as values, for the progress display, the report and callers.

Emitting costs one function call when nobody listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pixtrawl.model import Candidate, Outcome, Query, SourceOutcome
from pixtrawl.report import Report


class RunStarted(Struct, frozen=True):
    """A run begins: its queries, and how many images they already have."""

    queries: tuple[Query, ...]
    already_saved: Mapping[str, int]  # by query text


class SourceStarted(Struct, frozen=True):
    """A source is asked for a query."""

    query: str
    source: str


class CandidatesFound(Struct, frozen=True):
    """A source gave `count` candidates, `new` of them not known before."""

    query: str
    source: str
    count: int
    new: int


class SourceFinished(Struct, frozen=True):
    """A source will give no more for a query."""

    query: str
    source: str
    outcome: SourceOutcome
    found: int
    detail: Mapping[str, object]


class FetchStarted(Struct, frozen=True):
    """A candidate's turn has come."""

    candidate: Candidate


class CandidateSettled(Struct, frozen=True):
    """One candidate reached its outcome; `file_name` when it was saved."""

    candidate: Candidate
    outcome: Outcome
    file_name: str | None = None


class RowSettled(Struct, frozen=True):
    """One row of a job's shards reached its outcome; it counts once its shard is committed."""

    candidate: Candidate
    outcome: Outcome


class ShardCommitted(Struct, frozen=True):
    """A shard of a job is committed: its rows by reason.

    `rows_reported`: each of its rows was reported by `RowSettled` before. Workers on other machines
    report no rows.
    """

    shard: str
    worker: str
    rows: int
    reasons: Mapping[str, int]
    fetched_bytes: int
    rows_reported: bool


class QueryFinished(Struct, frozen=True):
    """A query has its images, or nothing is left that could become one."""

    query: Query
    saved: int


class SourceRests(Struct, frozen=True):
    """A source in trouble is left alone for `seconds` from now; the run goes on without it."""

    source: str
    seconds: float
    waiting: int  # queries that wait for it
    why: str  # "first_byte_timeout", "status 503", "it asks for the pause"


class SourceResumes(Struct, frozen=True):
    """A source that rested gives answers again, `rested_s` seconds after its first failure."""

    source: str
    rested_s: float


class HostRests(Struct, frozen=True):
    """A host of images is sent no request for `seconds` from now; `waiting` files wait for it."""

    host: str
    seconds: float
    waiting: int
    why: str


class HostResumes(Struct, frozen=True):
    """A host that rested gives files again, `rested_s` seconds after its first refusal."""

    host: str
    rested_s: float


class Notice(Struct, frozen=True):
    """A sentence for the user: a filter a source cannot do, a containment that is missing."""

    message: str
    level: str = "info"  # info | warning


class Exporting(Struct, frozen=True):
    """The export at the end of a run: images written, images in all."""

    done: int
    total: int


class DecisionTaken(Struct, frozen=True):
    """A decision of a person was carried out while the run is at work.

    `action` is that of the record (`undo reject` where one was taken back); an image went from
    `file_name` to `new_name`, "" where it left or came back. `gained` tells by query text how many
    images more count now.
    """

    action: str
    who: str
    file_name: str = ""
    new_name: str = ""
    reason: str = ""
    gained: Mapping[str, int] = {}
    query: str = ""  # pause, resume, stop, more: one query, else all
    limit: int | None = None


class RunFinished(Struct, frozen=True):
    """The run is over."""

    report: Report


Event = (
    RunStarted
    | SourceStarted
    | CandidatesFound
    | SourceFinished
    | FetchStarted
    | CandidateSettled
    | RowSettled
    | ShardCommitted
    | QueryFinished
    | SourceRests
    | SourceResumes
    | HostRests
    | HostResumes
    | Notice
    | Exporting
    | DecisionTaken
    | RunFinished
)


class Listener(Protocol):
    """Anything that can be called with an event; it must not block."""

    def __call__(self, event: Event, /) -> None: ...


def ignore(event: Event, /) -> None:
    """Ignore an event: the default listener."""
