"""The report of a run as a typed value; commands print its `to_dict()` with `--json`.

ds = pixtrawl.run(["tabby cat"], limit=50)
ds.report.totals.saved, ds.report.queries[0].sources["bing"].outcome, ds.report.reasons
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec import Struct, convert, field, to_builtins

from pixtrawl.model import SourceOutcome

__all__ = [
    "AcrossLabels",
    "AskedOtherwise",
    "ChangedRule",
    "ExportReport",
    "PreferencesReport",
    "QueryReport",
    "Report",
    "SliceReport",
    "SourceReport",
    "SteeringReport",
    "Totals",
]


class _Keyed(Struct, kw_only=True, forbid_unknown_fields=True):
    """Fields by name as well, with plain values: `report["totals"]["saved"]`."""

    sometimes: ClassVar[frozenset[str]] = frozenset()  # not in the JSON where there is nothing

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, texts and numbers, as JSON has them."""
        return {name: self._plain(name) for name in self.keys()}

    def _plain(self, name: str) -> Any:
        return _plain(getattr(self, name))

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return self._plain(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the plain value of a field, or `default` if there is none."""
        return self._plain(name) if name in self else default

    def keys(self) -> list[str]:
        """Return the names of the fields, in the order of the JSON."""
        return [name for name in self.__struct_fields__ if name in self]

    def items(self) -> list[tuple[str, Any]]:
        """Return names and plain values of the fields."""
        return list(self.to_dict().items())

    def values(self) -> list[Any]:
        """Return the plain values of the fields."""
        return list(self.to_dict().values())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, name: object) -> bool:
        if name not in self.__struct_fields__:
            return False
        return name not in self.sometimes or getattr(self, str(name)) not in (None, [], {}, 0, "")


def _plain(value: Any) -> Any:
    if isinstance(value, _Keyed):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return to_builtins(value)


class Totals(_Keyed, kw_only=True):
    """URLs by what became of them; the last six add up to the first when a run is over."""

    candidates: int
    saved: int
    duplicate: int
    near_duplicate: int
    rejected: int
    failed: int
    skipped: int


class SourceReport(_Keyed, kw_only=True):
    """How a source answered for one query."""

    outcome: SourceOutcome | None  # None: it was not asked to its end
    found: int  # URLs
    detail: dict[str, Any]  # kind, message, next_step, evidence (paths), ...
    exhausted: bool  # it has no more


class SliceReport(_Keyed, kw_only=True):
    """A variation of a query that was asked because of `expand`."""

    source: str
    slice: str
    outcome: SourceOutcome | None
    found: int
    new: int  # URLs not known before


class AskedOtherwise(_Keyed, kw_only=True):
    """The same words and label with other filters, asked for earlier."""

    filters: dict[str, Any]
    saved: int


class QueryReport(_Keyed, kw_only=True):
    """The results of one query, over all runs with it."""

    sometimes: ClassVar[frozenset[str]] = frozenset(
        {"under_other_labels", "slices", "filters", "asked_otherwise"}
    )

    id: int
    query: str
    label: str
    wanted: int | None  # images; None: all that there are
    saved: int  # images; URLs where nothing was downloaded
    sources: dict[str, SourceReport]
    reasons: dict[str, int]  # URLs by what became of them: a `Reason`'s name
    untried: int  # URLs
    under_other_labels: int = 0  # images that a person moved away
    slices: list[SliceReport] = field(default_factory=list)
    filters: dict[str, Any] = field(default_factory=dict)
    asked_otherwise: list[AskedOtherwise] = field(default_factory=list)

    @property
    def is_short(self) -> bool:
        """Whether less is saved than was wanted; of one that wanted all, whether nothing is."""
        return self.saved < self.wanted if self.wanted is not None else self.saved == 0


class AcrossLabels(_Keyed, kw_only=True):
    """One picture under several labels."""

    sha256: str
    files: list[str]
    distance: int  # bits of the perceptual hash; 0: the same bytes


class ChangedRule(_Keyed, kw_only=True):
    """A setting that decides what is kept and was not the same in all runs."""

    setting: str
    now: Any
    before: list[Any]  # oldest first


class PreferencesReport(_Keyed, kw_only=True):
    """How owners' statements on the use of their images were taken in the last run."""

    purpose: str = "train"  # or search
    ignored: bool = False  # the user kept images whose owners say no
    refused: int = 0  # URLs, over all runs


class SteeringReport(_Keyed, kw_only=True):
    """How candidates of the last run were ordered by what a person liked and refused."""

    by: str  # look, or embedding
    model: str  # of the embeddings
    ranked: int  # candidates whose thumbnail was compared
    failed: int  # whose thumbnail could not be had
    without: int  # for which the source gave no thumbnail
    left: int  # beyond the number of thumbnails that may be fetched


class ExportReport(_Keyed, kw_only=True):
    """The export that a run ended with."""

    to: str
    output: str
    images: int
    splits: dict[str, int]  # images of each
    files: int
    missing: int  # images deleted by hand since


class Report(_Keyed, kw_only=True):
    """The report of a run, or of all runs on a folder.

    Counts are of URLs except `saved` of a query, which is of images; `bytes` are those fetched by
    the last run, `elapsed_s` its seconds. `report["totals"]["saved"]` works as in the JSON, too.

    Example:
        >>> ds.report.totals.saved, ds.report.reasons.get("not_found", 0)
        >>> [query.query for query in ds.report.queries if query.is_short]
        >>> json.dumps(ds.report.to_dict())
    """

    sometimes: ClassVar[frozenset[str]] = frozenset(
        {"export", "evidence_command", "junk_kept", "steering"}
    )

    output: str  # folder, or manifest
    queries: list[QueryReport]
    totals: Totals
    reasons: dict[str, int]
    causes: dict[str, dict[str, int]]  # of reasons that have several
    bytes: int
    elapsed_s: float
    interrupted: bool
    end_reason: str  # done, interrupted, budget, killed; unknown of a bare copy
    read_only: bool  # a copy without its hidden files
    cut_short: bool  # by a budget, with URLs left
    not_asked: int  # URLs whose host was out
    across_labels: list[AcrossLabels]  # 100 at the most
    changed_rules: list[ChangedRule]
    ai_preferences: PreferencesReport = field(default_factory=PreferencesReport)
    export: ExportReport | None = None
    bad_lines: int | None = None  # of lists; None: there was none
    durability: str = "unknown"  # of the last run: batch, none; unknown of a bare copy
    junk_kept: dict[str, int] = field(default_factory=dict)  # URLs of own lists, by `Reason`
    steering: SteeringReport | None = None  # None: nothing was decided, or it was off
    evidence_command: str | None = None  # copies out what sources answered

    def __contains__(self, name: object) -> bool:
        if name == "bad_lines":
            return self.bad_lines is not None
        return super().__contains__(name)

    def __repr__(self) -> str:
        saved = sum(query.saved for query in self.queries)
        return f"<Report {saved:,} saved, {len(self.queries):,} queries, {self.end_reason}>"

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Report:
        """Return the report from its JSON. Raise msgspec's ValidationError if it is not one."""
        return convert(dict(plain), cls)


Mapping.register(_Keyed)
