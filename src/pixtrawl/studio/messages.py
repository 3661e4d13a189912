"""The messages of the studio's HTTP interface, as described in docs/studio-api.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from pixtrawl.catalog.views.filter import LookFilter, LookSort

__all__ = [
    "DecisionAnswer", "DecisionRequest", "EmptyRequest", "ItemPage", "LassoLine", "LookItem",
    "Named", "QueryLine", "ReasonLine", "RunLine", "SetLine", "SetPathRequest", "SetSummary",
    "SteerRequest", "StudioError", "StudioState", "ViewAnswer", "ViewRequest", "WhichImages",
]  # fmt: skip

MapPlace = Annotated[int, Meta(ge=0, le=65_535)]
LassoLine = Annotated[Sequence[tuple[MapPlace, MapPlace]], Meta(min_length=3, max_length=512)]
ViewKind = Literal["images", "not_kept", "groups", "conflicts", "doubts"]


class StudioError(Exception):
    """A request that is refused: HTTP status, a sentence for the person, further fields."""

    def __init__(self, status: int, sentence: str, **more: object) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.more = more


class SetLine(Struct, frozen=True):
    """A known data set."""

    id: str
    path: str
    name: str
    images: int
    open_jobs: int
    problem: str = ""  # why it cannot be read


class StudioState(Struct, frozen=True):
    """The first answer that the page asks for."""

    version: str
    sets: Sequence[SetLine]
    default: str | None
    keys_version: int


class Named(Struct, frozen=True):
    """A name with a count."""

    name: str
    n: int


class LabelLine(Struct, frozen=True):
    """A label: its kept images, and how many its queries want; None: all there are."""

    name: str
    kept: int
    wanted: int | None


class QueryLine(Struct, frozen=True):
    """A query of the data set."""

    id: int
    text: str
    label: str
    wanted: int | None
    saved: int


class ReasonLine(Struct, frozen=True):
    """A reason of candidates that were not kept."""

    name: str
    n: int
    restorable: bool
    sentence: str


class RunLine(Struct, frozen=True):
    """The process that holds the data set."""

    holder: Literal["studio", "shell"]
    paused: bool
    since: str
    paused_queries: Sequence[str] = ()


class SetSummary(Struct, frozen=True, kw_only=True):
    """The counts of one data set."""

    id: str
    path: str
    name: str
    kept: int
    refused: int
    labels: Sequence[LabelLine]
    queries: Sequence[QueryLine]
    sources: Sequence[Named]
    hosts: Sequence[Named]
    licences: Sequence[Named]
    reasons: Sequence[ReasonLine]
    refusals: Sequence[Named]  # why a person refused images, in their words
    measures: Sequence[str]
    can_undo: bool
    can_redo: bool
    quarantine_bytes: int
    run: RunLine | None
    waiting: int  # decisions that the run at work carries out when it ends
    revision: int


class SetPathRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Open a folder."""

    path: str


class ViewRequest(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Which images to look at, and in which order."""

    kind: ViewKind = "images"
    filter: LookFilter = field(default_factory=LookFilter)
    sort: LookSort = field(default_factory=LookSort)
    similar_to: Sequence[str] = ()
    meaning: str = ""  # words: the images nearest to them by the embeddings' model come first
    lasso: Annotated[Sequence[LassoLine], Meta(max_length=16)] = ()  # only what lies in one of them


class ViewAnswer(Struct, frozen=True, omit_defaults=True):
    """A view: its key, and how many it has `of` all."""

    view: str
    total: int
    of: int
    revision: int
    by: str | UnsetType = UNSET
    done: float | UnsetType = UNSET  # below 1: so many images were looked at so far; ask again


class LookItem(Struct, frozen=True, kw_only=True):
    """One tile; `v` is the version of its thumbnail's address, "" where there is no picture."""

    id: str
    n: int | None
    label: str
    name: str
    w: int | None
    h: int | None
    decision: Literal["keep", "reject"] | None
    src_host: str
    licence: str
    v: str
    reason: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    restorable: bool | UnsetType = UNSET
    like: str | UnsetType = UNSET  # of `doubts`: the label it looks like, "" for none
    score: float | UnsetType = UNSET  # of `doubts`: how sure that is, 0 to 1


class ItemPage(Struct, frozen=True):
    """A range of a view."""

    start: int
    items: Sequence[LookItem]


class WhichImages(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The images that a decision is about: by id, or a view or a range of it."""

    ids: Sequence[str] = ()
    view: str = ""
    all: bool = False
    start: int = 0
    count: int = 0


class DecisionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision; `expect` is how many images the person was shown that it changes."""

    action: Literal["keep", "reject", "relabel", "bring_back", "never_again", "caption", "swap"]
    on: WhichImages
    expect: int
    reason: str = ""
    label: str = ""
    text: str = ""  # caption: the text, or what `find` is replaced by
    find: str | None = None  # caption: words to replace
    reset: bool = False  # caption: drop the written one, so that the collected one holds again
    by_hand: bool = False  # caption: of several images, change those written by hand, too
    refill: bool = True


class DecisionAnswer(Struct, frozen=True):
    """The outcome of a decision; with `pending`, a run carries it out within half a second."""

    batch: str
    changed: int
    summary: str
    revision: int
    pending: bool = False
    left_by_hand: int = 0  # captions written by hand that a decision about several leaves alone


class EmptyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Empty the quarantine; refused where it has grown since its size was shown."""

    expect_bytes: int


class SteerRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steer a job; `query` is the id or the text of one query, else all are meant."""

    query: int | str = ""
    number: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None


Answer = Struct | Mapping[str, Any] | Sequence[Any]
