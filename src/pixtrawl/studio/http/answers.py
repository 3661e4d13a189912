"""The forms of those answers that are put together as mappings, for the description of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from pixtrawl.studio.messages import LookItem

__all__ = [
    "ApiError", "ChartBar", "CheckAnswer", "DoubtsAnswer", "EstimateAnswer", "FreedAnswer",
    "GroupAnswer", "ImageAnswer", "IndexAnswer", "JobLine", "JobsAnswer", "MapAnswer", "OpenedSet",
    "ProgressAnswer", "ProgressLine", "SetCharts", "SourceLine", "SourcesAnswer", "StartedJob",
    "SteeredJob",
]  # fmt: skip


class ApiError(TypedDict):
    """A refusal in one sentence; some have a further number, such as `would_change`."""

    error: str


class OpenedSet(TypedDict):
    """The id of an opened data set."""

    id: str


class IndexAnswer(TypedDict):
    """The place of an image in a view."""

    index: int


class FreedAnswer(TypedDict):
    """The bytes that were freed."""

    freed_bytes: int
    revision: int


class ProgressLine(TypedDict):
    """The outcomes of the candidates of a query; `by_source` has the same numbers by source."""

    id: int
    text: str
    wanted: int | None
    found: int
    saved: int
    duplicates: int
    refused: int
    failed: int
    by_source: Mapping[str, Mapping[str, int]]


class ProgressAnswer(TypedDict):
    """The outcomes of the candidates of all queries so far."""

    queries: Sequence[ProgressLine]


class ImageAnswer(TypedDict):
    """Everything known of an image or a candidate."""

    item: LookItem
    metadata: Mapping[str, Any]
    provenance: Sequence[Mapping[str, Any]]
    copies: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    caption: Mapping[str, str]
    sentence: NotRequired[str]


class GroupAnswer(TypedDict):
    """A group of like images; `distance` is that of each of the others, in bits."""

    kept: LookItem
    others: Sequence[LookItem]
    distance: Sequence[int | None]


class ChartBar(TypedDict):
    """A bar with the filter that shows its images; ranges have `lo` and `hi`, others a `name`."""

    n: int
    filter: Mapping[str, Any]
    name: NotRequired[str]
    lo: NotRequired[float]
    hi: NotRequired[float | None]
    kind: NotRequired[str]


class SetCharts(TypedDict):
    """The charts of a data set."""

    sizes: Sequence[ChartBar]
    shapes: Sequence[ChartBar]
    licences: Sequence[ChartBar]
    hosts: Sequence[ChartBar]
    sources_over_time: Sequence[Mapping[str, Any]]
    reasons: Sequence[ChartBar]
    balance: Sequence[ChartBar]


class DoubtsAnswer(TypedDict):
    """Likely wrong labels: their number, and the first of them."""

    total: int
    first: Sequence[Mapping[str, Any]]


class CheckAnswer(TypedDict):
    """The class check of a data set; while it is `working`, or `stopped`, there is `done` alone."""

    state: Literal["working", "ready", "stopped"]
    done: float
    by: NotRequired[str]
    model: NotRequired[str]
    images: NotRequired[int]
    doubts: NotRequired[DoubtsAnswer]
    overlaps: NotRequired[Sequence[Mapping[str, Any]]]
    biases: NotRequired[Sequence[Mapping[str, Any]]]
    small: NotRequired[Sequence[Mapping[str, Any]]]
    revision: NotRequired[int]


class MapAnswer(TypedDict):
    """Places of images, by position in all of these lists; `label` is a position in `labels`."""

    state: Literal["none", "working", "ready"]
    done: float
    model: str
    command: str
    total: int
    shown: int
    ids: Sequence[int]
    n: Sequence[int]
    x: Sequence[int]
    y: Sequence[int]
    label: Sequence[int]
    labels: Sequence[str]
    revision: int


class SourceLine(TypedDict):
    """A source as a person chooses among them."""

    name: str
    title: str
    sentence: str
    ready: bool
    missing: Sequence[str]
    groups: Sequence[str]
    needs: str
    may: str
    costs: str
    terms: str
    filters: Sequence[str]
    delay_s: float


class SourcesAnswer(TypedDict):
    """All sources."""

    sources: Sequence[SourceLine]


EstimateAnswer = TypedDict(  # "from" is a word of Python
    "EstimateAnswer",
    {
        "images": int,
        "time_s": Sequence[int],
        "bytes": Sequence[int],
        "requests_by_host": Mapping[str, int],
        "yield_by_source": Mapping[str, int],
        "from": Literal["probe", "earlier runs"],
    },
)


class StartedJob(TypedDict):
    """A job that was started."""

    job: str
    set: str


class SteeredJob(StartedJob):
    """A job after it was steered."""

    state: str


class JobLine(TypedDict):
    """A job, or a run of another process."""

    id: str
    set: str
    path: str
    holder: Literal["studio", "shell"]
    state: Literal["running", "paused", "done", "stopped", "failed", "resumable"]
    since: str
    queries: Sequence[str]
    error: str
    short: Sequence[Mapping[str, str]]
    blocked: Sequence[Mapping[str, str]]


class JobsAnswer(TypedDict):
    """All jobs, newest first."""

    jobs: Sequence[JobLine]
